//! Bounds how large a request's body may be, and how long it may take to arrive.

use std::task::{Context, Poll};
use std::time::Duration;

use http::{Request, Response, header};
use http_body::Body;
use seawall_errors::{ApiError, codes};
use seawall_web::order::Layers;
use tower_layer::Layer;
use tower_service::Service;

use crate::ReplyBody;
use crate::outside::Outside;
use crate::reply::{Rendering, refuse};

mod body;
mod future;

pub use body::{BodyLimitError, LimitedBody};
pub use future::BodyLimitFuture;

pub(crate) use body::Verdict;

/// Refuses request bodies that are too large (413 `payload_too_large`) or too slow (408
/// `request_timeout`).
///
/// A body that announces its length is refused before a byte of it is read; any other is cut off
/// at the limit while the handler reads it. The answer is the same either way, whichever extractor
/// read the body and whatever it made of the failure.
///
/// # Cost
///
/// Nothing for a request without body; one allocation for one with.
#[derive(Clone, Copy, Debug)]
pub struct BodyLimitLayer {
    pub(crate) bounds: Bounds,
}

/// How large, and how slow.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    bytes: u64,
    time: Option<Duration>,
}

impl Bounds {
    /// Refuses what announces too much; tells where the body's fate will be recorded, if it has one.
    pub(crate) fn admit<B: Body>(self, request: &Request<B>) -> Result<Option<Verdict>, ApiError> {
        let announced = announced_length(request).or(request.body().size_hint().exact());
        if announced.is_some_and(|length| length > self.bytes) {
            return Err(too_large());
        }
        Ok((!request.body().is_end_stream()).then(Verdict::new))
    }
}

impl BodyLimitLayer {
    /// Allows bodies of at most `bytes`, and 30 seconds from first to last byte: a phone on a bad
    /// line sends a mebibyte in that time, and a client that drips bytes gives up its connection.
    #[must_use]
    pub fn new(bytes: u64) -> Self {
        Self {
            bounds: Bounds {
                bytes,
                time: Some(Duration::from_secs(30)),
            },
        }
    }

    /// Allows this long from the first wait for the body to its end.
    #[must_use]
    pub fn read_within(mut self, time: Duration) -> Self {
        self.bounds.time = Some(time);
        self
    }

    /// Puts no bound on the time: for uploads that something else bounds.
    #[must_use]
    pub fn unbounded_time(mut self) -> Self {
        self.bounds.time = None;
        self
    }
}

impl<S> Layer<S> for BodyLimitLayer {
    type Service = BodyLimitService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        BodyLimitService {
            inner,
            bounds: self.bounds,
        }
    }
}

/// The service behind [`BodyLimitLayer`].
#[derive(Clone, Debug)]
pub struct BodyLimitService<S> {
    inner: S,
    bounds: Bounds,
}

impl<S, ReqB, ResB> Service<Request<ReqB>> for BodyLimitService<S>
where
    S: Service<Request<LimitedBody<ReqB>>, Response = Response<ResB>>,
    ReqB: Body,
{
    type Response = Response<ReplyBody<ResB>>;
    type Error = S::Error;
    type Future = BodyLimitFuture<S::Future, ResB>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<ReqB>) -> Self::Future {
        Outside::pass(request.extensions_mut(), Layers::BODY_LIMIT);
        let verdict = match self.bounds.admit(&request) {
            Ok(verdict) => verdict,
            Err(error) => return BodyLimitFuture::refused(refuse(&request, error)),
        };
        let rendering = Rendering::of(request.extensions());
        let request = request.map(|body| LimitedBody::new(body, self.bounds, verdict.clone()));
        BodyLimitFuture::admitted(self.inner.call(request), verdict, rendering)
    }
}

/// The announced length, where there is one that can be read. hyper refuses requests with several
/// different ones; a request built by hand with an odd one is bounded by the bytes that arrive.
fn announced_length<B>(request: &Request<B>) -> Option<u64> {
    request
        .headers()
        .get(header::CONTENT_LENGTH)?
        .to_str()
        .ok()?
        .trim()
        .parse()
        .ok()
}

fn too_large() -> ApiError {
    ApiError::new(codes::PAYLOAD_TOO_LARGE)
}

fn too_slow() -> ApiError {
    ApiError::new(codes::REQUEST_TIMEOUT)
}
