//! The deadline which the code that runs now is under: a cell of the thread, set around each poll.
//!
//! A task-local, but without a task: the cell is set when the future is polled and restored when the
//! poll ends, so it follows the future from thread to thread and no other future sees it. tokio's own
//! `task_local!` does the same with a heavier cell.

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::Deadline;

thread_local! {
    static CURRENT: Cell<Option<Deadline>> = const { Cell::new(None) };
}

/// The deadline of the surrounding [`scope`] or [`total`](crate::total), if there is one.
///
/// Spawned tasks and blocking threads do not inherit it: hand them the deadline and let them
/// re-enter it with [`scope`] or [`enter`].
#[must_use]
#[inline]
pub fn current() -> Option<Deadline> {
    CURRENT.get()
}

/// Runs `future` under `deadline`: [`current`] tells it, and each [`within`](crate::within) inside is
/// cut by it.
///
/// It makes the deadline visible and does not enforce it; [`total`](crate::total) does both. Within
/// another scope the earlier deadline holds, so no inner scope can buy time.
///
/// # Examples
///
/// Work that outlives its caller takes the deadline along:
///
/// ```
/// use std::time::Duration;
/// use seawall_timeout::{Deadline, current, scope};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let deadline = Deadline::after(Duration::from_secs(30));
/// let task = tokio::spawn(scope(deadline, async { current() }));
/// assert_eq!(task.await?, Some(deadline));
/// assert_eq!(current(), None);
/// # Ok(()) }
/// ```
pub fn scope<F: Future>(deadline: Deadline, future: F) -> Scope<F> {
    Scope { deadline, future }
}

/// Runs the closure under `deadline`: [`scope`] for code which does not await, such as a blocking
/// task.
pub fn enter<R>(deadline: Deadline, run: impl FnOnce() -> R) -> R {
    let _entered = Entered::new(deadline);
    run()
}

pin_project! {
    /// The future of [`scope`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct Scope<F> {
        deadline: Deadline,
        #[pin]
        future: F,
    }
}

impl<F: Future> Future for Scope<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _entered = Entered::new(*this.deadline);
        this.future.poll(cx)
    }
}

/// Holds the cell at the earlier of `deadline` and what it was, and restores it even if the poll
/// panics.
pub(crate) struct Entered {
    outer: Option<Deadline>,
}

impl Entered {
    #[inline]
    pub(crate) fn new(deadline: Deadline) -> Self {
        let outer = CURRENT.get();
        let inner = outer.map_or(deadline, |outer| outer.min(deadline));
        CURRENT.set(Some(inner));
        Self { outer }
    }
}

impl Drop for Entered {
    #[inline]
    fn drop(&mut self) {
        CURRENT.set(self.outer);
    }
}
