//! The part that `within`, `total` and `cancelling` share: when to give up, and the timer which wakes
//! the task then. Nothing is read or armed before it is needed.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use tokio::task::coop;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::limit::End;
use crate::{Cause, Deadline, Elapsed, Limit, clock};

/// When a step has to end.
///
/// tokio's timer is a large value. Inside of every bounded future it would be moved about with it and
/// add up where bounds are nested, for steps that mostly need none; so it has a box of its own, made by
/// the first wait.
#[derive(Debug)]
pub(crate) struct Timer {
    limit: Limit,
    own: Cause,
    /// Known from the first look at the clock.
    end: Option<End>,
    sleep: Option<Pin<Box<Sleep>>>,
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
    pub(crate) fn arrive(&mut self, surrounding: Option<Deadline>) -> Result<(), Elapsed> {
        if surrounding.is_none() && self.limit.is_open_ended() {
            return Ok(());
        }
        self.start(surrounding).map(drop)
    }

    /// Starts the step at once and tells when it ends.
    #[inline]
    pub(crate) fn start(&mut self, surrounding: Option<Deadline>) -> Result<Deadline, Elapsed> {
        let now = clock::now();
        let end = self.limit.ends(now, surrounding, self.own);
        if end.deadline.is_past_at(now) {
            return Err(end.elapsed(false));
        }
        self.end = Some(end);
        Ok(end.deadline)
    }

    /// Ready when the time is up; otherwise the task is woken then.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime with its timer enabled.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Elapsed> {
        let end = *self
            .end
            .get_or_insert_with(|| self.limit.ends(clock::now(), None, self.own));
        let sleep = self.sleep.get_or_insert_with(|| {
            Box::pin(sleep_until(Instant::from_std(end.deadline.instant())))
        });
        // A future which always has more to do uses up the task's budget before the timer is asked,
        // and the timer would then say "not yet" for ever.
        let asked = if coop::has_budget_remaining() {
            sleep.as_mut().poll(cx)
        } else {
            pin!(coop::unconstrained(sleep.as_mut())).poll(cx)
        };
        asked.map(|()| end.elapsed(true))
    }
}
