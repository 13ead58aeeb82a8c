//! Bounds how long a request may take.

use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::Error;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse};
use seawall_timeout::total;
use seawall_web::order::Layers;
use seawall_web::request::{ClientIp, budget};

use crate::HttpHead;
use crate::live::{Live, Source};
use crate::outside::Outside;
use crate::stage::stage;

mod future;

pub use future::DeadlineFuture;

/// Answers 504 `deadline_exceeded` when the services below take longer than its limit.
///
/// The limit becomes the task's current deadline ([`seawall_timeout::current`]), so that calls made
/// by the handler can be bounded by what remains. A deadline that an outer middleware set and that
/// ends sooner stays in force; one that has passed already never polls the services below.
///
/// The request goes with what served it, so the answer travels as an `Err` from here on, which actix
/// turns into a response outside of every middleware. Those of this crate finish it there.
///
/// # Cancel safety
///
/// At the deadline the inner future is dropped: its own awaits are cancelled, and tasks that it
/// spawned go on. Use [`scope`](seawall_timeout::scope) to make such tasks keep the deadline.
///
/// # Cost
///
/// One clock read a request. A timer is created only for requests that have to wait.
#[derive(Clone, Debug)]
pub struct DeadlineLayer {
    limit: Source<Duration>,
    /// Whose word counts for less than that.
    callers: Option<ClientIp>,
}

impl DeadlineLayer {
    /// Gives every request this long.
    #[must_use]
    pub fn new(limit: Duration) -> Self {
        Self {
            limit: Source::Fixed(limit),
            callers: None,
        }
    }

    /// Gives every request what is in force when it comes.
    pub(crate) fn live(live: Live) -> Self {
        Self {
            limit: Source::Live(live),
            callers: None,
        }
    }

    /// Lets callers in the trusted networks of `callers` ask for less: in `x-request-timeout-ms`, or in
    /// `grpc-timeout` with its grammar. Nobody may unless told.
    ///
    /// Nobody gets more than the limit, and what others send is not read: a stranger who may choose
    /// deadlines may choose which of our calls are cut half-way. A request with nothing left is answered
    /// with 504 and does not run.
    #[must_use]
    pub fn budgets_from(mut self, callers: ClientIp) -> Self {
        self.callers = callers.trusts_proxies().then_some(callers);
        self
    }

    fn service<S>(&self, inner: S) -> DeadlineService<S> {
        DeadlineService {
            inner,
            layer: self.clone(),
        }
    }
}

stage!(DeadlineLayer => DeadlineService<S>, |S, B| B);

/// The service behind [`DeadlineLayer`].
#[derive(Clone, Debug)]
pub struct DeadlineService<S> {
    inner: S,
    layer: DeadlineLayer,
}

impl<S, B> Service<ServiceRequest> for DeadlineService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
{
    type Response = S::Response;
    type Error = Error;
    type Future = DeadlineFuture<S::Future>;

    fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&self, request: ServiceRequest) -> Self::Future {
        Outside::pass(&request, Layers::DEADLINE);
        let limit = self.layer.limit.now();
        let limit = match &self.layer.callers {
            Some(callers) => budget(&HttpHead::of(&request), callers, limit),
            None => limit,
        };
        DeadlineFuture::new(total(limit, self.inner.call(request)))
    }
}
