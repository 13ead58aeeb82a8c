//! Bounds how long a request may take.

use std::task::{Context, Poll};
use std::time::Duration;

use http::{Request, Response};
use seawall_timeout::total;
use tower_layer::Layer;
use tower_service::Service;

use crate::ReplyBody;
use crate::reply::Rendering;

mod future;

pub use future::DeadlineFuture;

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
#[derive(Clone, Copy, Debug)]
pub struct DeadlineLayer {
    limit: Duration,
}

impl DeadlineLayer {
    /// Gives every request this long.
    #[must_use]
    pub fn new(limit: Duration) -> Self {
        Self { limit }
    }
}

impl<S> Layer<S> for DeadlineLayer {
    type Service = DeadlineService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        DeadlineService {
            inner,
            limit: self.limit,
        }
    }
}

/// The service behind [`DeadlineLayer`].
#[derive(Clone, Debug)]
pub struct DeadlineService<S> {
    inner: S,
    limit: Duration,
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

    fn call(&mut self, request: Request<ReqB>) -> Self::Future {
        let rendering = Rendering::of(request.extensions());
        DeadlineFuture::new(total(self.limit, self.inner.call(request)), rendering)
    }
}
