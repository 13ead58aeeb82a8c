//! `cancelling`: a limit for work which dropping cannot stop, told by a token.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use pin_project_lite::pin_project;
use tokio::time::{Sleep, sleep_until};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::scope::Entered;
use crate::timer::Timer;
use crate::{Cause, Deadline, Elapsed, Limit, current};

/// Runs work for no longer than `limit` and tells it by a token when the time is up, or when the
/// caller has gone.
///
/// Dropping a future stops it at its next `await`. A blocking closure and a spawned task have none
/// that would be dropped along: they have to look at the token.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use seawall_timeout::cancelling;
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() {
/// let (told, heard) = tokio::sync::oneshot::channel();
/// let elapsed = cancelling(Duration::from_secs(5), |token| async move {
///     tokio::spawn(async move {
///         token.cancelled().await; // a thread would ask `token.is_cancelled()` now and then
///         told.send("stopped")
///     })
///     .await
/// })
/// .await
/// .unwrap_err();
/// assert_eq!(elapsed.to_string(), "timed out after 5.0s");
/// assert_eq!(heard.await, Ok("stopped"));
/// # }
/// ```
///
/// # Errors
///
/// [`Elapsed`] when the time is up; with no time left on arrival, the work is not even made.
///
/// # Panics
///
/// When it has to wait outside a tokio runtime with its timer enabled.
///
/// # Cancel safety
///
/// Dropping this future cancels the token and drops the work. The token stays as it is when the work
/// ended by itself.
pub fn cancelling<W, F>(limit: impl Into<Limit>, work: W) -> Cancelling<W, F>
where
    W: FnOnce(CancellationToken) -> F,
    F: Future,
{
    Cancelling {
        work: Some(work),
        parent: None,
        grace: Duration::ZERO,
        future: None,
        token: None,
        deadline: None,
        elapsed: None,
        timer: Timer::new(limit.into(), Cause::Own),
        rest: None,
    }
}

pin_project! {
    /// The future of [`cancelling`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct Cancelling<W, F> {
        work: Option<W>,
        parent: Option<CancellationToken>,
        grace: Duration,
        #[pin]
        future: Option<F>,
        token: Option<DropGuard>,
        deadline: Option<Deadline>,
        elapsed: Option<Elapsed>,
        timer: Timer,
        #[pin]
        rest: Option<Sleep>,
    }
}

impl<W, F> Cancelling<W, F> {
    /// How long the work may go on after the token was cancelled, to tidy up. Default: not at all.
    ///
    /// The limit stays the limit: what the work gives during the grace is dropped, and the answer is
    /// [`Elapsed`]. A surrounding limit that comes first ends the grace too.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// Makes the token a child of `parent`, so that cancelling that one (a shutdown, say) tells the
    /// work as well. What to do then is up to the work. Default: a token of its own.
    pub fn child_of(mut self, parent: &CancellationToken) -> Self {
        self.parent = Some(parent.clone());
        self
    }
}

impl<W, F> Future for Cancelling<W, F>
where
    W: FnOnce(CancellationToken) -> F,
    F: Future,
{
    type Output = Result<F::Output, Elapsed>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let deadline = match *this.deadline {
            Some(deadline) => deadline,
            None => *this.deadline.insert(this.timer.start(current())?),
        };
        if let Some(work) = this.work.take() {
            let token = match this.parent {
                Some(parent) => parent.child_token(),
                None => CancellationToken::new(),
            };
            let _entered = Entered::new(deadline);
            this.future.set(Some(work(token.clone())));
            *this.token = Some(token.drop_guard());
        }
        let Some(future) = this.future.as_mut().as_pin_mut() else {
            return Poll::Pending;
        };
        let polled = {
            let _entered = Entered::new(deadline);
            future.poll(cx)
        };
        if let Some(elapsed) = *this.elapsed {
            if polled.is_ready() {
                return Poll::Ready(Err(elapsed));
            }
        } else {
            if let Poll::Ready(output) = polled {
                if let Some(token) = this.token.take() {
                    token.disarm();
                }
                return Poll::Ready(Ok(output));
            }
            let Poll::Ready(elapsed) = this.timer.poll(cx) else {
                return Poll::Pending;
            };
            // Cancels the token, which wakes what waits for it.
            *this.token = None;
            if this.grace.is_zero() {
                return Poll::Ready(Err(elapsed));
            }
            *this.elapsed = Some(elapsed);
            let end = Deadline::starting(deadline.instant(), *this.grace);
            *this.deadline = Some(end);
            this.rest
                .set(Some(sleep_until(tokio::time::Instant::from_std(
                    end.instant(),
                ))));
        }
        match (this.rest.as_pin_mut(), *this.elapsed) {
            (Some(rest), Some(elapsed)) => rest.poll(cx).map(|()| Err(elapsed)),
            _ => Poll::Pending,
        }
    }
}
