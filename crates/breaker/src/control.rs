//! What an operator can do: look, and overrule.

use crate::clock::millis;
use crate::machine::{Moment, Step, To};
use crate::open_time::LONGEST;
use crate::word::{Phase, Probes};
use crate::{Cause, CircuitBreaker, State};
use std::time::Duration;

impl CircuitBreaker {
    /// The state in which a call would find the breaker now.
    ///
    /// Reading changes nothing: a breaker whose open time is over reads [`State::HalfOpen`],
    /// although the transition is made by the next call.
    #[must_use]
    pub fn state(&self) -> State {
        State::from(self.effective())
    }

    /// How long a call that arrived now would be told to wait; `None` if that is not known or the
    /// breaker is not open.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self.effective() {
            Phase::Open { until } => Some(Duration::from_millis(
                until.saturating_sub(self.time.millis()),
            )),
            _ => None,
        }
    }

    pub(crate) fn effective(&self) -> Phase {
        let word = self.word();
        let moment = match word.phase() {
            // Only the date of a half-open phase matters, so only there the lock is needed.
            Phase::HalfOpen(_) => self.moment(),
            phase => Moment {
                phase,
                since: 0,
                opens: 0,
                generation: word.generation(),
            },
        };
        self.rules.laws.effective(moment, || self.time.millis())
    }

    /// Opens the breaker, as its trip rule would: for the open time, counting as an opening.
    pub fn trip_now(&self) {
        self.overrule(To::Open(None));
    }

    /// Opens the breaker for this long (a year at most), counting as an opening.
    pub fn open_for(&self, wait: Duration) {
        self.overrule(To::OpenFor(millis(wait.min(LONGEST))));
    }

    /// Rejects every call until something else is asked for. No `retry_after` is told.
    pub fn force_open(&self) {
        self.overrule(To::ForcedOpen);
    }

    /// Admits every call and counts none.
    pub fn disable(&self) {
        self.overrule(To::Disabled);
    }

    /// Admits every call and counts it, and only tells the observer when the trip rule is met.
    pub fn metrics_only(&self) {
        self.overrule(To::MetricsOnly);
    }

    /// Admits probes now, without waiting for the open time to pass.
    pub fn probe_now(&self) {
        self.overrule(To::HalfOpen(Probes::default()));
    }

    /// Closes the breaker and forgets everything: window, openings, whatever was forced.
    pub fn reset(&self) {
        self.overrule(To::Closed);
    }

    fn overrule(&self, to: To) {
        let at = self.time.millis();
        self.turn(|_, _| {
            Some(Step {
                to,
                at,
                cause: Cause::Manual,
            })
        });
    }
}
