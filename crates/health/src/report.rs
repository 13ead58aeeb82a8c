//! What the checks amount to for the service.

use std::sync::Arc;

use crate::{Fault, Role};

/// The state of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum State {
    /// There is no result to go by yet.
    Pending,
    /// It passes.
    Pass,
    /// It fails.
    Fail(Fault),
}

/// The state of the service in one word, as in `application/health+json`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Status {
    /// All is well.
    Pass,
    /// It serves, but something optional is missing, or it is about to leave.
    Warn,
    /// It does not serve.
    Fail,
}

impl Status {
    /// The word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

/// The state of the service and of each check, at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "four independent facts")]
pub struct Report {
    pub(crate) stalled: bool,
    pub(crate) broken: bool,
    pub(crate) started: bool,
    pub(crate) draining: bool,
    pub(crate) checks: Vec<CheckReport>,
}

impl Report {
    /// Whether the process should go on: its runtime moves, and it was not declared broken.
    #[must_use]
    pub fn is_live(&self) -> bool {
        !self.stalled && !self.broken
    }

    /// Whether every startup check has passed once.
    #[must_use]
    pub fn is_started(&self) -> bool {
        self.started
    }

    /// Whether the service is about to leave.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.draining
    }

    /// Whether traffic should come here.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.works() && !self.draining
    }

    /// The state in one word. A service which drains warns: it still serves what it has.
    #[must_use]
    pub fn status(&self) -> Status {
        if !self.works() {
            Status::Fail
        } else if self.draining || self.any_but_passing(Role::Optional) {
            Status::Warn
        } else {
            Status::Pass
        }
    }

    /// The checks, in the order in which they were given.
    #[must_use]
    pub fn checks(&self) -> &[CheckReport] {
        &self.checks
    }

    fn works(&self) -> bool {
        self.is_live() && self.started && !self.any_but_passing(Role::Critical)
    }

    fn any_but_passing(&self, role: Role) -> bool {
        let mut checks = self.checks.iter();
        checks.any(|check| check.role == role && check.state != State::Pass)
    }
}

/// The state of one check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckReport {
    pub(crate) name: Arc<str>,
    pub(crate) role: Role,
    pub(crate) startup: bool,
    pub(crate) state: State,
}

impl CheckReport {
    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the check means for the service.
    #[must_use]
    pub fn role(&self) -> Role {
        self.role
    }

    /// The state.
    #[must_use]
    pub fn state(&self) -> State {
        self.state
    }

    /// What it adds to the state of the service. A check without a result weighs as one that fails,
    /// for who knows.
    #[must_use]
    pub fn status(&self) -> Status {
        match (self.state, self.role) {
            (State::Pass, _) => Status::Pass,
            (_, Role::Optional) => Status::Warn,
            (_, Role::Critical | Role::Startup) => Status::Fail,
        }
    }
}
