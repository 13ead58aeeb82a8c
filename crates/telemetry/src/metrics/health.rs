//! Health: each check's runs and result, and what the probes say.

use std::time::Duration;

use ::metrics::{Gauge, Histogram};
use seawall_health::{Change, Failure, Observer, State};

use super::count::Count;
use super::family::{Family, Target};
use super::{Metric, Metrics};

pub(super) static ALL: &[Metric] = &[
    Metric::counter(
        "seawall_health_check_runs_total",
        &["check", "outcome"],
        "Runs of checks: pass, or the kind of fault",
    ),
    Metric::seconds(
        "seawall_health_check_seconds",
        &["check"],
        "How long runs of checks took",
    ),
    Metric::gauge(
        "seawall_health_check_up",
        &["check"],
        "1 while the check passes, 0 while it fails; a single failed run need not change it",
    ),
    Metric::gauge(
        "seawall_health_ready",
        &[],
        "1 while traffic should come, 0 while it should not",
    ),
    Metric::gauge(
        "seawall_health_live",
        &[],
        "0 since the process was found stalled or broken, 1 since it moves again",
    ),
    Metric::gauge("seawall_health_draining", &[], "1 since the service drains"),
];

pub(super) struct Families {
    runs: Family<Count, 2>,
    seconds: Family<Histogram, 1>,
    up: Family<Gauge, 1>,
    ready: Family<Gauge, 0>,
    live: Family<Gauge, 0>,
    draining: Family<Gauge, 0>,
}

impl Families {
    pub(super) fn new(target: &Target) -> Self {
        Self {
            runs: Family::new(&ALL[0], target),
            seconds: Family::new(&ALL[1], target),
            up: Family::new(&ALL[2], target),
            ready: Family::new(&ALL[3], target),
            live: Family::new(&ALL[4], target),
            draining: Family::new(&ALL[5], target),
        }
    }
}

impl Observer for Metrics {
    fn ran(&self, check: &str, took: Duration, failure: Option<&Failure>) {
        let families = &self.inner.health;
        let outcome = failure.map_or("pass", |failure| failure.fault().as_str());
        families.runs.of([check, outcome]).increment(1);
        families.seconds.of([check]).record(took.as_secs_f64());
    }

    fn changed(&self, change: &Change) {
        let families = &self.inner.health;
        let number = |is: bool| if is { 1.0 } else { 0.0 };
        match change {
            Change::Check { name, to, .. } => {
                families.up.of([name]).set(number(*to == State::Pass));
            }
            Change::Ready(is) => families.ready.of([]).set(number(*is)),
            Change::Live(is) => families.live.of([]).set(number(*is)),
            Change::Draining => families.draining.of([]).set(1.0),
            _ => {}
        }
    }
}
