//! Gives every request an id, before anything else sees it.

use std::task::{Context, Poll};

use http::{HeaderName, HeaderValue, Request, Response};
use seawall_errors::RequestId;
use seawall_web::order::Layers;
use seawall_web::request::{ClientIp, ForwardedHeader, InvalidCidr, RequestHead};
use tower_layer::Layer;
use tower_service::Service;

use crate::HttpHead;
use crate::outside::Outside;

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
    pub(crate) trusted: ClientIp,
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
}

impl<S> Layer<S> for RequestIdLayer {
    type Service = RequestIdService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        RequestIdService {
            inner,
            trusted: self.trusted.clone(),
        }
    }
}

/// The service behind [`RequestIdLayer`].
#[derive(Clone, Debug)]
pub struct RequestIdService<S> {
    inner: S,
    trusted: ClientIp,
}

impl<S, ReqB, ResB> Service<Request<ReqB>> for RequestIdService<S>
where
    S: Service<Request<ReqB>, Response = Response<ResB>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = RequestIdFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<ReqB>) -> Self::Future {
        Outside::pass(request.extensions_mut(), Layers::REQUEST_ID);
        let id = identify(&mut request, &self.trusted);
        RequestIdFuture::new(self.inner.call(request), id)
    }
}

/// Gives a request its id.
pub(crate) fn identify<B>(request: &mut Request<B>, trusted: &ClientIp) -> RequestId {
    let sent = request
        .headers()
        .get(REQUEST_ID_HEADER)
        .and_then(|value| RequestId::from_trusted(value.as_bytes()));
    let believed = sent.is_some()
        && HttpHead::of(request)
            .peer()
            .is_some_and(|peer| trusted.is_trusted(peer));
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
    id
}

/// The id as the value of a header.
pub(crate) fn value(id: &RequestId) -> HeaderValue {
    HeaderValue::from_bytes(id.as_bytes())
        .expect("an id is made of letters, digits, dots, underscores and hyphens")
}
