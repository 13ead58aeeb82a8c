//! The part that `within`, `total` and `cancelling` share: when to give up, and the timer which wakes
//! the task then. Nothing is read or armed before it is needed.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use pin_project_lite::pin_project;
use tokio::task::coop;
use tokio::time::Sleep;

use crate::limit::End;
use crate::{Cause, Deadline, Elapsed, Limit, clock};

pin_project! {
    #[derive(Debug)]
    pub(crate) struct Timer {
        limit: Limit,
        own: Cause,
        end: Option<End>,
        #[pin]
        sleep: Option<Sleep>,
    }
}

impl Timer {
    #[inline]
    pub(crate) fn new(limit: Limit, own: Cause) -> Self {
        Self {
            limit,
            own,
            end: None,
            sleep: None,
        }
    }

    /// Starts the step, or says that there is no time for it. Without any deadline to compare with it
    /// reads no clock: the span then starts with the first wait.
    #[inline]
    pub(crate) fn arrive(
        self: Pin<&mut Self>,
        surrounding: Option<Deadline>,
    ) -> Result<(), Elapsed> {
        if surrounding.is_none() && self.limit.is_open_ended() {
            return Ok(());
        }
        self.start(surrounding).map(drop)
    }

    /// Starts the step at once and tells when it ends.
    pub(crate) fn start(
        self: Pin<&mut Self>,
        surrounding: Option<Deadline>,
    ) -> Result<Deadline, Elapsed> {
        let now = clock::now();
        let this = self.project();
        let end = this.limit.ends(now, surrounding, *this.own);
        if end.deadline.is_past_at(now) {
            return Err(end.elapsed(false));
        }
        *this.end = Some(end);
        Ok(end.deadline)
    }

    /// Ready when the time is up; otherwise the task is woken then.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime with its timer enabled.
    pub(crate) fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Elapsed> {
        let mut this = self.project();
        let end = match *this.end {
            Some(end) => end,
            None => *this
                .end
                .insert(this.limit.ends(clock::now(), None, *this.own)),
        };
        if this.sleep.is_none() {
            let at = tokio::time::Instant::from_std(end.deadline.instant());
            this.sleep.set(Some(tokio::time::sleep_until(at)));
        }
        let Some(sleep) = this.sleep.as_pin_mut() else {
            return Poll::Pending;
        };
        // A future which always has more to do uses up the task's budget before the timer is asked,
        // and the timer would then say "not yet" for ever.
        let asked = if coop::has_budget_remaining() {
            sleep.poll(cx)
        } else {
            pin!(coop::unconstrained(sleep)).poll(cx)
        };
        asked.map(|()| end.elapsed(true))
    }
}
