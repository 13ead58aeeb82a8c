//! The settings of the half-open phase: what the probes must show, and by when.

use crate::Ratio;
use std::time::Duration;

/// How a breaker finds out whether to close again.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
#[non_exhaustive]
pub struct HalfOpen {
    /// What the probes must show.
    pub verdict: Verdict,
    /// How many probes may be in flight at once; the verdict bounds them in any case. Default: 1
    /// where all must succeed, since one is enough to see that the dependency is still down; all of
    /// them otherwise.
    pub permits: Option<u32>,
    /// How long to wait for the verdict, counted from entering half-open. Default: 60 seconds, so
    /// that a probe that hangs for ever does not keep the breaker half-open for ever.
    #[cfg_attr(feature = "serde", serde(with = "crate::humane::optional_duration"))]
    pub max_wait: Option<Duration>,
    /// What happens when that time is over. Default: new probes.
    pub after_wait: AfterWait,
}

/// What the probes must show.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(tag = "mode", rename_all = "snake_case"))]
#[cfg_attr(feature = "serde", serde(try_from = "crate::text::Verdict"))]
#[non_exhaustive]
pub enum Verdict {
    /// So many successes close the breaker, one failure opens it.
    #[non_exhaustive]
    AllOf {
        /// How many.
        probes: u32,
    },
    /// So many results decide together.
    #[non_exhaustive]
    Sample {
        /// How many results.
        size: u32,
        /// The share of failures that opens the breaker again. The rate of slow calls, if there is
        /// one, applies as well.
        failures: Ratio,
        /// Open as soon as the failures exceed the share, rather than when all results are in and
        /// reach it.
        strict: bool,
    },
    /// As soon as `successes` of `size` probes succeeded, or no longer can.
    #[non_exhaustive]
    KOfN {
        /// How many must succeed.
        successes: u32,
        /// Of how many.
        size: u32,
    },
}

impl Verdict {
    /// How many results the verdict needs at most: no more than these are admitted.
    pub(crate) fn need(self) -> u32 {
        match self {
            Self::AllOf { probes } => probes,
            Self::Sample { size, .. } | Self::KOfN { size, .. } => size,
        }
    }
}

/// What happens to a half-open breaker whose probes give no verdict in time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum AfterWait {
    /// The probes are given up and new ones are admitted.
    #[default]
    Reprobe,
    /// It opens, as if a probe had failed when the time was over.
    Open,
    /// It closes.
    Closed,
}

impl HalfOpen {
    /// All of `probes` calls must succeed, one after the other unless [`permits`](Self::permits)
    /// says otherwise.
    #[must_use]
    pub fn all_of(probes: u32) -> Self {
        Self::new(Verdict::AllOf { probes })
    }

    /// `size` calls decide by their share of failures; all may be in flight at once.
    #[must_use]
    pub fn sample(size: u32, failures: Ratio) -> Self {
        Self::new(Verdict::Sample {
            size,
            failures,
            strict: false,
        })
    }

    /// As [`sample`](Self::sample), but opens as soon as the failures exceed their share.
    #[must_use]
    pub fn strict_sample(size: u32, failures: Ratio) -> Self {
        Self::new(Verdict::Sample {
            size,
            failures,
            strict: true,
        })
    }

    /// `successes` of `size` calls must succeed; all may be in flight at once.
    #[must_use]
    pub fn k_of_n(successes: u32, size: u32) -> Self {
        Self::new(Verdict::KOfN { successes, size })
    }

    /// How many probes may be in flight at once.
    #[must_use]
    pub fn permits(mut self, permits: u32) -> Self {
        self.permits = Some(permits);
        self
    }

    /// How long to wait for the verdict, and what happens then. Default: a minute, then new probes.
    #[must_use]
    pub fn max_wait(mut self, wait: impl Into<Option<Duration>>, then: AfterWait) -> Self {
        self.max_wait = wait.into();
        self.after_wait = then;
        self
    }

    fn new(verdict: Verdict) -> Self {
        Self {
            verdict,
            permits: None,
            max_wait: Some(Duration::from_secs(60)),
            after_wait: AfterWait::default(),
        }
    }
}

impl Default for HalfOpen {
    fn default() -> Self {
        Self::all_of(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_verdict_is_what_its_name_says() {
        let failures = Ratio::percent(25);
        let verdicts = [
            HalfOpen::all_of(3),
            HalfOpen::sample(4, failures),
            HalfOpen::strict_sample(4, failures),
            HalfOpen::k_of_n(2, 5),
        ]
        .map(|half_open| half_open.verdict);
        let expected = [
            Verdict::AllOf { probes: 3 },
            Verdict::Sample {
                size: 4,
                failures,
                strict: false,
            },
            Verdict::Sample {
                size: 4,
                failures,
                strict: true,
            },
            Verdict::KOfN {
                successes: 2,
                size: 5,
            },
        ];
        assert_eq!(verdicts, expected);
    }
}
