//! The settings of a breaker as plain data: what a configuration file can say.

use crate::{DropPolicy, HalfOpen, OpenTime, Ratio};
use std::time::Duration;

/// The settings of a breaker as plain data.
///
/// With feature `serde` it reads from any configuration format; unknown keys are refused. Turn it
/// into a breaker through [`CircuitBreaker::from_config`](crate::CircuitBreaker::from_config), which
/// adds what data cannot hold: name, clock, observer, closures.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
#[non_exhaustive]
pub struct Config {
    /// When a closed breaker opens. Default: after 5 consecutive failures.
    pub trip: Trip,
    /// Which calls may open it. Default: any.
    pub evaluate_on: EvaluateOn,
    /// Whether the trip rule is only watched: threshold crossings reach the observer, and the
    /// breaker stays closed. Default: false.
    pub dry_run: bool,
    /// How long it stays open. Default: 30 seconds.
    pub open: OpenTime,
    /// How it finds out whether to close again. Default: one probe.
    pub half_open: HalfOpen,
    /// How a call counts that is dropped before it reports. Default: neutral.
    pub on_drop: DropPolicy,
    /// How ignored outcomes count. Default: not at all.
    pub ignored_as: IgnoredAs,
}

/// When a closed breaker opens.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(tag = "kind", rename_all = "snake_case"))]
#[cfg_attr(feature = "serde", serde(try_from = "crate::text::Trip"))]
#[non_exhaustive]
pub enum Trip {
    /// After so many failures without a success between.
    #[non_exhaustive]
    Consecutive {
        /// How many. At least 1.
        failures: u32,
    },
    /// When the last `size` calls hold too many failures or slow calls.
    #[non_exhaustive]
    Count {
        /// How many calls the window holds: 1 to 1,000,000.
        size: u32,
        /// The rates, and the calls they need.
        rates: Rates,
    },
    /// When the calls of the last `window` hold too many failures or slow calls.
    #[non_exhaustive]
    Time {
        /// How far back the window reaches.
        #[cfg_attr(feature = "serde", serde(with = "crate::humane::duration"))]
        window: Duration,
        /// Into how many buckets it is cut: 1 to 128. The window forgets a bucket at a time.
        buckets: u32,
        /// The rates, and the calls they need.
        rates: Rates,
    },
    /// When `failures` of the last `size` calls failed, whether the window is full or not.
    #[non_exhaustive]
    KOfN {
        /// How many failures open the breaker: 1 to `size`.
        failures: u32,
        /// How many calls the window holds: 1 to 1,000,000.
        size: u32,
    },
}

impl Trip {
    /// After so many failures without a success between.
    #[must_use]
    pub fn consecutive(failures: u32) -> Self {
        Self::Consecutive { failures }
    }

    /// When the last `size` calls hold too many failures or slow calls.
    #[must_use]
    pub fn count(size: u32, rates: Rates) -> Self {
        Self::Count { size, rates }
    }

    /// When the calls of the last `window` hold too many failures or slow calls.
    #[must_use]
    pub fn time(window: Duration, buckets: u32, rates: Rates) -> Self {
        Self::Time {
            window,
            buckets,
            rates,
        }
    }

    /// When `failures` of the last `size` calls failed.
    #[must_use]
    pub fn k_of_n(failures: u32, size: u32) -> Self {
        Self::KOfN { failures, size }
    }
}

impl Default for Trip {
    fn default() -> Self {
        Self::Consecutive { failures: 5 }
    }
}

/// The rates at which a window opens the breaker.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
#[non_exhaustive]
pub struct Rates {
    /// How many calls the window must hold before rates mean anything. Default: 10, or the size of
    /// a count window that is smaller.
    pub min_calls: Option<u32>,
    /// The share of failures that opens the breaker. Default: a half. `None`: failures alone never
    /// do.
    pub failures: Option<Ratio>,
    /// Slow calls. Default: not measured, which saves two readings of the precise clock a call.
    pub slow: Option<SlowCalls>,
}

impl Default for Rates {
    fn default() -> Self {
        Self {
            min_calls: None,
            failures: Some(Ratio::percent(50)),
            slow: None,
        }
    }
}

/// What counts as slow, and how much of it is too much.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
#[non_exhaustive]
pub struct SlowCalls {
    /// A call that takes this long, or longer, is slow.
    #[cfg_attr(feature = "serde", serde(with = "crate::humane::duration"))]
    pub after: Duration,
    /// The share of slow calls that opens the breaker.
    pub rate: Ratio,
}

impl SlowCalls {
    /// Calls of `after` or more are slow; a share of `rate` or more opens the breaker.
    #[must_use]
    pub fn new(after: Duration, rate: Ratio) -> Self {
        Self { after, rate }
    }
}

/// Which calls may open a closed breaker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum EvaluateOn {
    /// Any call: the one that completes the minimum may be a success.
    #[default]
    Any,
    /// Only a failure.
    Failure,
}

/// How ignored outcomes count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum IgnoredAs {
    /// Not at all. A streak of failures goes on, a probe decides nothing.
    #[default]
    Neutral,
    /// As successes.
    Success,
}

/// Fine enough that the window forgets smoothly, and a scan is four cache lines.
pub(crate) const DEFAULT_BUCKETS: u32 = 10;
