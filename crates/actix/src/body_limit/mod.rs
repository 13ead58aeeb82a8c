//! Bounds how large a request's body may be, and how long it may take to arrive.

use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::body::EitherBody;
use actix_web::dev::{Payload, Service, ServiceRequest, ServiceResponse};
use actix_web::error::PayloadError;
use actix_web::http::header;
use actix_web::{Error, HttpMessage as _};
use seawall_errors::{ApiError, codes};
use seawall_web::order::Layers;

use crate::live::Source;
use crate::outside::Outside;
use crate::reply::{Rendering, refuse};
use crate::stage::stage;

mod body;
mod future;

pub use future::BodyLimitFuture;

use body::{LimitedBody, TooSlow, Verdict};

/// Refuses request bodies that are too large (413 `payload_too_large`) or too slow (408
/// `request_timeout`).
///
/// A body that announces its length is refused before a byte of it is read; any other is cut off
/// at the limit while the handler reads it. The answer is the same either way, whichever extractor
/// read the body and whatever it made of the failure. Actix's own extractors have limits of their own
/// (`JsonConfig`, `PayloadConfig`), which hold besides this one.
///
/// # Cost
///
/// Nothing for a request without body; two allocations for one with.
#[derive(Clone, Copy, Debug)]
pub struct BodyLimitLayer {
    pub(crate) bounds: Bounds,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    bytes: u64,
    time: Option<Duration>,
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

    fn service<S>(&self, inner: S) -> BodyLimitService<S> {
        BodyLimitService::new(inner, Source::Fixed(self.bounds))
    }
}

stage!(BodyLimitLayer => BodyLimitService<S>, |S, B| EitherBody<B>);

/// The service behind [`BodyLimitLayer`].
#[derive(Clone, Debug)]
pub struct BodyLimitService<S> {
    inner: S,
    bounds: Source<Bounds>,
}

impl<S> BodyLimitService<S> {
    pub(crate) fn new(inner: S, bounds: Source<Bounds>) -> Self {
        Self { inner, bounds }
    }
}

impl<S, B> Service<ServiceRequest> for BodyLimitService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Future = BodyLimitFuture<S::Future, B>;

    fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&self, mut request: ServiceRequest) -> Self::Future {
        Outside::pass(&request, Layers::BODY_LIMIT);
        let bounds = self.bounds.now();
        if announced_length(&request).is_some_and(|length| length > bounds.bytes) {
            return BodyLimitFuture::refused(refuse(request, too_large()));
        }
        let rendering = Rendering::of_request(&request);
        let verdict = match request.take_payload() {
            Payload::None => None,
            payload => {
                let verdict = Verdict::new();
                let limited = LimitedBody::new(payload, bounds, verdict.clone());
                request.set_payload(Payload::Stream {
                    payload: Box::pin(limited),
                });
                Some(verdict)
            }
        };
        BodyLimitFuture::admitted(self.inner.call(request), verdict, rendering)
    }
}

/// The announced length, where there is one that can be read. Actix refuses requests with several
/// different ones.
fn announced_length(request: &ServiceRequest) -> Option<u64> {
    request
        .headers()
        .get(header::CONTENT_LENGTH)?
        .to_str()
        .ok()?
        .trim()
        .parse()
        .ok()
}

/// The answer to a request whose body could not be read: too large, too slow, or broken off.
///
/// For extractors of your own.
pub fn unreadable(error: PayloadError) -> ApiError {
    match error {
        PayloadError::Overflow => too_large(),
        PayloadError::Io(error) if error.get_ref().is_some_and(|cause| cause.is::<TooSlow>()) => {
            too_slow()
        }
        error => ApiError::new(codes::MALFORMED_REQUEST).note(error.to_string()),
    }
}

fn too_large() -> ApiError {
    ApiError::new(codes::PAYLOAD_TOO_LARGE)
}

fn too_slow() -> ApiError {
    ApiError::new(codes::REQUEST_TIMEOUT)
}
