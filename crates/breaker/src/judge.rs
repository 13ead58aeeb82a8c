//! When the calls of a window are too many bad ones. Pure.

use crate::Ratio;
use crate::outcome::Sample;

/// The calls that a window holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Counts {
    /// All calls that count.
    pub calls: u32,
    /// Those that failed.
    pub failures: u32,
    /// Those that were slow, whether they failed or not.
    pub slow: u32,
}

#[derive(Clone, Debug)]
pub(crate) struct Judge {
    pub(crate) min_calls: u32,
    pub(crate) failures: Threshold,
    pub(crate) slow: Threshold,
    /// Whether a call that did not fail may trip.
    pub(crate) on_success: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Threshold {
    Never,
    Count(u32),
    Share(Ratio),
}

impl Threshold {
    fn reached(self, part: u32, whole: u32) -> bool {
        match self {
            Self::Never => false,
            Self::Count(count) => part >= count,
            Self::Share(ratio) => ratio.reached(part, whole),
        }
    }
}

impl Judge {
    /// Whether the window, which now holds `last` too, opens the breaker.
    pub(crate) fn condemns(&self, counts: Counts, last: Sample) -> bool {
        // A share of nothing is not reached: healthy traffic ends here.
        if counts.failures == 0 && counts.slow == 0 {
            return false;
        }
        (last.bad || self.on_success)
            && counts.calls >= self.min_calls
            && (self.failures.reached(counts.failures, counts.calls)
                || self.slow.reached(counts.slow, counts.calls))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OK: Sample = Sample {
        bad: false,
        slow: false,
    };
    const BAD: Sample = Sample {
        bad: true,
        slow: false,
    };
    const SLOW: Sample = Sample {
        bad: false,
        slow: true,
    };

    fn half() -> Judge {
        Judge {
            min_calls: 4,
            failures: Threshold::Share(Ratio::percent(50)),
            slow: Threshold::Share(Ratio::percent(75)),
            on_success: true,
        }
    }

    #[track_caller]
    fn check(judge: &Judge, calls: u32, failures: u32, slow: u32, last: Sample, condemned: bool) {
        assert_eq!(
            judge.condemns(
                Counts {
                    calls,
                    failures,
                    slow
                },
                last
            ),
            condemned
        );
    }

    #[test]
    fn a_share_counts_from_the_minimum_of_calls() {
        check(&half(), 3, 3, 0, BAD, false);
        check(&half(), 4, 2, 0, BAD, true);
        check(&half(), 4, 1, 0, BAD, false);
        check(&half(), 4, 0, 3, SLOW, true);
        check(&half(), 4, 0, 2, SLOW, false);
    }

    #[test]
    fn a_success_trips_only_where_it_may() {
        check(&half(), 4, 2, 0, OK, true);
        let strict = Judge {
            on_success: false,
            ..half()
        };
        check(&strict, 4, 2, 0, OK, false);
        check(&strict, 4, 0, 4, SLOW, false);
        check(&strict, 4, 2, 0, BAD, true);
    }

    #[test]
    fn a_count_needs_no_share() {
        let judge = Judge {
            min_calls: 1,
            failures: Threshold::Count(2),
            slow: Threshold::Never,
            on_success: true,
        };
        check(&judge, 100, 1, 100, BAD, false);
        check(&judge, 2, 2, 0, BAD, true);
    }
}
