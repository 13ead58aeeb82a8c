//! Waits for a call that the breaker admitted, and reports how it ended.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project::pin_project;
use seawall_breaker::{Classify, Error, Rejected, Watch};

/// The future of [`CircuitBreakerService`](super::CircuitBreakerService).
#[pin_project]
#[must_use = "futures do nothing unless polled"]
pub struct CircuitBreakerFuture<F, C> {
    #[pin]
    state: State<F, C>,
}

#[pin_project(project = StateProjection)]
enum State<F, C> {
    Admitted(#[pin] Watch<F, C>),
    Rejected(Rejected),
}

impl<F, C> CircuitBreakerFuture<F, C> {
    pub(super) fn admitted(call: Watch<F, C>) -> Self {
        Self {
            state: State::Admitted(call),
        }
    }

    pub(super) fn rejected(rejected: Rejected) -> Self {
        Self {
            state: State::Rejected(rejected),
        }
    }
}

impl<F, C, T, E> Future for CircuitBreakerFuture<F, C>
where
    F: Future<Output = Result<T, E>>,
    C: Classify<T, E>,
{
    type Output = Result<T, Error<E>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            StateProjection::Admitted(call) => call.poll(cx).map_err(Error::Inner),
            StateProjection::Rejected(rejected) => Poll::Ready(Err(Error::Rejected(*rejected))),
        }
    }
}

impl<F, C> fmt::Debug for CircuitBreakerFuture<F, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &self.state {
            State::Admitted(_) => "Admitted",
            State::Rejected(_) => "Rejected",
        };
        f.debug_struct("CircuitBreakerFuture")
            .field("state", &state)
            .finish_non_exhaustive()
    }
}
