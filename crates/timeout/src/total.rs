//! `total`: the whole, whose steps see the deadline.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::scope::Entered;
use crate::timer::Timer;
use crate::{Cause, Deadline, Elapsed, Limit, current};

/// Runs `future` for no longer than `limit` and lets everything inside see that deadline:
/// [`within`](crate::within) and [`scope`](crate::scope) in one, with one clock read.
///
/// Use it once, around a request or a job; its steps use [`within`](crate::within).
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use seawall_timeout::{Cause, total, within};
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let last = total(Duration::from_secs(5), async {
///     loop {
///         let attempt = within(Duration::from_secs(2), std::future::pending::<()>());
///         match attempt.await {
///             Err(elapsed) if elapsed.cause() == Cause::Own => continue, // twice 2 s
///             other => break other, // and then 1 s
///         }
///     }
/// })
/// .await?;
/// assert_eq!(last.unwrap_err().to_string(), "timed out after 5.0s");
/// # Ok(()) }
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
/// As for [`within`](crate::within).
///
/// # Cost
///
/// One clock read at the first poll, two writes to a thread-local cell a poll; a timer, which is one
/// allocation, only when the future has to wait.
#[inline]
pub fn total<F: Future>(limit: impl Into<Limit>, future: F) -> Total<F> {
    Total {
        future,
        deadline: None,
        timer: Timer::new(limit.into(), Cause::Total),
    }
}

pin_project! {
    /// The future of [`total`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct Total<F> {
        #[pin]
        future: F,
        deadline: Option<Deadline>,
        timer: Timer,
    }
}

impl<F: Future> Future for Total<F> {
    type Output = Result<F::Output, Elapsed>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let deadline = match *this.deadline {
            Some(deadline) => deadline,
            None => *this.deadline.insert(this.timer.start(current())?),
        };
        let polled = {
            let _entered = Entered::new(deadline);
            this.future.poll(cx)
        };
        match polled {
            Poll::Ready(output) => Poll::Ready(Ok(output)),
            Poll::Pending => this.timer.poll(cx).map(Err),
        }
    }
}
