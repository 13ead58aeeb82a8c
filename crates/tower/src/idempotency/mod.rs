//! Carries a request out once, however often it is sent.

use std::error::Error;
use std::mem;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, Request, Response};
use http_body::Body;
use seawall_errors::ApiError;
use seawall_idempotency::Store;
use seawall_web::answer;
use seawall_web::idempotency::{Asked, Rules};
use seawall_web::order::Layers;
use seawall_web::request::Scope;
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;
use tower_layer::Layer;
use tower_service::Service;

use crate::HttpHead;
use crate::outside::Outside;
use crate::reply::refuse;

mod body;
mod capture;
mod future;
mod job;
mod kept;
mod tasks;

pub use body::{AnswerBody, BufferedBody};
pub use future::IdempotencyFuture;
pub use seawall_web::idempotency::Rule;
pub use tasks::Tasks;

use job::Job;

/// Carries a request with an `Idempotency-Key` out once, and answers its duplicates with what came
/// of it.
///
/// - The first request runs, and its answer is kept. The same request again is answered with the
///   same bytes and `Idempotent-Replayed: true`. An error is kept unrendered, so each answer has
///   its own request id and the format that its caller accepts.
/// - While it runs, duplicates get 409 `idempotency_in_progress`, or wait, as the policy says. The
///   key with another body, path or query: 422 `idempotency_key_reused`. A key that is none: 400. A
///   crash half-way: the policy's choice, 409 `outcome_unknown` or another attempt. No store: 503.
/// - Safe methods pass, and so does a request without a key, unless the rule of its route
///   [requires](seawall_idempotency::Presence::Required) one (400).
///
/// The body is read under a cap, then the work runs in a task of its own: a client that hangs up
/// does not stop it, and finds the answer when it comes again. The task keeps the deadline, the
/// [`Origin`](crate::Origin), the tracing span and all extensions of the request; what a deadline
/// outside cuts off is the waiting only. [`Rule::inline`] keeps the work within the request
/// instead, for work that is one transaction.
///
/// The work finds its [`Claim`](seawall_idempotency::Claim) in the extensions of the request: for a
/// key to the next hop, and for the completion that goes into a transaction of its own.
///
/// # What is kept
///
/// As the [`Policy`](seawall_idempotency::Policy) says: 2xx, 3xx and most 4xx are, 401, 403, 408,
/// 425 and 429 are not, 5xx are its choice, and an error that says of itself that nothing
/// [was executed](ApiError::not_executed) is not. A body above the policy's `largest`, one that is
/// a stream of events, and one that is not all there [in time](Self::capture_within) is passed on
/// and not kept: its repetitions have status and headers, no body, and
/// `Idempotent-Replayed-Body: omitted`.
///
/// # Where to put it
///
/// Inside of authentication and rate limits, whose refusals then are never kept, and outside of
/// whatever the work is. Two of these layers around one route are one: the outer counts.
///
/// # Cancel safety
///
/// Dropping the future while the body is read leaves nothing behind. Later, the task goes on;
/// [`tasks`](Self::tasks) tells when all have ended. With [`Rule::inline`] dropping stops the work,
/// and its outcome is unknown.
///
/// # Cost
///
/// Nothing for a request without a key. With one: its body in memory, a spawned task, SHA-256 over
/// key and body, and what the store costs.
///
/// # Panics
///
/// The services panic outside of a tokio runtime when a request has a key. A panic of the work is
/// settled as a failure and goes on to the caller.
///
/// # Examples
///
/// ```
/// use std::convert::Infallible;
/// use bytes::Bytes;
/// use http::{Request, Response};
/// use http_body_util::Full;
/// use seawall_idempotency::{Idempotency, MemoryStore, Policy};
/// use seawall_tower::IdempotencyLayer;
/// use seawall_tower::idempotency::BufferedBody;
/// use seawall_web::request::Scope;
/// use tower::{Layer, ServiceExt, service_fn};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let front = Idempotency::new(MemoryStore::new(), Policy::at_most_once())?;
/// let pay = service_fn(|_: Request<BufferedBody<Full<Bytes>>>| async {
///     Ok::<_, Infallible>(Response::new(Full::<Bytes>::from("paid")))
/// });
/// let service = IdempotencyLayer::new(front, Scope::single_tenant()).layer(pay);
///
/// let request = || {
///     Request::post("/payments").header("idempotency-key", "k-1").body(Full::<Bytes>::from("17"))
/// };
/// let first = service.clone().oneshot(request()?).await?;
/// let again = service.oneshot(request()?).await?;
/// assert!(!first.headers().contains_key("idempotent-replayed"));
/// assert_eq!(again.headers()["idempotent-replayed"], "true");
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct IdempotencyLayer<S> {
    setup: Arc<Setup<S>>,
}

/// Everything that one layer knows.
#[derive(Debug)]
struct Setup<S> {
    rules: Rules<S>,
    capture_within: Duration,
    in_flight: Arc<Semaphore>,
    tasks: TaskTracker,
}

impl<S: Store> IdempotencyLayer<S> {
    /// Guards every route alike, until [`route`](Self::route) says otherwise. `scope` is for whom
    /// keys hold.
    #[must_use]
    pub fn new(rule: impl Into<Rule<S>>, scope: Scope) -> Self {
        Self {
            setup: Arc::new(Setup {
                rules: Rules::new(rule.into(), scope),
                capture_within: Duration::from_secs(5),
                in_flight: Arc::new(Semaphore::new(1024)),
                tasks: TaskTracker::new(),
            }),
        }
    }

    /// Guards the requests of this method and route template by another rule.
    #[must_use]
    pub fn route(mut self, method: &str, template: &str, rule: impl Into<Rule<S>>) -> Self {
        let setup = Arc::make_mut(&mut self.setup);
        setup.rules.route(method, template, rule.into());
        self
    }

    /// Reads bodies up to this many bytes, and answers longer ones with 413. Default: 1 MiB.
    #[must_use]
    pub fn max_body(mut self, bytes: usize) -> Self {
        Arc::make_mut(&mut self.setup).rules.set_max_body(bytes);
        self
    }

    /// Works on this many requests with keys at once, and answers more with 503: their tasks outlive
    /// their callers, so that limits outside do not bound them. Default: 1024.
    #[must_use]
    pub fn max_in_flight(mut self, most: usize) -> Self {
        let permits = most.min(Semaphore::MAX_PERMITS);
        Arc::make_mut(&mut self.setup).in_flight = Arc::new(Semaphore::new(permits));
        self
    }

    /// Waits this long for the end of a body that is to be kept. Default: 5 seconds.
    #[must_use]
    pub fn capture_within(mut self, time: Duration) -> Self {
        Arc::make_mut(&mut self.setup).capture_within = time;
        self
    }

    /// The tasks of this layer and of its clones, to wait for at the end of the process.
    #[must_use]
    pub fn tasks(&self) -> Tasks {
        Tasks(self.setup.tasks.clone())
    }
}

impl<S> Clone for IdempotencyLayer<S> {
    fn clone(&self) -> Self {
        Self {
            setup: Arc::clone(&self.setup),
        }
    }
}

impl<S> Clone for Setup<S> {
    fn clone(&self) -> Self {
        Self {
            rules: self.rules.clone(),
            capture_within: self.capture_within,
            in_flight: Arc::clone(&self.in_flight),
            tasks: self.tasks.clone(),
        }
    }
}

impl<S, I> Layer<I> for IdempotencyLayer<S> {
    type Service = IdempotencyService<S, I>;

    fn layer(&self, inner: I) -> Self::Service {
        IdempotencyService {
            inner,
            setup: Arc::clone(&self.setup),
        }
    }
}

/// The service behind [`IdempotencyLayer`].
#[derive(Debug)]
pub struct IdempotencyService<S, I> {
    inner: I,
    setup: Arc<Setup<S>>,
}

impl<S, I: Clone> Clone for IdempotencyService<S, I> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            setup: Arc::clone(&self.setup),
        }
    }
}

/// Left in a request's extensions by the outermost of these layers.
#[derive(Clone, Copy, Debug)]
struct Guarded;

impl<S, I, ReqB, ResB> Service<Request<ReqB>> for IdempotencyService<S, I>
where
    S: Store,
    I: Service<Request<BufferedBody<ReqB>>, Response = Response<ResB>> + Clone + Send + 'static,
    I::Future: Send,
    I::Error: Send,
    ReqB: Body<Data = Bytes> + Send + 'static,
    ReqB::Error: Into<Box<dyn Error + Send + Sync>>,
    ResB: Body<Data = Bytes> + Send + 'static,
    ResB::Error: Send,
{
    type Response = Response<AnswerBody<ResB>>;
    type Error = I::Error;
    type Future = IdempotencyFuture<S, I, ReqB, ResB>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<ReqB>) -> Self::Future {
        Outside::pass(request.extensions_mut(), Layers::IDEMPOTENCY);
        let asked = match self.asked(&request) {
            Ok(Some(asked)) => asked,
            Ok(None) => {
                let request = request.map(BufferedBody::passed);
                return IdempotencyFuture::passed(self.inner.call(request));
            }
            Err(error) => return IdempotencyFuture::refused(refuse(&request, error)),
        };
        let Ok(permit) = Arc::clone(&self.setup.in_flight).try_acquire_owned() else {
            let error = answer::idempotency::too_many();
            return IdempotencyFuture::refused(refuse(&request, error));
        };
        request.extensions_mut().insert(Guarded);
        // The service that is ready is the one to call; its clone takes its place.
        let clone = self.inner.clone();
        let ready = mem::replace(&mut self.inner, clone);
        let (parts, body) = request.into_parts();
        let job = Job::new(asked, Arc::clone(&self.setup), permit, ready, parts);
        IdempotencyFuture::reading(job, body)
    }
}

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

impl<S: Store, I> IdempotencyService<S, I> {
    /// What a request is about, if it is to be carried out once.
    fn asked<B: Body>(&self, request: &Request<B>) -> Result<Option<Asked<S>>, ApiError> {
        let rules = &self.setup.rules;
        let may_ask = rules.requires_keys() || request.headers().contains_key(IDEMPOTENCY_KEY);
        if !may_ask || request.extensions().get::<Guarded>().is_some() {
            return Ok(None);
        }
        rules.asked(&HttpHead::of(request), request.body().size_hint().lower())
    }
}
