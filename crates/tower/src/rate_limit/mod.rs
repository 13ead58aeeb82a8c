//! Denies requests that are over a limit, and tells every caller where it stands.

use std::mem;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Extensions, HeaderMap, HeaderName, HeaderValue, Request, Response};
use seawall_ratelimit::{Decision, Store};
use seawall_web::limits::RateLimits;
use tower_layer::Layer;
use tower_service::Service;

use crate::reply::refuse;
use crate::{HttpHead, ReplyBody};

mod future;
mod watch;

pub use future::RateLimitFuture;
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
        let keys = match self.limits.keys(&HttpHead::of(&request)) {
            Ok(keys) => keys,
            Err(error) => return RateLimitFuture::refused(refuse(&request, error)),
        };
        self.watch.look(request.headers(), &keys);
        let nested = Nested::enter(request.extensions_mut());
        let admission = Admission {
            limits: self.limits.clone(),
            nested,
        };
        if let Some(decision) = self.limits.check_now(&keys) {
            return RateLimitFuture::decided(admission, keys, decision, &mut self.inner, request);
        }
        // The service that is ready is the one to call; its clone takes its place.
        let clone = self.inner.clone();
        let ready = mem::replace(&mut self.inner, clone);
        RateLimitFuture::waiting(admission, keys, ready, request)
    }
}

/// What is needed to answer, whoever decides.
#[derive(Debug)]
struct Admission<S> {
    limits: RateLimits<S>,
    nested: Nested,
}

impl<S: Store> Admission<S> {
    /// Writes the headers, or hands the decision to the layer outside that will.
    fn finish<B>(&self, decision: Decision, response: &mut Response<B>) {
        let decision = match response.extensions_mut().remove::<Inner>() {
            Some(Inner(inner)) => match Arc::try_unwrap(inner) {
                Ok(inner) => Decision::merge(decision, inner),
                Err(_) => decision,
            },
            None => decision,
        };
        match self.nested {
            Nested::Inside => {
                response.extensions_mut().insert(Inner(Arc::new(decision)));
            }
            Nested::Outermost => self.write_headers(&decision, response.headers_mut()),
        }
    }

    fn write_headers(&self, decision: &Decision, headers: &mut HeaderMap) {
        self.limits.write_headers(decision, &mut |name, value| {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(header_name(name), value);
            }
        });
    }
}

/// The names that the dialects write, checked when this is compiled rather than for each answer.
fn header_name(name: &'static str) -> HeaderName {
    macro_rules! known {
        ($($known:literal)*) => {
            match name {
                $($known => const { HeaderName::from_static($known) },)*
                other => HeaderName::from_static(other),
            }
        };
    }
    known!(
        "x-ratelimit-limit" "x-ratelimit-remaining" "x-ratelimit-reset"
        "ratelimit-policy" "ratelimit" "retry-after"
    )
}

/// Whether another rate limit layer stands outside of this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Nested {
    Inside,
    Outermost,
}

/// Left in a request's extensions: a rate limit layer outside will write the headers.
#[derive(Clone, Copy, Debug)]
struct HeadersOutside;

/// What an inner layer decided, on its way to the layer that writes the headers.
#[derive(Clone, Debug)]
struct Inner(Arc<Decision>);

impl Nested {
    fn enter(extensions: &mut Extensions) -> Self {
        if extensions.insert(HeadersOutside).is_some() {
            Self::Inside
        } else {
            Self::Outermost
        }
    }
}
