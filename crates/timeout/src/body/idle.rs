//! The thin edge: one timer for a body, set when the body first makes us wait.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep, sleep_until};

use super::gaps::{Gaps, Limits, elapsed};
use crate::{Elapsed, clock};

pin_project! {
    /// The limits of one body.
    ///
    /// # Cost
    ///
    /// Nothing for a part that is there when it is asked for; one clock read for a part that is
    /// waited for. The timer is moved when it fires early, not for each part.
    #[derive(Debug)]
    pub struct IdleLimit {
        gaps: Gaps,
        elapsed: Option<Elapsed>,
        #[pin]
        sleep: Option<Sleep>,
    }
}

impl IdleLimit {
    /// The limits of a body which has not been polled yet.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            gaps: Gaps::new(limits),
            elapsed: None,
            sleep: None,
        }
    }

    /// Takes what the body said when it was polled with `cx`: a part passes, and a wait becomes an
    /// error when it has lasted too long. After an error every call gives that error again.
    ///
    /// # Panics
    ///
    /// When it has to wait outside a tokio runtime with its timer enabled.
    pub fn poll<T>(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        part: Poll<T>,
    ) -> Poll<Result<T, Elapsed>> {
        let mut this = self.project();
        if let Some(elapsed) = *this.elapsed {
            return Poll::Ready(Err(elapsed));
        }
        if let Poll::Ready(part) = part {
            this.gaps.advance();
            return Poll::Ready(Ok(part));
        }
        loop {
            let now = clock::now();
            let Some(end) = this.gaps.wait(now) else {
                return Poll::Pending;
            };
            // The clock decides and not the timer: this one may have been set for an earlier gap.
            if end.0.is_past_at(now) {
                return Poll::Ready(Err(*this.elapsed.insert(elapsed(end))));
            }
            match this.sleep.as_mut().as_pin_mut() {
                None => this
                    .sleep
                    .set(Some(sleep_until(Instant::from_std(end.0.instant())))),
                Some(mut sleep) => {
                    if sleep.as_mut().poll(cx).is_pending() {
                        return Poll::Pending;
                    }
                    sleep.reset(Instant::from_std(end.0.instant()));
                }
            }
        }
    }
}
