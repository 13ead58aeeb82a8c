//! Gives every request an id, before anything else sees it.

use std::task::{Context, Poll};

use actix_web::dev::{Service, ServiceRequest, ServiceResponse};
use actix_web::http::header::HeaderName;
use actix_web::{Error, HttpMessage as _};
use seawall_errors::RequestId;
use seawall_web::order::Layers;
use seawall_web::request::{ClientIp, ForwardedHeader, InvalidCidr, RequestHead as _};

use crate::HttpHead;
use crate::outside::Outside;
use crate::stage::stage;

mod future;

pub use future::RequestIdFuture;

/// The header that carries the id, on requests and on answers.
pub const REQUEST_ID_HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// Gives every request a [`RequestId`] extension and every answer an `x-request-id` header.
///
/// An id that a client sends is not believed, since it ends up in logs and support tickets: it is
/// kept apart as [`ClientRequestId`]. Only a peer in a trusted network (a gateway that made the id)
/// chooses the request's own id, and then only one of `[A-Za-z0-9._-]{1,64}`.
///
/// # Cost
///
/// No system call. One allocation for the header of the answer.
#[derive(Clone, Debug, Default)]
pub struct RequestIdLayer {
    trusted: ClientIp,
}

/// The id that the client chose for its request, where it sent a usable one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientRequestId(RequestId);

impl ClientRequestId {
    /// The id, of `[A-Za-z0-9._-]{1,64}`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl RequestIdLayer {
    /// Believes nobody's ids.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Believes the ids of peers in these networks.
    ///
    /// # Errors
    ///
    /// When a text is no network: the error names it.
    pub fn trusting<T: AsRef<str>>(
        networks: impl IntoIterator<Item = T>,
    ) -> Result<Self, InvalidCidr> {
        // Which forwarded header counts does not matter here: only the peer is asked about.
        ClientIp::behind(networks, ForwardedHeader::XForwardedFor).map(|trusted| Self { trusted })
    }

    fn service<S>(&self, inner: S) -> RequestIdService<S> {
        RequestIdService {
            inner,
            trusted: self.trusted.clone(),
        }
    }
}

stage!(RequestIdLayer => RequestIdService<S>, |S, B| B);

/// The service behind [`RequestIdLayer`].
#[derive(Clone, Debug)]
pub struct RequestIdService<S> {
    inner: S,
    trusted: ClientIp,
}

impl<S, B> Service<ServiceRequest> for RequestIdService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
{
    type Response = S::Response;
    type Error = Error;
    type Future = RequestIdFuture<S::Future>;

    fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&self, request: ServiceRequest) -> Self::Future {
        Outside::pass(&request, Layers::REQUEST_ID);
        let sent = request
            .headers()
            .get(REQUEST_ID_HEADER)
            .and_then(|value| RequestId::from_trusted(value.as_bytes()));
        let believed = sent.is_some()
            && HttpHead::of(&request)
                .peer()
                .is_some_and(|peer| self.trusted.is_trusted(peer));
        let id = match sent {
            Some(id) if believed => id,
            sent => {
                if let Some(sent) = sent {
                    request.extensions_mut().insert(ClientRequestId(sent));
                }
                RequestId::generate()
            }
        };
        request.extensions_mut().insert(id.clone());
        RequestIdFuture::new(self.inner.call(request), id)
    }
}
