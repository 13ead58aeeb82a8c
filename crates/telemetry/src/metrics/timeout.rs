//! Deadlines that expired, as far as an answer tells of them.

use seawall_errors::ApiError;
use seawall_timeout::{Cause, Elapsed};

use super::Metric;
use super::count::Count;
use super::family::{Family, Target};

pub(super) static ALL: &[Metric] = &[Metric::counter(
    "seawall_timeout_expired_total",
    &["route", "cause", "started"],
    "Errors answered because time was up, also where the answer says something else: which limit (own, total, inherited, idle, body), and whether work had started",
)];

pub(super) struct Families {
    expired: Family<Count, 3>,
}

impl Families {
    pub(super) fn new(target: &Target) -> Self {
        Self {
            expired: Family::new(&ALL[0], target),
        }
    }

    pub(super) fn answered(&self, route: &str, error: &ApiError) {
        let Some(elapsed) = error.private().find::<Elapsed>() else {
            return;
        };
        let started = if elapsed.ran() { "true" } else { "false" };
        let labels = [route, cause(elapsed.cause()), started];
        self.expired.of(labels).increment(1);
    }
}

const fn cause(cause: Cause) -> &'static str {
    match cause {
        Cause::Own => "own",
        Cause::Total => "total",
        Cause::Inherited => "inherited",
        Cause::Idle => "idle",
        Cause::Body => "body",
        _ => "unknown",
    }
}
