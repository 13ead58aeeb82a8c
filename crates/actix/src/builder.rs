//! One builder that puts the layers in the right order.

use std::fmt;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::time::Duration;

use actix_web::body::MessageBody;
use actix_web::dev::{Service, ServiceFactory, ServiceRequest, ServiceResponse, Transform};
use actix_web::{Error, Scope};
use seawall_errors::{self as errors, Renderer};
use seawall_ratelimit::headers::Dialects;
use seawall_ratelimit::{self as ratelimit, ConfigError, MemoryStore, Policy, Store};
use seawall_web::limits::RateLimits;
use seawall_web::request::{ClientIp, KeyBy};

use crate::authenticate::Check;
use crate::live::{Live, LiveBodyLimit};
use crate::{
    AuthenticateLayer, BodyLimitLayer, DeadlineLayer, ErrorsLayer, IdempotencyLayer,
    RateLimitLayer, RequestIdLayer, Stage, TraceLayer,
};

/// The layers of a hardened service, in the right order.
///
/// Outermost first: request id, trace, errors, deadline, rate limits by address, body limit, the user's
/// authentication, rate limits by principal or resource, idempotency, handlers. All of them are one
/// middleware of actix: [`protect`](Self::protect) puts it around a scope, and `App::wrap` takes a clone
/// of it.
///
/// Actix makes an app for each worker. Make this once, outside of the closure that makes the app.
///
/// # Examples
///
/// ```
/// use actix_web::{App, test, web};
/// use seawall_actix::Seawall;
/// use seawall_ratelimit::{MemoryStore, Policy, quota};
/// use seawall_web::request::{ClientIp, KeyBy};
/// use std::time::Duration;
///
/// # #[actix_web::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let seawall = Seawall::builder(MemoryStore::new(100_000))
///     .deadline(Duration::from_secs(10))
///     .body_limit(1024 * 1024)
///     .limit(Policy::new("address", quota!("1000/minute"))?, KeyBy::address(ClientIp::peer()))
///     .build()?;
///
/// let routes = web::scope("").route("/api/things", web::get().to(|| async { "things" }));
/// let app = test::init_service(App::new().service(seawall.protect(routes))).await;
///
/// let request = test::TestRequest::get().uri("/api/things").to_request();
/// assert!(test::call_service(&app, request).await.headers().contains_key("ratelimit"));
/// # Ok(()) }
/// ```
pub struct Seawall<S = MemoryStore, A = (), I = ()> {
    stages: Stages<S, A, I>,
    #[cfg(feature = "config")]
    pub(crate) reload: seawall_web::config::Reload<S>,
}

/// The stages of [`observe`](Seawall::observe).
type Observing = (RequestIdLayer, (Option<TraceLayer>, ErrorsLayer));

/// All of them, outermost first.
type Stages<S, A, I> = (Observing, (DeadlineLayer, Refusing<S, A, I>));

type Refusing<S, A, I> = (
    Option<RateLimitLayer<S>>,
    (LiveBodyLimit, (A, (Option<RateLimitLayer<S>>, I))),
);

impl<S: Store + Clone> Seawall<S> {
    /// Starts from the store that keeps the counts of rate limits.
    pub fn builder(store: S) -> SeawallBuilder<S> {
        SeawallBuilder {
            settings: Settings {
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
                after: Vec::new(),
                observer: None,
                #[cfg(feature = "config")]
                config: seawall_web::config::SeawallConfig::default(),
            },
            authenticate: (),
            idempotency: (),
        }
    }
}

impl<S: Store, A: Stage, I: Stage> Seawall<S, A, I> {
    /// Puts all layers around these routes, and around what the scope answers by itself (404).
    ///
    /// Actix asks the services of an app in the order of their registration, and a scope keeps what it
    /// matches. Register what belongs outside (probes, with [`observe`](Self::observe)) before a
    /// `web::scope("")`.
    pub fn protect<T, B>(
        &self,
        routes: Scope<T>,
    ) -> Scope<
        impl ServiceFactory<
            ServiceRequest,
            Config = (),
            Response = ServiceResponse<impl MessageBody + use<S, A, I, T, B>>,
            Error = Error,
            InitError = (),
        > + use<S, A, I, T, B>,
    >
    where
        T: ServiceFactory<
                ServiceRequest,
                Config = (),
                Response = ServiceResponse<B>,
                Error = Error,
                InitError = (),
            > + 'static,
        B: MessageBody + 'static,
    {
        routes.wrap(self.clone())
    }

    /// Gives these routes ids, traces and safe errors, and nothing that could refuse them: for probes.
    pub fn observe<T, B>(
        &self,
        routes: Scope<T>,
    ) -> Scope<
        impl ServiceFactory<
            ServiceRequest,
            Config = (),
            Response = ServiceResponse<impl MessageBody + use<S, A, I, T, B>>,
            Error = Error,
            InitError = (),
        > + use<S, A, I, T, B>,
    >
    where
        T: ServiceFactory<
                ServiceRequest,
                Config = (),
                Response = ServiceResponse<B>,
                Error = Error,
                InitError = (),
            > + 'static,
        B: MessageBody + 'static,
    {
        routes.wrap(Staged(self.stages.0.clone()))
    }
}

impl<S, A: Clone, I: Clone> Clone for Seawall<S, A, I> {
    fn clone(&self) -> Self {
        Self {
            stages: self.stages.clone(),
            #[cfg(feature = "config")]
            reload: self.reload.clone(),
        }
    }
}

impl<S, A, I> fmt::Debug for Seawall<S, A, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (_, (deadline, (before, (body_limit, (_, (after, _)))))) = &self.stages;
        f.debug_struct("Seawall")
            .field("deadline", deadline)
            .field("body_limit", &body_limit.now())
            .field("limits_before", &before.is_some())
            .field("limits_after", &after.is_some())
            .finish_non_exhaustive()
    }
}

/// Stages as one middleware of actix.
struct Staged<L>(L);

impl<L, T, B> Transform<T, ServiceRequest> for Staged<L>
where
    L: Stage,
    T: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<L::Body<B>>;
    type Error = Error;
    type Transform = L::Service<T, B>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, service: T) -> Self::Future {
        ready(Ok(self.0.around(service)))
    }
}

impl<S, A, I, T, B> Transform<T, ServiceRequest> for Seawall<S, A, I>
where
    S: Store,
    A: Stage,
    I: Stage,
    T: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<<Stages<S, A, I> as Stage>::Body<B>>;
    type Error = Error;
    type Transform = <Stages<S, A, I> as Stage>::Service<T, B>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, service: T) -> Self::Future {
        ready(Ok(self.stages.around(service)))
    }
}

/// How long a request may take unless told: below the 60 seconds after which common proxies and
/// clients give up, so that the answer is ours.
const DEADLINE: Duration = Duration::from_secs(30);

/// How long a request's body may be unless told: ample for JSON, harmless for memory.
const BODY_LIMIT: u64 = 1024 * 1024;

/// Builds a [`Seawall`].
#[must_use]
pub struct SeawallBuilder<S, A = (), I = ()> {
    pub(crate) settings: Settings<S>,
    authenticate: A,
    idempotency: I,
}

/// What does not depend on the types of the user's stages.
pub(crate) struct Settings<S> {
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
    pub(crate) after: Vec<(Policy, KeyBy)>,
    observer: Option<Observers>,
    #[cfg(feature = "config")]
    pub(crate) config: seawall_web::config::SeawallConfig,
}

/// One that both are told through.
type Observers = (Arc<dyn errors::Observer>, Arc<dyn ratelimit::Observer>);

impl<S: Store + Clone, A: Stage, I: Stage> SeawallBuilder<S, A, I> {
    /// Keeps the counts apart from other services on the same store; empty unless told.
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.settings.namespace = namespace.into();
        self
    }

    /// In which dialects the rate limit headers are written; `X-RateLimit-*` and the IETF fields
    /// unless told.
    pub fn dialects(mut self, dialects: Dialects) -> Self {
        self.settings.dialects = dialects;
        self
    }

    /// Whose request ids are believed; nobody's unless told.
    pub fn request_ids(mut self, ids: RequestIdLayer) -> Self {
        self.settings.ids = ids;
        self
    }

    /// Whose traces are continued; everybody's unless told.
    pub fn traces(mut self, traces: TraceLayer) -> Self {
        self.settings.traces = Some(traces);
        self
    }

    /// Gives requests no place in a trace and no span: for services that something else traces.
    pub fn without_traces(mut self) -> Self {
        self.settings.traces = None;
        self
    }

    /// How errors look; [`Renderer::new`] unless told.
    pub fn renderer(mut self, renderer: Renderer) -> Self {
        self.settings.renderer = renderer;
        self
    }

    /// How long a request may take in all; 30 seconds unless told.
    pub fn deadline(mut self, limit: Duration) -> Self {
        self.settings.deadline = limit;
        self
    }

    /// Who may ask for less time than that, in `x-request-timeout-ms` or `grpc-timeout`; nobody unless
    /// told. See [`DeadlineLayer::budgets_from`].
    pub fn budgets_from(mut self, callers: ClientIp) -> Self {
        self.settings.budgets = Some(callers);
        self
    }

    /// How long a request's body may be; 1 MiB unless told.
    pub fn body_limit(self, bytes: u64) -> Self {
        self.body_limits(BodyLimitLayer::new(bytes))
    }

    /// How long a request's body may be, and how long it may take to arrive.
    pub fn body_limits(mut self, limits: BodyLimitLayer) -> Self {
        self.settings.body_limit = limits;
        self
    }

    /// Adds a rate limit that is decided before authentication: by address.
    pub fn limit(mut self, policy: Policy, key: KeyBy) -> Self {
        self.settings.before.push((policy, key));
        self
    }

    /// The user's own authentication. It refuses, or inserts a
    /// [`Principal`](seawall_web::request::Principal) into the request's extensions, and gives the
    /// request back. See [`AuthenticateLayer`].
    pub fn authenticate<C: Check>(self, check: C) -> SeawallBuilder<S, AuthenticateLayer<C>, I> {
        SeawallBuilder {
            settings: self.settings,
            authenticate: AuthenticateLayer::new(check),
            idempotency: self.idempotency,
        }
    }

    /// Adds a rate limit that is decided after authentication: by principal or resource.
    pub fn limit_after_authentication(mut self, policy: Policy, key: KeyBy) -> Self {
        self.settings.after.push((policy, key));
        self
    }

    /// Carries requests with an `Idempotency-Key` out once, inside of authentication and limits.
    ///
    /// Authentication that stands on routes of its own is inside of this: give those routes the
    /// layer by `wrap`, as their innermost, else keys are not kept apart by principal.
    pub fn idempotency<R: seawall_idempotency::Store>(
        self,
        layer: IdempotencyLayer<R>,
    ) -> SeawallBuilder<S, A, IdempotencyLayer<R>> {
        SeawallBuilder {
            settings: self.settings,
            authenticate: self.authenticate,
            idempotency: layer,
        }
    }

    /// Tells this observer of every request and of every decision of the limits; nobody unless told.
    ///
    /// The leaves whose values are built elsewhere (breakers, verifiers, idempotency) take theirs
    /// there.
    pub fn observer<O>(mut self, observer: O) -> Self
    where
        O: errors::Observer + ratelimit::Observer + Clone,
    {
        self.settings.observer = Some((Arc::new(observer.clone()), Arc::new(observer)));
        self
    }

    /// Builds.
    ///
    /// # Errors
    ///
    /// When the rate limits are unusable together: one name twice.
    pub fn build(self) -> Result<Seawall<S, A, I>, ConfigError> {
        let settings = self.settings;
        let limits = |limits: Vec<(Policy, KeyBy)>| {
            if limits.is_empty() {
                return Ok(None);
            }
            let mut builder = RateLimits::builder(settings.store.clone())
                .namespace(settings.namespace.clone())
                .dialects(settings.dialects);
            if let Some((_, observer)) = &settings.observer {
                builder = builder.observer(Arc::clone(observer));
            }
            let add = |builder: seawall_web::limits::RateLimitsBuilder<S>, (policy, key)| {
                builder.limit(policy, key)
            };
            limits.into_iter().fold(builder, add).build().map(Some)
        };
        let (before, after) = (limits(settings.before)?, limits(settings.after)?);
        let mut errors = ErrorsLayer::with_renderer(settings.renderer);
        if let Some((observer, _)) = &settings.observer {
            errors = errors.observer(Arc::clone(observer));
        }
        let live = Live::new(settings.deadline, settings.body_limit);
        let deadline = DeadlineLayer::live(live.clone());
        let deadline = match settings.budgets {
            Some(callers) => deadline.budgets_from(callers),
            None => deadline,
        };
        #[cfg(feature = "config")]
        let reload = crate::configured::reload(settings.config, &live, [&before, &after]);
        let after = after.map(RateLimitLayer::new);
        let inner = (self.authenticate, (after, self.idempotency));
        let before = before.map(RateLimitLayer::new);
        let refusing = (before, (LiveBodyLimit::new(live), inner));
        let observing = (settings.ids, (settings.traces, errors));
        Ok(Seawall {
            stages: (observing, (deadline, refusing)),
            #[cfg(feature = "config")]
            reload,
        })
    }
}

impl<S, A, I> fmt::Debug for SeawallBuilder<S, A, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SeawallBuilder").finish_non_exhaustive()
    }
}
