//! Circuit breakers: their state, what changed it, and what became of calls.

use ::metrics::{Gauge, Histogram};
use seawall_breaker::{CircuitBreaker, Completion, Counts, Observer, Rejected, State, Transition};

use super::count::Count;
use super::family::{Family, Target};
use super::{Metric, Metrics};

pub(super) static ALL: &[Metric] = &[
    Metric::gauge(
        "seawall_breaker_state",
        &["breaker", "state"],
        "1 for the state that the breaker is in, 0 for those that it was in before",
    ),
    Metric::counter(
        "seawall_breaker_transitions_total",
        &["breaker", "to", "cause"],
        "Changes of state, by the state after and by what caused them",
    ),
    Metric::counter(
        "seawall_breaker_calls_total",
        &["breaker", "outcome"],
        "Calls, by how they ended: success, failure, ignored, dropped, panicked, or rejected",
    ),
    Metric::counter(
        "seawall_breaker_slow_calls_total",
        &["breaker"],
        "Calls that took longer than the breaker's limit for slow ones",
    ),
    Metric::seconds(
        "seawall_breaker_call_seconds",
        &["breaker", "outcome"],
        "How long admitted calls took, of breakers that measure it",
    ),
    Metric::counter(
        "seawall_breaker_thresholds_total",
        &["breaker"],
        "Times that the trip rule was met by a breaker that only watches",
    ),
];

pub(super) struct Families {
    state: Family<Gauge, 2>,
    transitions: Family<Count, 3>,
    calls: Family<Count, 2>,
    slow: Family<Count, 1>,
    seconds: Family<Histogram, 2>,
    thresholds: Family<Count, 1>,
}

impl Families {
    pub(super) fn new(target: &Target) -> Self {
        Self {
            state: Family::new(&ALL[0], target),
            transitions: Family::new(&ALL[1], target),
            calls: Family::new(&ALL[2], target),
            slow: Family::new(&ALL[3], target),
            seconds: Family::new(&ALL[4], target),
            thresholds: Family::new(&ALL[5], target),
        }
    }

    fn show(&self, breaker: &str, state: State) {
        self.state.of([breaker, state.as_str()]).set(1.0);
    }
}

impl Metrics {
    /// Shows the state that a breaker is in now. Call it once a breaker is built: later changes are
    /// shown by themselves, and before the first there is nothing to show.
    pub fn show_breaker(&self, breaker: &CircuitBreaker) {
        let families = &self.inner.breaker;
        families.show(breaker.name(), breaker.state());
    }
}

impl Observer for Metrics {
    fn transition(&self, breaker: &str, transition: &Transition) {
        let families = &self.inner.breaker;
        let (to, cause) = (transition.to.as_str(), transition.cause.as_str());
        families.transitions.of([breaker, to, cause]).increment(1);
        families
            .state
            .of([breaker, transition.from.as_str()])
            .set(0.0);
        families.show(breaker, transition.to);
    }

    fn rejected(&self, breaker: &str, _: &Rejected) {
        let families = &self.inner.breaker;
        families.calls.of([breaker, "rejected"]).increment(1);
    }

    fn completed(&self, breaker: &str, completion: &Completion) {
        let families = &self.inner.breaker;
        let outcome = completion.ending.as_str();
        families.calls.of([breaker, outcome]).increment(1);
        if completion.slow {
            families.slow.of([breaker]).increment(1);
        }
        if let Some(elapsed) = completion.elapsed {
            let seconds = families.seconds.of([breaker, outcome]);
            seconds.record(elapsed.as_secs_f64());
        }
    }

    fn threshold_reached(&self, breaker: &str, _: &Counts) {
        self.inner.breaker.thresholds.of([breaker]).increment(1);
    }
}
