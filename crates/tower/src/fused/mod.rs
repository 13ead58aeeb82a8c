//! What every service wants, as one layer: one service, one future, one look at each head.

use std::mem;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use seawall_ratelimit::{MemoryStore, Store};
use seawall_web::limits::RateLimits;
use tower_layer::Layer;
use tower_service::Service;

use crate::body_limit::LimitedBody;
use crate::errors::ErrorsBody;
use crate::{BodyLimitLayer, DeadlineLayer, ErrorsLayer, RequestIdLayer, TraceLayer};

mod future;
mod gate;
mod shared;

pub use future::FusedFuture;

use shared::{Limited, Shared};

/// Request id, trace, errors, deadline, rate limits and body limit as one service.
///
/// On the wire it is what these layers are one inside the other, in this order from the outermost:
/// [`RequestIdLayer`], [`TraceLayer`], [`ErrorsLayer`], [`DeadlineLayer`],
/// [`RateLimitLayer`](crate::RateLimitLayer), [`BodyLimitLayer`]. It is made from them, and asks the
/// same code. What it saves is what lies between layers: a future around a future, an answer that is
/// rewrapped by each, a mark in the extensions for each, and an error that is attached by one to be
/// found by another.
///
/// Reach for it where a service has all of them side by side. Where something has to stand in
/// between, such as a layer that answers health checks inside of ids and outside of limits, use the
/// single layers.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use seawall_ratelimit::{MemoryStore, Policy, quota};
/// use seawall_tower::{BodyLimitLayer, DeadlineLayer, FusedLayer};
/// use seawall_web::limits::RateLimits;
/// use seawall_web::request::{ClientIp, KeyBy};
///
/// let limits = RateLimits::builder(MemoryStore::new(100_000))
///     .limit(Policy::new("address", quota!("1000/minute"))?, KeyBy::address(ClientIp::peer()))
///     .build()?;
/// let deadline = DeadlineLayer::new(Duration::from_secs(30));
/// let layer = FusedLayer::new(deadline, BodyLimitLayer::new(1024 * 1024)).rate_limits(limits);
/// # let _ = layer;
/// # Ok::<(), seawall_ratelimit::ConfigError>(())
/// ```
///
/// # Cancel safety
///
/// As for [`DeadlineLayer`].
///
/// # Cost
///
/// Over a store that answers at once (memory), the inner service's future is neither boxed nor
/// delayed. Over any other, one box a request.
#[derive(Debug)]
pub struct FusedLayer<S = MemoryStore> {
    shared: Arc<Shared<S>>,
}

impl FusedLayer {
    /// With this deadline and this limit on bodies; everybody gets a fresh id and a default error,
    /// there is no trace, and no rate limit.
    #[must_use]
    pub fn new(deadline: DeadlineLayer, body_limit: BodyLimitLayer) -> Self {
        Self {
            shared: Arc::new(Shared::new(deadline, body_limit)),
        }
    }
}

impl<S> FusedLayer<S> {
    /// Whose request ids are believed; nobody's unless told.
    #[must_use]
    pub fn request_ids(self, ids: RequestIdLayer) -> Self {
        self.with(|shared| shared.ids = ids.trusted)
    }

    /// Gives requests a place in a trace. They have none unless told.
    #[must_use]
    pub fn traces(self, traces: impl Into<Option<TraceLayer>>) -> Self {
        self.with(|shared| shared.traces = traces.into())
    }

    /// How errors are answered; as by [`ErrorsLayer::new`] unless told.
    #[must_use]
    pub fn errors(self, errors: ErrorsLayer) -> Self {
        self.with(|shared| shared.manner = errors.manner)
    }

    /// The limits that are decided here, before authentication; none unless told.
    #[must_use]
    pub fn rate_limits<T: Store>(self, limits: impl Into<Option<RateLimits<T>>>) -> FusedLayer<T> {
        let limited = limits.into().map(Limited::new);
        FusedLayer {
            shared: Arc::new(Shared::copy(&self.shared, limited)),
        }
    }

    /// Changes deadline and body limit, in all clones of this layer and in services made from them,
    /// from the next request on. No request sees one of the two old and the other new.
    pub fn adjust(&self, deadline: Duration, body_limit: BodyLimitLayer) {
        self.shared.adjust(deadline, body_limit);
    }

    fn with(mut self, change: impl FnOnce(&mut Shared<S>)) -> Self {
        match Arc::get_mut(&mut self.shared) {
            Some(shared) => change(shared),
            None => {
                // Somebody kept a clone: it stays what it was.
                let limited = self.shared.limited.clone();
                let mut shared = Shared::copy(&self.shared, limited);
                change(&mut shared);
                self.shared = Arc::new(shared);
            }
        }
        self
    }
}

impl<S> Clone for FusedLayer<S> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
        }
    }
}

impl<S, I> Layer<I> for FusedLayer<S> {
    type Service = FusedService<I, S>;

    fn layer(&self, inner: I) -> Self::Service {
        FusedService {
            inner,
            shared: Arc::clone(&self.shared),
        }
    }
}

/// The service behind [`FusedLayer`].
#[derive(Debug)]
pub struct FusedService<I, S> {
    inner: I,
    shared: Arc<Shared<S>>,
}

impl<I: Clone, S> Clone for FusedService<I, S> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            shared: Arc::clone(&self.shared),
        }
    }
}

impl<I, S, ReqB, ResB> Service<Request<ReqB>> for FusedService<I, S>
where
    I: Service<Request<LimitedBody<ReqB>>, Response = Response<ResB>> + Clone,
    S: Store,
    ReqB: Body,
    ResB: Body<Data = Bytes>,
{
    type Response = Response<ErrorsBody<ResB>>;
    type Error = I::Error;
    type Future = FusedFuture<I, S, ReqB, ResB>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, request: Request<ReqB>) -> Self::Future {
        FusedFuture::start(&self.shared, &mut self.inner, request)
    }
}

/// The service that is ready is the one to call; its clone takes its place.
fn take_ready<I: Clone>(inner: &mut I) -> I {
    let clone = inner.clone();
    mem::replace(inner, clone)
}
