//! The pure part of the whole: what is known of the service, and what that amounts to at a moment.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::machine::{Rules, Standing};
use crate::{Change, Check, CheckReport, Fault, Report, Role};

/// Everything that changes. One lock guards it: results come seldom and probes are few.
#[derive(Debug)]
pub(crate) struct Service {
    checks: Vec<Watched>,
    stall_after: Option<Duration>,
    draining: bool,
    broken: bool,
    beat: Option<Instant>,
}

#[derive(Debug)]
struct Watched {
    name: Arc<str>,
    role: Role,
    startup: bool,
    rules: Rules,
    standing: Standing,
}

impl Service {
    pub(crate) fn new(checks: &[Check], stall_after: Option<Duration>) -> Self {
        let watched = |check: &Check| Watched {
            name: Arc::clone(&check.name),
            role: check.role(),
            startup: check.startup,
            rules: Rules {
                fail_after: check.fail_after,
                recover_after: check.recover_after,
                greatest_age: check.greatest_age(),
            },
            standing: Standing::new(),
        };
        Self {
            checks: checks.iter().map(watched).collect(),
            stall_after,
            draining: false,
            broken: false,
            beat: None,
        }
    }

    pub(crate) fn observe(&mut self, index: usize, result: Result<(), Fault>, at: Instant) {
        let check = &mut self.checks[index];
        check.standing.observe(result, at, check.rules);
    }

    pub(crate) fn beat(&mut self, now: Instant) {
        self.beat = Some(now);
    }

    pub(crate) fn drain(&mut self) {
        self.draining = true;
    }

    pub(crate) fn break_down(&mut self) {
        self.broken = true;
    }

    /// Whether any run of the check has ever passed.
    pub(crate) fn passed_once(&self, index: usize) -> bool {
        self.checks[index].standing.passed_once()
    }

    /// The age of the check's last result.
    pub(crate) fn age(&self, index: usize, now: Instant) -> Option<Duration> {
        self.checks[index].standing.age(now)
    }

    pub(crate) fn report(&self, now: Instant) -> Report {
        let report = |check: &Watched| CheckReport {
            name: Arc::clone(&check.name),
            role: check.role,
            startup: check.startup,
            state: check.standing.state(now, check.rules),
        };
        Report {
            stalled: self.is_stalled(now),
            broken: self.broken,
            started: self.is_started(),
            draining: self.draining,
            checks: self.checks.iter().map(report).collect(),
        }
    }

    /// Latched, since what has passed once has passed once.
    fn is_started(&self) -> bool {
        let mut startup = self.checks.iter().filter(|check| check.startup);
        startup.all(|check| check.standing.passed_once())
    }

    /// A heart that has not begun to beat has not stopped.
    fn is_stalled(&self, now: Instant) -> bool {
        match (self.beat, self.stall_after) {
            (Some(beat), Some(limit)) => now.saturating_duration_since(beat) > limit,
            _ => false,
        }
    }
}

/// What changed from one report to the next.
pub(crate) fn changes(before: &Report, after: &Report) -> Vec<Change> {
    let mut changes = Vec::new();
    for (before, after) in before.checks.iter().zip(&after.checks) {
        if before.state != after.state {
            changes.push(Change::Check {
                name: Arc::clone(&after.name),
                from: before.state,
                to: after.state,
            });
        }
    }
    if !before.started && after.started {
        changes.push(Change::Started);
    }
    if !before.draining && after.draining {
        changes.push(Change::Draining);
    }
    if before.is_live() != after.is_live() {
        changes.push(Change::Live(after.is_live()));
    }
    if before.status() != after.status() {
        changes.push(Change::Status {
            from: before.status(),
            to: after.status(),
        });
    }
    if before.is_ready() != after.is_ready() {
        changes.push(Change::Ready(after.is_ready()));
    }
    changes
}
