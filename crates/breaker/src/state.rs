//! The names of the states.

use crate::word::Phase;
use std::fmt;

/// Where a breaker stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum State {
    /// Calls go through and are counted.
    Closed,
    /// Calls are rejected until the open time is over.
    Open,
    /// A few calls go through as probes and decide what comes next.
    HalfOpen,
    /// Calls are rejected until an operator ends it.
    ForcedOpen,
    /// Calls go through and are not counted.
    Disabled,
    /// Calls go through and are counted, and nothing follows from it but a report.
    MetricsOnly,
}

impl State {
    /// The name in lower case, for labels: `"half_open"`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
            Self::ForcedOpen => "forced_open",
            Self::Disabled => "disabled",
            Self::MetricsOnly => "metrics_only",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half-open",
            Self::ForcedOpen => "forced open",
            Self::Disabled => "disabled",
            Self::MetricsOnly => "watching only",
        })
    }
}

impl From<Phase> for State {
    fn from(phase: Phase) -> Self {
        match phase {
            Phase::Closed { .. } => Self::Closed,
            Phase::Open { .. } => Self::Open,
            Phase::HalfOpen(_) => Self::HalfOpen,
            Phase::ForcedOpen => Self::ForcedOpen,
            Phase::Disabled => Self::Disabled,
            Phase::MetricsOnly { .. } => Self::MetricsOnly,
        }
    }
}
