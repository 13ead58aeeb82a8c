//! One builder that puts the layers in the right order.

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::response::IntoResponse;
use axum::routing::Route;
use seawall_errors::{self as errors, Renderer};
use seawall_ratelimit::headers::Dialects;
use seawall_ratelimit::{self as ratelimit, ConfigError, MemoryStore, Policy, Store};
use seawall_tower::{
    BodyLimitLayer, DeadlineLayer, ErrorsLayer, FusedLayer, IdempotencyLayer, RateLimitLayer,
    RequestIdLayer, TraceLayer,
};
use seawall_web::limits::RateLimits;
use seawall_web::request::{ClientIp, KeyBy};
use tower_layer::Layer;
use tower_service::Service;

use crate::ContextLayer;
use crate::inward::InwardLayer;

/// The layers of a hardened service, in the right order.
///
/// Outermost first: request id, trace, errors, deadline, rate limits by address, body limit, the user's
/// authentication, rate limits by principal or resource, idempotency, handlers. All but the
/// authentication and what follows it is applied as one axum layer.
///
/// # Examples
///
/// ```
/// use axum::{Router, routing::get};
/// use seawall_axum::Seawall;
/// use seawall_ratelimit::{MemoryStore, Policy, quota};
/// use seawall_web::request::{ClientIp, KeyBy};
/// use std::time::Duration;
///
/// let seawall = Seawall::builder(MemoryStore::new(100_000))
///     .deadline(Duration::from_secs(10))
///     .body_limit(1024 * 1024)
///     .limit(Policy::new("address", quota!("1000/minute"))?, KeyBy::address(ClientIp::peer()))
///     .build()?;
///
/// let app: Router = seawall.protect(Router::new().route("/api/things", get(|| async { "things" })));
/// # let _ = app;
/// # Ok::<(), seawall_ratelimit::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct Seawall<S = MemoryStore> {
    ids: RequestIdLayer,
    traces: Option<TraceLayer>,
    errors: ErrorsLayer,
    fused: FusedLayer<S>,
    authenticate: Option<Wrap>,
    after: Option<RateLimits<S>>,
    idempotency: Option<Wrap>,
    #[cfg(feature = "config")]
    pub(crate) reload: seawall_web::config::Reload<S>,
}

type Wrap = Arc<dyn Fn(Router) -> Router + Send + Sync>;

impl<S: Store> Seawall<S> {
    /// Starts from the store that keeps the counts of rate limits.
    pub fn builder(store: S) -> SeawallBuilder<S>
    where
        S: Clone,
    {
        SeawallBuilder {
            store,
            namespace: String::new(),
            dialects: Dialects::default(),
            ids: RequestIdLayer::new(),
            traces: Some(TraceLayer::new()),
            renderer: Renderer::new(),
            deadline: DEADLINE,
            budgets: None,
            body_limit: BodyLimitLayer::new(BODY_LIMIT),
            before: Vec::new(),
            authenticate: None,
            after: Vec::new(),
            idempotency: None,
            observer: None,
            #[cfg(feature = "config")]
            config: seawall_web::config::SeawallConfig::default(),
        }
    }

    /// Puts all layers around these routes.
    ///
    /// Routes added to the result afterwards are outside: probes belong there, or in
    /// [`observe`](Self::observe). Of two routers that are merged, axum answers unknown paths by the
    /// one that is merged in: let that be this one, or they escape the limits.
    pub fn protect(&self, mut routes: Router) -> Router {
        if let Some(idempotency) = &self.idempotency {
            routes = idempotency(routes);
        }
        if let Some(limits) = &self.after {
            routes = routes.layer(RateLimitLayer::new(limits.clone()));
        }
        if let Some(authenticate) = &self.authenticate {
            routes = authenticate(routes);
        }
        routes.layer((ContextLayer::new(), self.fused.clone(), InwardLayer))
    }

    /// Gives these routes ids, traces and safe errors, and nothing that could refuse them: for probes.
    pub fn observe(&self, routes: Router) -> Router {
        let traced = match &self.traces {
            Some(traces) => routes.layer((traces.clone(), self.errors.clone())),
            None => routes.layer(self.errors.clone()),
        };
        traced.layer((ContextLayer::new(), self.ids.clone()))
    }
}

impl<S: fmt::Debug> fmt::Debug for Seawall<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seawall")
            .field("fused", &self.fused)
            .field("authenticates", &self.authenticate.is_some())
            .field("after", &self.after)
            .field("is_idempotent", &self.idempotency.is_some())
            .finish_non_exhaustive()
    }
}

/// How long a request may take unless told: below the 60 seconds after which common proxies and
/// clients give up, so that the answer is ours.
const DEADLINE: Duration = Duration::from_secs(30);

/// How long a request's body may be unless told: ample for JSON, harmless for memory.
const BODY_LIMIT: u64 = 1024 * 1024;

/// Builds a [`Seawall`].
#[must_use]
pub struct SeawallBuilder<S> {
    store: S,
    pub(crate) namespace: String,
    pub(crate) dialects: Dialects,
    pub(crate) ids: RequestIdLayer,
    pub(crate) traces: Option<TraceLayer>,
    pub(crate) renderer: Renderer,
    pub(crate) deadline: Duration,
    pub(crate) budgets: Option<ClientIp>,
    pub(crate) body_limit: BodyLimitLayer,
    pub(crate) before: Vec<(Policy, KeyBy)>,
    authenticate: Option<Wrap>,
    pub(crate) after: Vec<(Policy, KeyBy)>,
    idempotency: Option<Wrap>,
    observer: Option<(Arc<dyn errors::Observer>, Arc<dyn ratelimit::Observer>)>,
    #[cfg(feature = "config")]
    pub(crate) config: seawall_web::config::SeawallConfig,
}

impl<S: Store + Clone> SeawallBuilder<S> {
    /// Keeps the counts apart from other services on the same store; empty unless told.
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = namespace.into();
        self
    }

    /// In which dialects the rate limit headers are written; `X-RateLimit-*` and the IETF fields
    /// unless told.
    pub fn dialects(mut self, dialects: Dialects) -> Self {
        self.dialects = dialects;
        self
    }

    /// Whose request ids are believed; nobody's unless told.
    pub fn request_ids(mut self, ids: RequestIdLayer) -> Self {
        self.ids = ids;
        self
    }

    /// Whose traces are continued; everybody's unless told.
    pub fn traces(mut self, traces: TraceLayer) -> Self {
        self.traces = Some(traces);
        self
    }

    /// Gives requests no place in a trace and no span: for services that something else traces.
    pub fn without_traces(mut self) -> Self {
        self.traces = None;
        self
    }

    /// How errors look; [`Renderer::new`] unless told.
    pub fn renderer(mut self, renderer: Renderer) -> Self {
        self.renderer = renderer;
        self
    }

    /// How long a request may take in all; 30 seconds unless told.
    pub fn deadline(mut self, limit: Duration) -> Self {
        self.deadline = limit;
        self
    }

    /// Who may ask for less time than that, in `x-request-timeout-ms` or `grpc-timeout`; nobody unless
    /// told. See [`DeadlineLayer::budgets_from`].
    pub fn budgets_from(mut self, callers: ClientIp) -> Self {
        self.budgets = Some(callers);
        self
    }

    /// How long a request's body may be; 1 MiB unless told.
    pub fn body_limit(self, bytes: u64) -> Self {
        self.body_limits(BodyLimitLayer::new(bytes))
    }

    /// How long a request's body may be, and how long it may take to arrive.
    pub fn body_limits(mut self, limits: BodyLimitLayer) -> Self {
        self.body_limit = limits;
        self
    }

    /// Adds a rate limit that is decided before authentication: by address.
    pub fn limit(mut self, policy: Policy, key: KeyBy) -> Self {
        self.before.push((policy, key));
        self
    }

    /// The user's own authentication. It refuses, or inserts a
    /// [`Principal`](seawall_web::request::Principal) into the request's extensions.
    pub fn authenticate<L>(mut self, layer: L) -> Self
    where
        L: Layer<Route> + Clone + Send + Sync + 'static,
        L::Service: Service<Request, Error: Into<Infallible>, Response: IntoResponse, Future: Send>
            + Clone
            + Send
            + Sync
            + 'static,
    {
        self.authenticate = Some(Arc::new(move |routes: Router| routes.layer(layer.clone())));
        self
    }

    /// Adds a rate limit that is decided after authentication: by principal or resource.
    pub fn limit_after_authentication(mut self, policy: Policy, key: KeyBy) -> Self {
        self.after.push((policy, key));
        self
    }

    /// Carries requests with an `Idempotency-Key` out once, inside of authentication and limits.
    ///
    /// Authentication that stands on routes of its own is inside of this: give those routes the
    /// layer by `route_layer`, as their innermost, else keys are not kept apart by principal.
    pub fn idempotency<R: seawall_idempotency::Store>(
        mut self,
        layer: IdempotencyLayer<R>,
    ) -> Self {
        self.idempotency = Some(Arc::new(move |routes: Router| routes.layer(layer.clone())));
        self
    }

    /// Tells this observer of every request and of every decision of the limits; nobody unless told.
    ///
    /// The leaves whose values are built elsewhere (breakers, verifiers, idempotency) take theirs
    /// there.
    pub fn observer<O>(mut self, observer: O) -> Self
    where
        O: errors::Observer + ratelimit::Observer + Clone,
    {
        self.observer = Some((Arc::new(observer.clone()), Arc::new(observer)));
        self
    }

    /// Builds.
    ///
    /// # Errors
    ///
    /// When the rate limits are unusable together: one name twice.
    pub fn build(self) -> Result<Seawall<S>, ConfigError> {
        let limits = |limits: Vec<(Policy, KeyBy)>| {
            if limits.is_empty() {
                return Ok(None);
            }
            let mut builder = RateLimits::builder(self.store.clone())
                .namespace(self.namespace.clone())
                .dialects(self.dialects);
            if let Some((_, observer)) = &self.observer {
                builder = builder.observer(Arc::clone(observer));
            }
            let add = |builder: seawall_web::limits::RateLimitsBuilder<S>, (policy, key)| {
                builder.limit(policy, key)
            };
            limits.into_iter().fold(builder, add).build().map(Some)
        };
        let deadline = DeadlineLayer::new(self.deadline);
        let deadline = match self.budgets {
            Some(callers) => deadline.budgets_from(callers),
            None => deadline,
        };
        let mut errors = ErrorsLayer::with_renderer(self.renderer);
        if let Some((observer, _)) = &self.observer {
            errors = errors.observer(Arc::clone(observer));
        }
        let fused = FusedLayer::new(deadline, self.body_limit)
            .request_ids(self.ids.clone())
            .traces(self.traces.clone())
            .errors(errors.clone());
        let (before, after) = (limits(self.before)?, limits(self.after)?);
        let fused = fused.rate_limits(before.clone());
        Ok(Seawall {
            #[cfg(feature = "config")]
            reload: crate::configured::reload(self.config, &fused, [&before, &after]),
            fused,
            after,
            ids: self.ids,
            traces: self.traces,
            errors,
            authenticate: self.authenticate,
            idempotency: self.idempotency,
        })
    }
}

impl<S> fmt::Debug for SeawallBuilder<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SeawallBuilder").finish_non_exhaustive()
    }
}
