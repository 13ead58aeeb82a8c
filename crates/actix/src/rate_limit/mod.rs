//! Denies requests that are over a limit, and tells every caller where it stands.

use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse};
use actix_web::{Error, HttpMessage};
use seawall_ratelimit::{Decision, Store};
use seawall_web::limits::{Keys, RateLimits, Watch};

use crate::HttpHead;
use crate::reply::refuse;
use crate::stage::stage;

mod fields;
mod future;
mod workers;

use fields::{Fields, Nested};
pub use future::RateLimitFuture;
use future::Settle;

/// Denies what is over its limits with 429 `rate_limited`, and writes the rate limit headers on
/// every answer, allowed or not.
///
/// It wraps an app, a scope, a resource or a route. Middlewares nest: an outer one by address, before
/// authentication, and inner ones by principal or resource. Each is one decision, charged all or
/// none; what an outer decision charged stays charged when an inner one denies. The headers of the
/// answer then come from both: the outermost middleware writes them once, from the policy that binds
/// most.
///
/// # One for all workers
///
/// Actix makes an app for each worker. Make this once, outside of the closure that makes the app,
/// and clone it inside: clones share the counts. With a store that is made inside, each worker counts
/// for itself, and callers get the limit as many times as there are workers; that is logged once.
///
/// What else looks like a mistake is logged once, at level `WARN`, too: a forwarding header where no
/// proxy is trusted, and the same key for each of the first thousand requests.
///
/// # Cost
///
/// Over a store that answers at once (memory), the inner service's future is neither boxed nor
/// delayed. Over any other, one box a request.
///
/// # Examples
///
/// ```
/// use actix_web::{App, test, web};
/// use seawall_actix::RateLimitLayer;
/// use seawall_ratelimit::{MemoryStore, Policy, quota};
/// use seawall_web::limits::RateLimits;
/// use seawall_web::request::{ClientIp, KeyBy};
///
/// # #[actix_web::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let limits = RateLimits::builder(MemoryStore::new(10_000))
///     .limit(Policy::new("address", quota!("1/minute"))?, KeyBy::address(ClientIp::peer()))
///     .build()?;
/// let limit = RateLimitLayer::new(limits);
///
/// let things = web::get().to(|| async { "things" });
/// let app = test::init_service(App::new().wrap(limit.clone()).route("/things", things)).await;
/// let ask = || test::TestRequest::get().uri("/things").to_request();
/// assert_eq!(test::call_service(&app, ask()).await.status(), 200);
/// assert_eq!(test::call_service(&app, ask()).await.status(), 429);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct RateLimitLayer<S> {
    limits: RateLimits<S>,
    watch: Arc<Watch>,
    telling: Telling,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Telling {
    Callers,
    HandlersToo,
}

impl<S: Store> RateLimitLayer<S> {
    /// Applies these limits. It can be applied any number of times; all share the counts.
    #[must_use]
    pub fn new(limits: RateLimits<S>) -> Self {
        let watch = Arc::new(Watch::new(&limits));
        Self {
            limits,
            watch,
            telling: Telling::Callers,
        }
    }

    /// Shows the [`Decision`] to handlers and to middlewares further inside, as an extension of the
    /// request: `web::ReqData<Decision>`. Where several middlewares do, it is what all of them
    /// decided. Nobody is shown it unless told: most services have no use for it, and it costs an
    /// allocation.
    #[must_use]
    pub fn show_decision(mut self) -> Self {
        self.telling = Telling::HandlersToo;
        self
    }

    fn service<I>(&self, inner: I) -> RateLimitService<I, S> {
        workers::look(&self.limits);
        RateLimitService {
            inner: Rc::new(inner),
            limits: self.limits.clone(),
            watch: Arc::clone(&self.watch),
            telling: self.telling,
        }
    }
}

impl<S> Clone for RateLimitLayer<S> {
    fn clone(&self) -> Self {
        Self {
            limits: self.limits.clone(),
            watch: Arc::clone(&self.watch),
            telling: self.telling,
        }
    }
}

stage!(@[R: Store] RateLimitLayer<R> => RateLimitService<S, R>, |S, B| EitherBody<B>);

/// The service behind [`RateLimitLayer`].
#[derive(Debug)]
pub struct RateLimitService<I, S> {
    inner: Rc<I>,
    limits: RateLimits<S>,
    watch: Arc<Watch>,
    telling: Telling,
}

impl Telling {
    /// What outer limits decided is part of it.
    fn tell(self, request: &ServiceRequest, decision: &Decision) {
        if self == Self::HandlersToo {
            let mut extensions = request.extensions_mut();
            let decision = match extensions.remove::<Decision>() {
                Some(outer) => Decision::merge(outer, decision.clone()),
                None => decision.clone(),
            };
            extensions.insert(decision);
        }
    }
}

impl<S, I, B> Service<ServiceRequest> for RateLimitService<I, S>
where
    S: Store,
    I: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Future = RateLimitFuture<I, S, B>;

    fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let mut keys = Keys::new();
        let head = HttpHead::of(&request);
        if let Err(error) = self.limits.read_keys(&head, &mut keys) {
            drop(head);
            return RateLimitFuture::answered(refuse(request, error));
        }
        self.watch.look(&head, &keys, &mut |suspicion| {
            tracing::warn!("{suspicion}");
        });
        drop(head);
        let fields = Fields {
            dialects: self.limits.dialects(),
            nested: Nested::enter(&mut request.extensions_mut()),
        };
        // Not unpacked: a decision is large, and moving it costs as much as the map it ends up in.
        let decision = self.limits.check_now(&keys);
        if let Some(Decision::Deny(denied)) = decision {
            return RateLimitFuture::answered(fields.denial(request, denied));
        }
        let Some(decision) = decision else {
            let inner = Rc::clone(&self.inner);
            let limits = self.limits.clone();
            return RateLimitFuture::waiting(limits, fields, self.telling, keys, inner, request);
        };
        self.telling.tell(&request, &decision);
        let settle = if self.limits.needs_settling() {
            Some(Settle::boxed(&self.limits, keys))
        } else {
            None
        };
        let inner = self.inner.call(request);
        RateLimitFuture::admitted(inner, fields, decision, settle)
    }
}
