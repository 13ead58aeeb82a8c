//! Failures in a row: `generation : 32 | failures : 32`.

use crate::judge::Counts;
use crate::outcome::Sample;
use crate::sync::{AtomicU64, Ordering};

#[derive(Debug)]
pub(crate) struct Streak(AtomicU64);

impl Streak {
    pub(crate) fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// Whether a success would change nothing, of whatever generation it is.
    #[inline]
    pub(crate) fn is_quiet(&self) -> bool {
        // Relaxed: nothing is done on the strength of it.
        failures(self.0.load(Ordering::Relaxed)) == 0
    }

    pub(crate) fn record(
        &self,
        generation: u32,
        sample: Sample,
        live: impl Fn() -> bool,
    ) -> Option<Counts> {
        loop {
            let word = self.0.load(Ordering::Acquire);
            if !sample.bad && failures(word) == 0 {
                return None;
            }
            if !live() {
                return None;
            }
            let before = if tag(word) == generation {
                failures(word)
            } else {
                0
            };
            let after = if sample.bad {
                before.saturating_add(1)
            } else {
                0
            };
            if swap(&self.0, word, pack(generation, after)) {
                return sample.bad.then(|| held(after));
            }
        }
    }

    pub(crate) fn counts(&self, generation: u32) -> Counts {
        let word = self.0.load(Ordering::Acquire);
        held(if tag(word) == generation {
            failures(word)
        } else {
            0
        })
    }
}

fn held(failures: u32) -> Counts {
    Counts {
        calls: failures,
        failures,
        slow: 0,
    }
}

fn pack(generation: u32, failures: u32) -> u64 {
    (u64::from(generation) << 32) | u64::from(failures)
}

fn tag(word: u64) -> u32 {
    (word >> 32) as u32
}

#[inline]
fn failures(word: u64) -> u32 {
    (word & 0xFFFF_FFFF) as u32
}

fn swap(word: &AtomicU64, from: u64, to: u64) -> bool {
    word.compare_exchange_weak(from, to, Ordering::Release, Ordering::Relaxed)
        .is_ok()
}

#[cfg(all(test, not(any(loom, shuttle))))]
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

    #[test]
    fn a_success_ends_the_streak() {
        let streak = Streak::new();
        for expected in [1, 2] {
            assert_eq!(streak.record(1, BAD, || true), Some(held(expected)));
        }
        assert_eq!(streak.record(1, OK, || true), None);
        assert!(streak.is_quiet());
        assert_eq!(streak.record(1, BAD, || true), Some(held(1)));
    }

    #[test]
    fn quiet_is_a_streak_of_nothing() {
        let streak = Streak::new();
        assert!(streak.is_quiet());
        streak.record(1, BAD, || true);
        assert!(!streak.is_quiet());
    }

    #[test]
    fn each_generation_begins_anew() {
        let streak = Streak::new();
        streak.record(1, BAD, || true);
        assert_eq!(streak.counts(2), held(0));
        assert_eq!(streak.record(2, BAD, || true), Some(held(1)));
    }

    #[test]
    fn a_success_silences_what_an_earlier_generation_left() {
        let streak = Streak::new();
        streak.record(1, BAD, || true);
        streak.record(2, OK, || true);
        assert!(streak.is_quiet());
    }

    #[test]
    fn a_late_result_changes_nothing() {
        let streak = Streak::new();
        streak.record(2, BAD, || true);
        assert_eq!(streak.record(1, BAD, || false), None);
        assert_eq!(streak.record(1, OK, || false), None);
        assert_eq!(streak.counts(2), held(1));
    }
}
