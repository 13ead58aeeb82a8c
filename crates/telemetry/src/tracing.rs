//! The leaves' observers as events of `tracing`.

/// Tells what the leaves do as events, for whichever subscriber listens.
///
/// It is every leaf's `Observer`. The target of an event is `seawall::<leaf>`, so that a filter can
/// choose; within a request they stand in its span. What an operator has to act on is `WARN`, what is
/// worth keeping `INFO`, what happens at every request `DEBUG` or `TRACE`. Errors that were answered
/// are logged by the errors layer, with their causes; what is told of them here is one `DEBUG` line
/// for every answer, which is an access log.
///
/// Nothing of a caller's is in the fields but the method, and that only where it is one of the known
/// ones.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Tracing;

impl Tracing {
    /// An observer; there is nothing to set.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

#[cfg(feature = "breaker")]
mod breaker {
    use seawall_breaker::{Completion, Counts, Observer, Rejected, State, Transition};

    impl Observer for super::Tracing {
        fn transition(&self, breaker: &str, transition: &Transition) {
            let (from, to) = (transition.from.as_str(), transition.to.as_str());
            let cause = transition.cause.as_str();
            if transition.to == State::Open {
                let open_for = transition.open_for.map(|time| time.as_secs_f64());
                ::tracing::warn!(target: "seawall::breaker", breaker, from, to, cause, open_for, "circuit opened");
            } else {
                ::tracing::info!(target: "seawall::breaker", breaker, from, to, cause, "circuit changed");
            }
        }

        fn rejected(&self, breaker: &str, rejected: &Rejected) {
            let state = rejected.state().as_str();
            ::tracing::debug!(target: "seawall::breaker", breaker, state, "call rejected");
        }

        fn completed(&self, breaker: &str, completion: &Completion) {
            let (ending, slow, late) =
                (completion.ending.as_str(), completion.slow, completion.late);
            ::tracing::trace!(target: "seawall::breaker", breaker, ending, slow, late, "call ended");
        }

        fn threshold_reached(&self, breaker: &str, counts: &Counts) {
            ::tracing::warn!(target: "seawall::breaker", breaker, ?counts, "circuit would open");
        }
    }
}

#[cfg(feature = "degrade")]
mod degrade {
    use seawall_degrade::{Observer, Reason, Served};

    use crate::metrics::served_of;

    impl Observer for super::Tracing {
        fn served(&self, component: &str, _: Option<&str>) {
            ::tracing::trace!(target: "seawall::degrade", component, "component served");
        }

        fn failed(&self, component: &str, _: Option<&str>, reason: &Reason, instead: Served) {
            let (why, instead) = (reason.label(), served_of(instead));
            // Why, in full: the last cause says most, and callers never see it.
            let cause = std::error::Error::source(reason).map(ToString::to_string);
            ::tracing::warn!(target: "seawall::degrade", component, reason = why, instead, cause, "component missing");
        }
    }
}

#[cfg(feature = "errors")]
mod errors {
    use seawall_errors::{Answer, Ending, Observer};

    use crate::metrics::{UNMATCHED, known_method};

    impl Observer for super::Tracing {
        fn answered(&self, answer: &Answer<'_>) {
            let (method, status) = (known_method(answer.method), answer.status);
            let route = answer.route.unwrap_or(UNMATCHED);
            let (code, took) = (answer.code, answer.took.as_secs_f64());
            ::tracing::debug!(target: "seawall::http", method, route, status, code, took, "answered");
        }

        fn ended(&self, ending: Ending) {
            if ending == Ending::Unanswered {
                ::tracing::debug!(target: "seawall::http", "caller left");
            }
        }
    }
}

#[cfg(feature = "health")]
mod health {
    use std::time::Duration;

    use seawall_health::{Change, Failure, Observer};

    impl Observer for super::Tracing {
        fn ran(&self, check: &str, took: Duration, failure: Option<&Failure>) {
            let took = took.as_secs_f64();
            let Some(failure) = failure else {
                ::tracing::trace!(target: "seawall::health", check, took, "check passed");
                return;
            };
            let fault = failure.fault().as_str();
            let cause = std::error::Error::source(failure).map(ToString::to_string);
            ::tracing::warn!(target: "seawall::health", check, fault, took, cause, "check failed");
        }

        fn changed(&self, change: &Change) {
            match change {
                Change::Ready(false) => {
                    ::tracing::warn!(target: "seawall::health", "no longer ready");
                }
                Change::Live(false) => ::tracing::error!(target: "seawall::health", "not live"),
                change => ::tracing::info!(target: "seawall::health", ?change, "health changed"),
            }
        }
    }
}

#[cfg(feature = "idempotency")]
mod idempotency {
    use seawall_idempotency::{Event, Observer};

    use crate::metrics::record_failure_of;

    impl Observer for super::Tracing {
        fn observe(&self, event: Event<'_>) {
            match event {
                Event::StoreFailed { step, failure } => {
                    let kind = record_failure_of(failure);
                    let cause = std::error::Error::source(failure).map(ToString::to_string);
                    ::tracing::warn!(target: "seawall::idempotency", step, failure = kind, cause, "record store failed");
                }
                Event::FailedOpen | Event::Lost | Event::Overdue => {
                    ::tracing::warn!(target: "seawall::idempotency", event = event.as_str(), "request unprotected");
                }
                Event::Begun { attempt } if attempt > 1 => {
                    ::tracing::info!(target: "seawall::idempotency", attempt, "request taken over");
                }
                Event::Refused(refused) => {
                    ::tracing::debug!(target: "seawall::idempotency", refused = refused.as_str(), "request refused");
                }
                Event::Finished(finished) => {
                    ::tracing::debug!(target: "seawall::idempotency", finished = finished.as_str(), "request finished");
                }
                event => {
                    ::tracing::debug!(target: "seawall::idempotency", event = event.as_str(), "request with a key");
                }
            }
        }
    }
}

#[cfg(feature = "ratelimit")]
mod ratelimit {
    use std::error::Error;

    use seawall_ratelimit::{Decision, Observer, StoreFailure};

    use crate::metrics::{count_failure_of, reason_of, source_of};

    impl Observer for super::Tracing {
        fn decided(&self, decision: &Decision) {
            let shadows = decision.reports().iter();
            for report in shadows.filter(|report| report.is_shadow() && report.is_denied()) {
                let policy = report.policy().as_str();
                ::tracing::debug!(target: "seawall::ratelimit", policy, "would be denied");
            }
            if let Decision::Deny(denied) = decision {
                let policy = denied.binding().map(|report| report.policy().as_str());
                let (source, reason) = (source_of(denied.source()), reason_of(denied.reason()));
                ::tracing::debug!(target: "seawall::ratelimit", policy, source, reason, "denied");
            }
        }

        fn store_failed(&self, failure: StoreFailure, error: &(dyn Error + 'static)) {
            // As a string it is escaped where it is written: what a driver says may have any bytes.
            let (failure, cause) = (count_failure_of(failure), error.to_string());
            ::tracing::warn!(target: "seawall::ratelimit", failure, cause, "store did not decide");
        }
    }
}

#[cfg(feature = "signing")]
mod signing {
    use seawall_signing::{Observer, Refused, StoreFailure, Verification};

    impl Observer for super::Tracing {
        fn verified(&self, verification: &Verification) {
            let scheme = verification.scheme();
            ::tracing::trace!(target: "seawall::signing", scheme, "message verified");
        }

        fn refused(&self, scheme: &str, refused: &Refused) {
            let kind = refused.kind().as_str();
            ::tracing::info!(target: "seawall::signing", scheme, kind, "message refused");
        }

        fn failed_open(&self, scheme: &str, failure: &StoreFailure) {
            let cause = std::error::Error::source(failure).map(ToString::to_string);
            ::tracing::warn!(target: "seawall::signing", scheme, cause, "message accepted unchecked for replay");
        }
    }
}
