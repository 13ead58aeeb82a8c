//! Bounds how long a request may take.

use std::task::{Context, Poll};
use std::time::Duration;

use http::{Request, Response};
use seawall_timeout::total;
use seawall_web::order::Layers;
use seawall_web::request::{ClientIp, budget};
use tower_layer::Layer;
use tower_service::Service;

use crate::outside::Outside;
use crate::reply::Rendering;
use crate::{HttpHead, ReplyBody};

mod future;
mod pass_on;

pub use future::DeadlineFuture;
pub use pass_on::{PassDeadlineLayer, PassDeadlineService};

/// Answers 504 `deadline_exceeded` when the inner service takes longer than its limit.
///
/// The limit becomes the task's current deadline ([`seawall_timeout::current`]), so that calls made
/// by the handler can be bounded by what remains. A deadline that an outer layer set and that ends
/// sooner stays in force; one that has passed already never polls the inner service.
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
    pub(crate) limit: Duration,
    /// Whose word counts for less than that.
    pub(crate) callers: Option<ClientIp>,
}

impl DeadlineLayer {
    /// Gives every request this long.
    #[must_use]
    pub fn new(limit: Duration) -> Self {
        Self {
            limit,
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
}

impl<S> Layer<S> for DeadlineLayer {
    type Service = DeadlineService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        DeadlineService {
            inner,
            layer: self.clone(),
        }
    }
}

/// The service behind [`DeadlineLayer`].
#[derive(Clone, Debug)]
pub struct DeadlineService<S> {
    inner: S,
    layer: DeadlineLayer,
}

impl<S, ReqB, ResB> Service<Request<ReqB>> for DeadlineService<S>
where
    S: Service<Request<ReqB>, Response = Response<ResB>>,
{
    type Response = Response<ReplyBody<ResB>>;
    type Error = S::Error;
    type Future = DeadlineFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<ReqB>) -> Self::Future {
        Outside::pass(request.extensions_mut(), Layers::DEADLINE);
        let rendering = Rendering::of(request.extensions());
        let limit = allowed(&request, self.layer.callers.as_ref(), self.layer.limit);
        DeadlineFuture::new(total(limit, self.inner.call(request)), rendering)
    }
}

/// How long a request may take, whose caller may ask for less.
pub(crate) fn allowed<B>(
    request: &Request<B>,
    callers: Option<&ClientIp>,
    limit: Duration,
) -> Duration {
    match callers {
        Some(callers) => budget(&HttpHead::of(request), callers, limit),
        None => limit,
    }
}
