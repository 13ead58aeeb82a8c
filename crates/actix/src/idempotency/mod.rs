//! Carries a request out once, however often it is sent.

use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::body::MessageBody;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse};
use actix_web::http::header::HeaderName;
use actix_web::{Error, HttpMessage};
use seawall_idempotency::Store;
use seawall_web::answer;
use seawall_web::idempotency::Rules;
use seawall_web::order::Layers;
use seawall_web::request::Scope;
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

use crate::HttpHead;
use crate::outside::Outside;
use crate::reply::refusal;
use crate::stage::stage;

mod body;
mod capture;
mod future;
mod job;
mod kept;
mod tasks;

pub use body::AnswerBody;
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
/// [`Origin`](seawall_web::Origin), the tracing span and all extensions of the request; what a deadline
/// outside cuts off is the waiting only. [`Rule::inline`] keeps the work within the request
/// instead, for work that is one transaction.
///
/// The work finds its [`Claim`](seawall_idempotency::Claim) in the extensions of the request, and a
/// handler by [`Claimed`](crate::Claimed): for a key to the next hop, and for the completion that goes
/// into a transaction of its own.
///
/// # What is kept
///
/// As the [`Policy`](seawall_idempotency::Policy) says: 2xx, 3xx and most 4xx are, 401, 403, 408,
/// 425 and 429 are not, 5xx are its choice, and an error that says of itself that nothing
/// [was executed](seawall_errors::ApiError::not_executed) is not. A failure of a middleware further
/// inside is the answer that actix makes of it. A body above the policy's `largest`, one that is a
/// stream of events, and one that is not all there [in time](Self::capture_within) is passed on
/// and not kept: its repetitions have status and headers, no body, and
/// `Idempotent-Replayed-Body: omitted`.
///
/// # Where to put it
///
/// Inside of authentication and rate limits, whose refusals then are never kept, and outside of
/// whatever the work is. Two of these around one route are one: the outer counts. Make it once, outside
/// of the closure that makes the app, and clone it inside: what is made for each worker has a store, and
/// tasks, of each worker's own.
///
/// # A worker that stops
///
/// Services of actix do not leave their thread, so the task runs in the worker that has the request. A
/// worker that stops takes its tasks along, wherever they are: the lease of their keys ends, and the
/// policy decides about the next request. The server waits for connections before it stops a worker,
/// and not for work whose caller has left: wait for [`tasks`](Self::tasks) first. Work that blocks the
/// thread keeps everything else of the worker waiting, as in any handler of actix.
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
/// The services panic outside of an actix runtime when a request has a key. A panic of the work is
/// settled as a failure and goes on to the caller.
///
/// # Examples
///
/// ```
/// use actix_web::{App, test, web};
/// use seawall_actix::IdempotencyLayer;
/// use seawall_idempotency::{Idempotency, MemoryStore, Policy};
/// use seawall_web::request::Scope;
///
/// # #[actix_web::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let front = Idempotency::new(MemoryStore::new(), Policy::at_most_once())?;
/// let once = IdempotencyLayer::new(front, Scope::single_tenant());
///
/// let pay = web::post().to(|| async { "paid" });
/// let app = test::init_service(App::new().wrap(once.clone()).route("/payments", pay)).await;
/// let request = || {
///     let request = test::TestRequest::post().uri("/payments").set_payload("17");
///     request.insert_header(("idempotency-key", "k-1")).to_request()
/// };
/// let first = test::call_service(&app, request()).await;
/// let again = test::call_service(&app, request()).await;
/// assert!(!first.headers().contains_key("idempotent-replayed"));
/// assert_eq!(again.headers().get("idempotent-replayed").ok_or("none")?, "true");
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct IdempotencyLayer<R> {
    setup: Arc<Setup<R>>,
}

/// Everything that one layer knows.
#[derive(Debug)]
struct Setup<R> {
    rules: Rules<R>,
    capture_within: Duration,
    in_flight: Arc<Semaphore>,
    tasks: TaskTracker,
}

impl<R: Store> IdempotencyLayer<R> {
    /// Guards every route alike, until [`route`](Self::route) says otherwise. `scope` is for whom
    /// keys hold.
    #[must_use]
    pub fn new(rule: impl Into<Rule<R>>, scope: Scope) -> Self {
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
    pub fn route(mut self, method: &str, template: &str, rule: impl Into<Rule<R>>) -> Self {
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

    /// Works on this many requests with keys at once, in all workers, and answers more with 503: their
    /// tasks outlive their callers, so that limits outside do not bound them. Default: 1024.
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

    fn service<I>(&self, inner: I) -> IdempotencyService<R, I> {
        IdempotencyService {
            inner: Rc::new(inner),
            setup: Arc::clone(&self.setup),
        }
    }
}

impl<R> Clone for IdempotencyLayer<R> {
    fn clone(&self) -> Self {
        Self {
            setup: Arc::clone(&self.setup),
        }
    }
}

impl<R> Clone for Setup<R> {
    fn clone(&self) -> Self {
        Self {
            rules: self.rules.clone(),
            capture_within: self.capture_within,
            in_flight: Arc::clone(&self.in_flight),
            tasks: self.tasks.clone(),
        }
    }
}

stage!(@[R: Store] IdempotencyLayer<R> => IdempotencyService<R, S>, |S, B| AnswerBody<B>);

/// The service behind [`IdempotencyLayer`].
#[derive(Debug)]
pub struct IdempotencyService<R, I> {
    inner: Rc<I>,
    setup: Arc<Setup<R>>,
}

/// Left in a request's extensions by the outermost of these layers.
#[derive(Clone, Copy, Debug)]
struct Guarded;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

impl<R, I, B> Service<ServiceRequest> for IdempotencyService<R, I>
where
    R: Store,
    I: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<AnswerBody<B>>;
    type Error = Error;
    type Future = IdempotencyFuture<R, I, B>;

    fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&self, mut request: ServiceRequest) -> Self::Future {
        Outside::pass(&request, Layers::IDEMPOTENCY);
        let rules = &self.setup.rules;
        let may_ask = rules.requires_keys() || request.headers().contains_key(IDEMPOTENCY_KEY);
        if !may_ask || request.extensions().contains::<Guarded>() {
            return IdempotencyFuture::passed(self.inner.call(request));
        }
        // How long a body is that announces nothing is not known before it is read.
        let asked = rules.asked(&HttpHead::of(&request), 0);
        let permit = Arc::clone(&self.setup.in_flight).try_acquire_owned();
        let (asked, permit) = match (asked, permit) {
            (Ok(Some(asked)), Ok(permit)) => (asked, permit),
            (Ok(None), _) => return IdempotencyFuture::passed(self.inner.call(request)),
            (Err(error), _) => return refuse(request, error),
            (Ok(Some(_)), Err(_)) => return refuse(request, answer::idempotency::too_many()),
        };
        request.extensions_mut().insert(Guarded);
        let payload = request.take_payload();
        let (inner, setup) = (Rc::clone(&self.inner), Arc::clone(&self.setup));
        IdempotencyFuture::reading(Job::new(asked, setup, permit, inner, request), payload)
    }
}

fn refuse<R, I, B>(
    request: ServiceRequest,
    error: seawall_errors::ApiError,
) -> IdempotencyFuture<R, I, B>
where
    I: Service<ServiceRequest>,
{
    let response = refusal(request.request(), error);
    let response = response.map_body(|_, body| AnswerBody::own(body));
    IdempotencyFuture::refused(request.into_response(response))
}
