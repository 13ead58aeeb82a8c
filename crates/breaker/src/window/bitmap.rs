//! The last N calls as bits of one word, for small N: exact and linearizable.
//!
//! ```text
//! 63 .. 48                | 47 .. 42 | 41 .. 0
//! generation, low 16 bits | calls    | failed, the newest lowest        (up to 42 calls)
//!                         |          | slow : 21 | failed : 21          (up to 21 calls)
//! ```
//!
//! The cut tag comes round after 65,536 generations. To be taken for a fresh word, one would have to
//! survive all of them without a single call recorded, since a call replaces it.
//!
//! In a full window of successes one more success gives the same word, so nothing is written:
//! healthy traffic shares the line and never fights for it.

use crate::judge::Counts;
use crate::outcome::Sample;
use crate::sync::{AtomicU64, Ordering};

#[derive(Debug)]
pub(crate) struct Bitmap {
    word: AtomicU64,
    size: u32,
    slow: bool,
}

const HALF: u32 = 21;
const FILL_AT: u32 = 42;
const TAG_AT: u32 = 48;

#[derive(Clone, Copy, Default)]
struct Held {
    calls: u32,
    failed: u64,
    slow: u64,
}

impl Bitmap {
    /// The largest window that fits.
    pub(crate) fn most(slow: bool) -> u32 {
        if slow { HALF } else { 2 * HALF }
    }

    pub(crate) fn new(size: u32, slow: bool) -> Self {
        debug_assert!((1..=Self::most(slow)).contains(&size));
        // An empty window, of whatever generation.
        Self {
            word: AtomicU64::new(0),
            size,
            slow,
        }
    }

    /// Whether the window is full of calls that neither failed nor were slow.
    #[inline]
    pub(crate) fn is_quiet(&self, generation: u32) -> bool {
        // Relaxed: nothing is done on the strength of it.
        self.word.load(Ordering::Relaxed)
            == (tag(generation) << TAG_AT) | (u64::from(self.size) << FILL_AT)
    }

    pub(crate) fn record(
        &self,
        generation: u32,
        sample: Sample,
        live: impl Fn() -> bool,
    ) -> Option<Counts> {
        loop {
            let word = self.word.load(Ordering::Acquire);
            let held = self.read(word, generation);
            let next = self.push(held, sample);
            let packed = self.pack(generation, next);
            // A word that stays the same is right even for a late result.
            if packed == word {
                return Some(next.counts());
            }
            if !live() {
                return None;
            }
            let swapped =
                self.word
                    .compare_exchange_weak(word, packed, Ordering::Release, Ordering::Relaxed);
            if swapped.is_ok() {
                return Some(next.counts());
            }
        }
    }

    pub(crate) fn counts(&self, generation: u32) -> Counts {
        self.read(self.word.load(Ordering::Acquire), generation)
            .counts()
    }

    fn push(&self, held: Held, sample: Sample) -> Held {
        let mask = (1 << self.size) - 1;
        Held {
            calls: (held.calls + 1).min(self.size),
            failed: ((held.failed << 1) | u64::from(sample.bad)) & mask,
            slow: ((held.slow << 1) | u64::from(sample.slow && self.slow)) & mask,
        }
    }

    fn read(&self, word: u64, generation: u32) -> Held {
        if word >> TAG_AT != tag(generation) {
            return Held::default();
        }
        let bits = word & ((1 << FILL_AT) - 1);
        let calls = ((word >> FILL_AT) & 0x3F) as u32;
        if self.slow {
            Held {
                calls,
                failed: bits & ((1 << HALF) - 1),
                slow: bits >> HALF,
            }
        } else {
            Held {
                calls,
                failed: bits,
                slow: 0,
            }
        }
    }

    fn pack(&self, generation: u32, held: Held) -> u64 {
        let slow = if self.slow { held.slow << HALF } else { 0 };
        (tag(generation) << TAG_AT) | (u64::from(held.calls) << FILL_AT) | slow | held.failed
    }
}

impl Held {
    fn counts(self) -> Counts {
        Counts {
            calls: self.calls,
            failures: self.failed.count_ones(),
            slow: self.slow.count_ones(),
        }
    }
}

fn tag(generation: u32) -> u64 {
    u64::from(generation & 0xFFFF)
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use super::*;

    fn check(window: &Bitmap, samples: &[(bool, bool)], expected: (u32, u32, u32)) {
        for &(bad, slow) in samples {
            window.record(1, Sample { bad, slow }, || true);
        }
        let Counts {
            calls,
            failures,
            slow,
        } = window.counts(1);
        assert_eq!((calls, failures, slow), expected);
    }

    #[test]
    fn quiet_is_a_full_window_without_a_mark() {
        let window = Bitmap::new(3, true);
        check(&window, &[(false, false); 2], (2, 0, 0));
        assert!(!window.is_quiet(1), "not full");
        check(&window, &[(false, false)], (3, 0, 0));
        assert!(window.is_quiet(1));
        assert!(!window.is_quiet(2), "of another generation");
        for mark in [(true, false), (false, true)] {
            check(&window, &[mark], (3, u32::from(mark.0), u32::from(mark.1)));
            assert!(!window.is_quiet(1), "{mark:?}");
            check(&window, &[(false, false); 3], (3, 0, 0));
            assert!(window.is_quiet(1));
        }
    }

    #[test]
    fn the_tag_is_the_low_half_of_the_generation() {
        assert_eq!(tag(0x0003_0005), 5);
        assert_eq!(tag(0xFFFF), 0xFFFF);
    }

    #[test]
    fn the_oldest_call_falls_out() {
        let window = Bitmap::new(3, false);
        check(&window, &[(true, false)], (1, 1, 0));
        check(&window, &[(false, false); 2], (3, 1, 0));
        check(&window, &[(false, false)], (3, 0, 0));
    }

    #[test]
    fn slow_and_failed_are_counted_apart() {
        let window = Bitmap::new(2, true);
        check(&window, &[(true, true)], (1, 1, 1));
        check(&window, &[(false, true)], (2, 1, 2));
        check(&window, &[(false, false)], (2, 0, 1));
    }

    #[test]
    fn the_widest_windows_hold_all_their_calls() {
        check(&Bitmap::new(42, false), &[(true, false); 50], (42, 42, 0));
        check(&Bitmap::new(21, true), &[(true, true); 50], (21, 21, 21));
        let window = Bitmap::new(21, true);
        check(&window, &[(true, false); 50], (21, 21, 0));
        check(&window, &[(false, false); 21], (21, 0, 0));
    }

    #[test]
    fn where_slow_calls_are_not_watched_they_take_no_bits() {
        check(&Bitmap::new(42, false), &[(false, true); 42], (42, 0, 0));
    }

    #[test]
    fn a_late_result_changes_nothing_and_a_new_generation_begins_empty() {
        let window = Bitmap::new(4, false);
        check(&window, &[(true, false)], (1, 1, 0));
        let bad = Sample {
            bad: true,
            slow: false,
        };
        assert_eq!(window.record(7, bad, || false), None);
        check(&window, &[], (1, 1, 0));
        assert_eq!(window.counts(2), Counts::default());
        let first = window.record(2, bad, || true);
        assert_eq!(
            first,
            Some(Counts {
                calls: 1,
                failures: 1,
                slow: 0
            })
        );
    }
}
