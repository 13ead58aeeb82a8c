//! Degraded answers: which component was missing, why, and what stood in.

use ::metrics::Histogram;
use seawall_degrade::{Observer, Reason, Served};

use super::count::Count;
use super::family::{Family, Target};
use super::{Metric, Metrics};

pub(super) static ALL: &[Metric] = &[
    Metric::counter(
        "seawall_degrade_components_total",
        &["component", "outcome"],
        "Components asked: served, or what stood in: default, stale, nothing, or a refusal of the whole",
    ),
    Metric::counter(
        "seawall_degrade_failures_total",
        &["component", "reason"],
        "Components that gave nothing, by why: error, timeout, deadline or panic",
    ),
    Metric::seconds(
        "seawall_degrade_stale_seconds",
        &["component"],
        "How old the last good values were that stood in",
    ),
];

pub(super) struct Families {
    components: Family<Count, 2>,
    failures: Family<Count, 2>,
    stale: Family<Histogram, 1>,
}

impl Families {
    pub(super) fn new(target: &Target) -> Self {
        Self {
            components: Family::new(&ALL[0], target),
            failures: Family::new(&ALL[1], target),
            stale: Family::new(&ALL[2], target),
        }
    }
}

impl Observer for Metrics {
    fn served(&self, component: &str, _: Option<&str>) {
        let families = &self.inner.degrade;
        families.components.of([component, "served"]).increment(1);
    }

    fn failed(&self, component: &str, _: Option<&str>, reason: &Reason, instead: Served) {
        let families = &self.inner.degrade;
        let outcome = served_of(instead);
        families.components.of([component, outcome]).increment(1);
        families
            .failures
            .of([component, reason.label()])
            .increment(1);
        if let Served::Stale(age) = instead {
            families.stale.of([component]).record(age.as_secs_f64());
        }
    }
}

pub(crate) const fn served_of(instead: Served) -> &'static str {
    match instead {
        Served::Refusal => "refusal",
        Served::Nothing => "nothing",
        Served::Default => "default",
        Served::Stale(_) => "stale",
        _ => "unknown",
    }
}
