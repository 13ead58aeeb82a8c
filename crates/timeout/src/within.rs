//! `within`: one step, and no longer than this.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::timer::Timer;
use crate::{Cause, Elapsed, Limit, current};

/// Runs `future` for no longer than `limit`, nor past the deadline of the surrounding scope.
///
/// Use it for one step (an attempt, a query, a call); use [`total`](crate::total) for the whole whose
/// steps shall see the deadline.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use seawall_timeout::within;
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() {
/// let hangs = std::future::pending::<()>();
/// let elapsed = within(Duration::from_secs(5), hangs).await.unwrap_err();
/// assert_eq!(elapsed.to_string(), "timed out after 5.0s");
/// # }
/// ```
///
/// # Errors
///
/// [`Elapsed`] when the time is up. With no time left on arrival the future is not polled at all.
///
/// # Panics
///
/// When it has to wait outside a tokio runtime with its timer enabled.
///
/// # Cancel safety
///
/// When the time is up `future` is dropped together with this one, and so when this one is dropped.
/// Dropping stops what the future does itself; it does not stop tasks that it spawned, blocking
/// closures, or what another machine was asked to do.
///
/// # Cost
///
/// A future which is ready at once, under no deadline: no clock read and no timer. A span therefore
/// begins with the first wait; time that the first poll spends computing is not counted, and could
/// not have been cut short anyway. Under a deadline: one clock read. A timer, which is one allocation,
/// is only made when the future has to wait.
#[inline]
pub fn within<F: Future>(limit: impl Into<Limit>, future: F) -> Within<F> {
    Within {
        future,
        arrived: false,
        timer: Timer::new(limit.into(), Cause::Own),
    }
}

pin_project! {
    /// The future of [`within`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct Within<F> {
        #[pin]
        future: F,
        arrived: bool,
        timer: Timer,
    }
}

impl<F: Future> Future for Within<F> {
    type Output = Result<F::Output, Elapsed>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if !*this.arrived {
            this.timer.arrive(current())?;
            *this.arrived = true;
        }
        if let Poll::Ready(output) = this.future.poll(cx) {
            return Poll::Ready(Ok(output));
        }
        this.timer.poll(cx).map(Err)
    }
}
