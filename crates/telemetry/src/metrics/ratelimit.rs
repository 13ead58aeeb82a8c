//! Rate limits: what was decided, by which policy, and by whom.

use std::error::Error;

use ::metrics::Histogram;
use seawall_ratelimit::{
    Charge, Decision, Now, Observer, Op, Reason, Source, Store, StoreFailure, Verdict,
};

use super::count::Count;
use super::family::{Family, Target};
use super::{Metric, Metrics};
use crate::timed::{Timed, Timing};

pub(super) static ALL: &[Metric] = &[
    Metric::counter(
        "seawall_ratelimit_requests_total",
        &["outcome", "source", "reason"],
        "Requests decided: allowed or denied, who decided, and why it was denied",
    ),
    Metric::counter(
        "seawall_ratelimit_decisions_total",
        &["policy", "outcome", "source"],
        "What each policy said of them: allowed, denied, or `shadow_denied`, which denies nothing",
    ),
    Metric::counter(
        "seawall_ratelimit_store_errors_total",
        &["failure"],
        "Decisions that the store did not make: unavailable or refused",
    ),
    Metric::seconds(
        "seawall_ratelimit_store_seconds",
        &["store", "op", "outcome"],
        "How long a store that has to be waited for took: ok, error or dropped",
    ),
];

pub(super) struct Families {
    requests: Family<Count, 3>,
    decisions: Family<Count, 3>,
    store_errors: Family<Count, 1>,
    store_seconds: Family<Histogram, 3>,
}

impl Families {
    pub(super) fn new(target: &Target) -> Self {
        Self {
            requests: Family::new(&ALL[0], target),
            decisions: Family::new(&ALL[1], target),
            store_errors: Family::new(&ALL[2], target),
            store_seconds: Family::new(&ALL[3], target),
        }
    }
}

impl Observer for Metrics {
    fn decided(&self, decision: &Decision) {
        let families = &self.inner.ratelimit;
        let (outcome, reason) = match decision {
            Decision::Allow(_) => ("allowed", "none"),
            Decision::Deny(denied) => ("denied", reason_of(denied.reason())),
        };
        let source = source_of(decision.source());
        families.requests.of([outcome, source, reason]).increment(1);
        for report in decision.reports() {
            let outcome = match (report.is_denied(), report.is_shadow()) {
                (false, _) => "allowed",
                (true, false) => "denied",
                (true, true) => "shadow_denied",
            };
            let labels = [
                report.policy().as_str(),
                outcome,
                source_of(report.source()),
            ];
            families.decisions.of(labels).increment(1);
        }
    }

    fn store_failed(&self, failure: StoreFailure, _: &(dyn Error + 'static)) {
        let families = &self.inner.ratelimit;
        families.store_errors.of([failure_of(failure)]).increment(1);
    }
}

/// The word for a source in labels and fields.
pub(crate) const fn source_of(source: Source) -> &'static str {
    match source {
        Source::Store => "store",
        Source::Local => "local",
        Source::DenyCache => "deny_cache",
        Source::FailOpen => "fail_open",
        Source::FailClosed => "fail_closed",
        _ => "unknown",
    }
}

pub(crate) const fn reason_of(reason: Reason) -> &'static str {
    match reason {
        Reason::OverLimit => "over_limit",
        Reason::Blocked => "blocked",
        Reason::StoreFull => "store_full",
        Reason::StoreRefused => "store_refused",
        Reason::StoreUnavailable => "store_unavailable",
        _ => "unknown",
    }
}

pub(crate) const fn failure_of(failure: StoreFailure) -> &'static str {
    match failure {
        StoreFailure::Unavailable => "unavailable",
        StoreFailure::Refused => "refused",
    }
}

const fn op_of(op: Op) -> &'static str {
    match op {
        Op::Consume => "consume",
        Op::ConsumeUpTo => "consume_up_to",
        Op::Peek => "peek",
        Op::Refund => "refund",
        Op::Reset => "reset",
        Op::BlockFor => "block_for",
        _ => "unknown",
    }
}

impl<S: Store> Store for Timed<S> {
    type Error = S::Error;

    async fn decide(
        &self,
        op: Op,
        charges: &[Charge<'_>],
        out: &mut [Verdict],
    ) -> Result<Now, Self::Error> {
        let seconds = &self.metrics().inner.ratelimit.store_seconds;
        let timing = Timing::begin(|outcome, took| {
            seconds.of([self.name(), op_of(op), outcome]).record(took);
        });
        timing.end(self.store().decide(op, charges, out).await)
    }

    #[inline]
    fn decide_now(
        &self,
        op: Op,
        charges: &[Charge<'_>],
        out: &mut [Verdict],
    ) -> Option<Result<Now, Self::Error>> {
        self.store().decide_now(op, charges, out)
    }
}
