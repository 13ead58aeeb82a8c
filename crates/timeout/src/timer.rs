//! The part that `within`, `total` and `cancelling` share: when to give up, and the timer which wakes
//! the task then. Nothing is read or armed before it is needed.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use tokio::task::coop;
use tokio::time::Sleep;

use crate::limit::End;
use crate::{Cause, Deadline, Elapsed, Limit, clock};

#[derive(Debug)]
pub(crate) struct Timer {
    /// From when the end is known, that end and nothing else.
    limit: Limit,
    cause: Cause,
    /// Boxed, so that a future which is ready at once, as most are, is not moved about with room for
    /// a timer that it never sets.
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Timer {
    #[inline]
    pub(crate) fn new(limit: Limit, own: Cause) -> Self {
        Self {
            limit,
            cause: own,
            sleep: None,
        }
    }

    /// Starts the step, or says that there is no time for it. Without any deadline to compare with it
    /// reads no clock: the span then starts with the first wait.
    #[inline]
    pub(crate) fn arrive(&mut self, surrounding: Option<Deadline>) -> Result<(), Elapsed> {
        if surrounding.is_none() && self.limit.is_open_ended() {
            return Ok(());
        }
        self.compare(surrounding)
    }

    /// Out of line, so that a step under no deadline is not slowed down by the code for it.
    #[inline(never)]
    fn compare(&mut self, surrounding: Option<Deadline>) -> Result<(), Elapsed> {
        self.start(surrounding).map(drop)
    }

    /// Starts the step at once and tells when it ends.
    #[inline]
    pub(crate) fn start(&mut self, surrounding: Option<Deadline>) -> Result<Deadline, Elapsed> {
        let now = clock::now();
        let end = self.limit.ends(now, surrounding, self.cause);
        if end.deadline.is_past_at(now) {
            return Err(end.elapsed(false));
        }
        self.settle(end);
        Ok(end.deadline)
    }

    #[inline]
    fn settle(&mut self, end: End) {
        self.limit = end.limit();
        self.cause = end.cause;
    }

    /// Ready when the time is up; otherwise the task is woken then.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime with its timer enabled.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Elapsed> {
        let end = match self.limit.end(self.cause) {
            Some(end) => end,
            None => {
                let end = self.limit.ends(clock::now(), None, self.cause);
                self.settle(end);
                end
            }
        };
        let sleep = self.sleep.get_or_insert_with(|| {
            let at = tokio::time::Instant::from_std(end.deadline.instant());
            Box::pin(tokio::time::sleep_until(at))
        });
        // A future which always has more to do uses up the task's budget before the timer is asked,
        // and the timer would then say "not yet" for ever.
        let asked = if coop::has_budget_remaining() {
            sleep.as_mut().poll(cx)
        } else {
            pin!(coop::unconstrained(sleep)).poll(cx)
        };
        asked.map(|()| end.elapsed(true))
    }
}
