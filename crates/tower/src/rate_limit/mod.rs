//! Denies requests that are over a limit, and tells every caller where it stands.

use std::mem;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use seawall_ratelimit::{Decision, Store};
use seawall_web::limits::{Keys, RateLimits};
use tower_layer::Layer;
use tower_service::Service;

use crate::outside::Outside;
use crate::reply::refuse;
use crate::{HttpHead, ReplyBody};

pub(crate) mod fields;
mod future;
mod settle;
pub(crate) mod watch;

use fields::{Fields, Nested};
pub use future::RateLimitFuture;
pub(crate) use settle::{Settle, Wait};
use watch::Watch;

/// Denies what is over its limits with 429 `rate_limited`, and writes the rate limit headers on
/// every answer, allowed or not.
///
/// Layers nest: an outer one by address, before authentication, and inner ones by principal or
/// resource. Each is one decision, charged all or none; what an outer decision charged stays
/// charged when an inner one denies. The headers of the answer then come from both: the outermost
/// layer writes them once, from the policy that binds most.
///
/// What looks like a mistake in how limits are set up is logged once, at level `WARN`: a forwarding
/// header where no proxy is trusted, the same key for each of the first thousand requests, and layers
/// that are made for a single request.
///
/// # Cost
///
/// Over a store that answers at once (memory), the inner service's future is neither boxed nor
/// delayed. Over any other, one box a request.
#[derive(Debug)]
pub struct RateLimitLayer<S> {
    limits: RateLimits<S>,
    watch: Arc<Watch>,
}

impl<S: Store> RateLimitLayer<S> {
    /// Applies these limits. The layer can be applied any number of times; all share the counts.
    #[must_use]
    pub fn new(limits: RateLimits<S>) -> Self {
        let watch = Arc::new(Watch::new(&limits));
        Self { limits, watch }
    }
}

impl<S> Clone for RateLimitLayer<S> {
    fn clone(&self) -> Self {
        Self {
            limits: self.limits.clone(),
            watch: Arc::clone(&self.watch),
        }
    }
}

impl<S, I> Layer<I> for RateLimitLayer<S> {
    type Service = RateLimitService<I, S>;

    fn layer(&self, inner: I) -> Self::Service {
        RateLimitService {
            inner,
            limits: self.limits.clone(),
            watch: Arc::clone(&self.watch),
        }
    }
}

/// The service behind [`RateLimitLayer`].
#[derive(Debug)]
pub struct RateLimitService<I, S> {
    inner: I,
    limits: RateLimits<S>,
    watch: Arc<Watch>,
}

impl<I: Clone, S> Clone for RateLimitService<I, S> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            limits: self.limits.clone(),
            watch: Arc::clone(&self.watch),
        }
    }
}

impl<I, S, ReqB, ResB> Service<Request<ReqB>> for RateLimitService<I, S>
where
    I: Service<Request<ReqB>, Response = Response<ResB>> + Clone,
    S: Store,
{
    type Response = Response<ReplyBody<ResB>>;
    type Error = I::Error;
    type Future = RateLimitFuture<I, S, ReqB, ResB>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<ReqB>) -> Self::Future {
        let mut keys = Keys::new();
        if let Err(error) = self.limits.read_keys(&HttpHead::of(&request), &mut keys) {
            return RateLimitFuture::answered(refuse(&request, error));
        }
        self.watch.look(&HttpHead::of(&request), &keys);
        let fields = Fields {
            dialects: self.limits.dialects(),
            nested: Nested::of(Outside::enter(
                request.extensions_mut(),
                Outside::RATE_LIMIT,
            )),
        };
        // Not unpacked: a decision is large, and moving it costs as much as the map it ends up in.
        let decision = self.limits.check_now(&keys);
        if let Some(Decision::Deny(denied)) = decision {
            return RateLimitFuture::answered(fields.denial(&request, denied));
        }
        if decision.is_some() {
            let settle = if self.limits.needs_settling() {
                Some(Settle::boxed(&self.limits, keys))
            } else {
                None
            };
            let inner = self.inner.call(request);
            return RateLimitFuture::admitted(inner, fields, decision, settle);
        }
        // The service that is ready is the one to call; its clone takes its place.
        let clone = self.inner.clone();
        let ready = mem::replace(&mut self.inner, clone);
        RateLimitFuture::waiting(self.limits.clone(), fields, keys, ready, request)
    }
}
