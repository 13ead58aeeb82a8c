//! The calls of the last while, in buckets that expire by being ignored.
//!
//! Time is cut into ticks. A bucket is a tagged word for each count, `tag : 32 | count : 32`, and a
//! tag is the tick plus a large step for each generation. So buckets of an earlier generation look
//! like buckets of long ago; nobody sweeps, rotates or resets. A tag comes back after 2^32 ticks: a
//! bucket would have to lie untouched for precisely so long (49 days at a millisecond a tick, the
//! shortest there is) to be taken for a fresh one.
//!
//! A scan over the buckets is made only when it can matter: after a failed or slow call, and, where
//! successes may open the breaker, after the first success in a tick and those below the minimum of
//! calls, provided that the window holds a failed or slow call at all. Healthy traffic never scans.

use crate::judge::Counts;
use crate::outcome::Sample;
use crate::sync::{AtomicU32, AtomicU64, Ordering};

#[derive(Debug)]
pub(crate) struct Buckets {
    /// A power of two, at least `live`, so that a bucket is found by a mask.
    buckets: Box<[Bucket]>,
    /// How many of them the window comprises.
    live: u32,
    /// Milliseconds.
    tick: u64,
    /// How many calls a scan must find for the successes of the same tick to be spared another.
    min_calls: u32,
    /// Whether a clean call may open the breaker.
    on_success: bool,
    /// The tag of the last failed or slow call.
    spotted: AtomicU32,
    /// The tag in which a scan has found the minimum of calls.
    scanned: AtomicU32,
}

#[derive(Debug)]
struct Bucket {
    calls: AtomicU64,
    failures: AtomicU64,
    slow: AtomicU64,
}

/// The most buckets that a window may have.
pub(crate) const MOST: u32 = 128;

impl Buckets {
    pub(crate) fn new(live: u32, tick: u64, min_calls: u32, on_success: bool) -> Self {
        debug_assert!((1..=MOST).contains(&live) && tick > 0);
        // Generations start at 1, so that tag 0 lies before the first window.
        let blank = || AtomicU64::new(0);
        let buckets = (0..live.next_power_of_two())
            .map(|_| Bucket {
                calls: blank(),
                failures: blank(),
                slow: blank(),
            })
            .collect();
        Self {
            buckets,
            live,
            tick,
            min_calls,
            on_success,
            spotted: AtomicU32::new(0),
            scanned: AtomicU32::new(0),
        }
    }

    pub(crate) fn record(
        &self,
        generation: u32,
        sample: Sample,
        live: impl Fn() -> bool,
        now: impl Fn() -> u64,
    ) -> Option<Counts> {
        let (tag, first) = self.add(generation, sample, &live, now)?;
        if !sample.is_clean() {
            // Relaxed, here and below: the two tags only save scans, and are ordered by what follows.
            self.spotted.store(tag, Ordering::Relaxed);
            // Two calls that complete a crossing together must not miss each other: a success
            // writes the calls and reads the failures, we did it the other way round. Reading by
            // read-modify-write puts us before or after the success, which then sees our failure
            // or we its call. (Unless they fall into different ticks: then the next call sees both.)
            self.bucket(tag).calls.fetch_add(0, Ordering::AcqRel);
            return Some(self.sum(tag));
        }
        let spared = !first && self.scanned.load(Ordering::Relaxed) == tag;
        if !self.on_success || spared || !self.covers(tag, self.spotted.load(Ordering::Relaxed)) {
            return None;
        }
        let counts = self.sum(tag);
        if counts.calls >= self.min_calls {
            self.scanned.store(tag, Ordering::Relaxed);
        }
        Some(counts)
    }

    /// Counts one call and returns its tag, and whether it is the first of its tick.
    ///
    /// Should the bucket be ahead of the caller, the caller may have slept since it read the clock:
    /// it reads again and counts for the present. If the clock confirms the earlier tick, it was
    /// put back, and what the bucket holds belongs to a future that was called off.
    fn add(
        &self,
        generation: u32,
        sample: Sample,
        live: &impl Fn() -> bool,
        now: impl Fn() -> u64,
    ) -> Option<(u32, bool)> {
        let mut tag = self.tag(generation, now());
        let mut put_back = false;
        loop {
            let bucket = self.bucket(tag);
            let first = match count(&bucket.calls, tag, put_back, live) {
                Added::First => true,
                Added::Further => false,
                Added::Late => return None,
                Added::Behind => {
                    let present = self.tag(generation, now());
                    put_back = !is_ahead(present, tag);
                    tag = present;
                    continue;
                }
            };
            for (word, counts) in [(&bucket.failures, sample.bad), (&bucket.slow, sample.slow)] {
                // A bucket that was whole a moment ago and is not now has expired meanwhile.
                if counts
                    && matches!(
                        count(word, tag, put_back, live),
                        Added::Late | Added::Behind
                    )
                {
                    return None;
                }
            }
            return Some((tag, first));
        }
    }

    pub(crate) fn counts(&self, generation: u32, now: u64) -> Counts {
        self.sum(self.tag(generation, now))
    }

    fn sum(&self, tag: u32) -> Counts {
        let count = |word: &AtomicU64| {
            let word = word.load(Ordering::Acquire);
            if self.covers(tag, tag_of(word)) {
                count_of(word)
            } else {
                0
            }
        };
        let mut counts = Counts::default();
        for bucket in &self.buckets {
            // Failures before calls: who adds does it the other way round, so that there are never
            // more failures than calls.
            counts.failures = counts.failures.saturating_add(count(&bucket.failures));
            counts.slow = counts.slow.saturating_add(count(&bucket.slow));
            counts.calls = counts.calls.saturating_add(count(&bucket.calls));
        }
        counts
    }

    /// Whether a bucket with this tag belongs to the window that ends with `tag`. Slightly later
    /// ones do: whoever counted there has a clock that is a little ahead.
    fn covers(&self, tag: u32, bucket: u32) -> bool {
        let behind = tag.wrapping_sub(bucket);
        behind < self.live || behind.wrapping_neg() < self.live
    }

    fn bucket(&self, tag: u32) -> &Bucket {
        let mask = self.buckets.len() - 1;
        &self.buckets[usize::try_from(tag).unwrap_or(0) & mask]
    }

    /// Ticks of different generations lie further apart than two windows.
    fn tag(&self, generation: u32, now: u64) -> u32 {
        let tick = ((now / self.tick) & 0xFFFF_FFFF) as u32;
        tick.wrapping_add(generation.wrapping_mul(STEP))
    }
}

/// Beyond the reach of [`Buckets::covers`] in both directions, whatever the size.
const STEP: u32 = 2 * MOST;
const _: () = assert!(STEP > MOST + MOST - 1);

enum Added {
    /// The first count of its tick.
    First,
    Further,
    /// Nothing was added: the generation is over.
    Late,
    /// Nothing was added: the bucket is ahead of the tag.
    Behind,
}

/// Adds one to a count of this tag.
fn count(word: &AtomicU64, tag: u32, put_back: bool, live: &impl Fn() -> bool) -> Added {
    loop {
        let held = word.load(Ordering::Acquire);
        let further = tag_of(held) == tag;
        if !live() {
            return Added::Late;
        }
        if !put_back && is_ahead(tag_of(held), tag) {
            return Added::Behind;
        }
        let calls = if further {
            count_of(held).saturating_add(1)
        } else {
            1
        };
        let next = pack(tag, calls);
        if word
            .compare_exchange_weak(held, next, Ordering::AcqRel, Ordering::Relaxed)
            .is_ok()
        {
            return if further {
                Added::Further
            } else {
                Added::First
            };
        }
    }
}

/// Whether tag `a` is later than `b`: less than half the circle ahead.
fn is_ahead(a: u32, b: u32) -> bool {
    let ahead = a.wrapping_sub(b);
    ahead != 0 && ahead < 1 << 31
}

fn pack(tag: u32, count: u32) -> u64 {
    (u64::from(tag) << 32) | u64::from(count)
}

fn tag_of(word: u64) -> u32 {
    (word >> 32) as u32
}

fn count_of(word: u64) -> u32 {
    (word & 0xFFFF_FFFF) as u32
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use super::*;
    use std::cell::Cell;

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

    /// Four buckets of 100 ms; a scan needs four calls.
    fn window() -> Buckets {
        Buckets::new(4, 100, 4, true)
    }

    fn put(window: &Buckets, generation: u32, now: u64, sample: Sample) -> Option<Counts> {
        window.record(generation, sample, || true, || now)
    }

    #[track_caller]
    fn check(window: &Buckets, generation: u32, now: u64, expected: (u32, u32, u32)) {
        let Counts {
            calls,
            failures,
            slow,
        } = window.counts(generation, now);
        assert_eq!((calls, failures, slow), expected);
    }

    #[test]
    fn the_window_forgets_whole_buckets() {
        let window = window();
        put(&window, 1, 50, BAD);
        put(&window, 1, 199, SLOW);
        check(&window, 1, 399, (2, 1, 1));
        check(&window, 1, 400, (1, 0, 1));
        check(&window, 1, 500, (0, 0, 0));
    }

    #[test]
    fn a_bucket_that_comes_round_again_starts_from_nothing() {
        let window = window();
        put(&window, 1, 0, BAD);
        put(&window, 1, 400, OK);
        check(&window, 1, 400, (1, 0, 0));
    }

    #[test]
    fn a_number_of_buckets_that_is_no_power_of_two_forgets_in_time() {
        let window = Buckets::new(3, 100, 1, true);
        put(&window, 1, 0, BAD);
        check(&window, 1, 299, (1, 1, 0));
        check(&window, 1, 300, (0, 0, 0));
    }

    #[test]
    fn an_idle_gap_of_any_length_empties_it() {
        for gap in [400, 1 << 20, 100 << 22, 100 << 31, (100 << 32) - 400] {
            let window = window();
            put(&window, 1, 0, BAD);
            check(&window, 1, gap, (0, 0, 0));
        }
    }

    #[test]
    fn generations_do_not_mix_even_within_a_tick() {
        let window = window();
        put(&window, 1, 0, BAD);
        check(&window, 2, 0, (0, 0, 0));
        put(&window, 2, 0, BAD);
        check(&window, 2, 0, (1, 1, 0));
        let last = (1 << 22) - 1;
        put(&window, last, 0, BAD);
        put(&window, 0, 0, BAD);
        check(&window, 0, 0, (1, 1, 0));
    }

    #[test]
    fn healthy_calls_are_not_scanned() {
        let window = window();
        for now in 0..1_000 {
            assert_eq!(put(&window, 1, now, OK), None);
        }
    }

    #[test]
    fn a_success_scans_below_the_minimum_and_once_a_tick() {
        let window = window();
        let scans = |now| put(&window, 1, now, OK).is_some();
        assert!(put(&window, 1, 0, BAD).is_some());
        assert_eq!(
            [scans(0), scans(0), scans(0), scans(0)],
            [true, true, true, false]
        );
        assert_eq!([scans(100), scans(100)], [true, false]);
        assert_eq!(
            [scans(400), scans(400)],
            [false, false],
            "the failure has expired"
        );
    }

    #[test]
    fn where_successes_never_trip_they_never_scan() {
        let window = Buckets::new(4, 100, 4, false);
        assert!(put(&window, 1, 0, BAD).is_some());
        assert_eq!(put(&window, 1, 0, OK), None);
    }

    #[test]
    fn a_caller_that_slept_counts_for_the_present() {
        let window = window();
        put(&window, 1, 400, OK);
        let reading = Cell::new(0);
        let now = || reading.replace(500);
        window.record(1, BAD, || true, now);
        check(&window, 1, 500, (2, 1, 0));
    }

    #[test]
    fn a_clock_that_was_put_back_does_not_blind_the_window() {
        let window = window();
        for now in (0..1_000).step_by(100) {
            put(&window, 1, now, OK);
        }
        put(&window, 1, 0, BAD);
        check(&window, 1, 0, (1, 1, 0));
    }

    #[test]
    fn a_late_result_changes_nothing() {
        let window = window();
        put(&window, 2, 0, BAD);
        assert_eq!(window.record(1, BAD, || false, || 0), None);
        check(&window, 2, 0, (1, 1, 0));
    }

    #[test]
    fn tags_are_ordered_on_a_circle() {
        assert!(is_ahead(1, 0) && is_ahead(0, u32::MAX));
        assert!(!is_ahead(0, 0) && !is_ahead(0, 1));
        assert!(!is_ahead(1 << 31, 0), "half a circle is neither");
    }
}
