//! The last N calls as a ring of slots, for large N.
//!
//! ```text
//! place   generation : 22 | full : 1 | lap : 8 | position : 20    where the next call goes
//! tally   generation : 22 | slow : 21 | failed : 21               what the slots add up to
//! slot    generation : 22 | lap : 8 | slow : 1 | failed : 1       one call
//! ```
//!
//! A call takes a place by swapping `place`, writes its slot, and settles the difference to what it
//! overwrote in `tally`. A slot is overwritten only by a later lap, so when nobody is in the midst
//! of it the slots hold precisely the last N calls in the order in which they took their places,
//! and `tally` is their sum. In between `tally` may lag, and for an instant even be negative; the
//! last to settle sees the whole sum, so no crossing of a threshold goes unnoticed.
//!
//! In a full window without a failed or slow call a clean call changes no sum, and where it stands
//! among its equals does not matter: it writes nothing. A bad call that has its place and is not in
//! the tally yet comes after it; the two overlap, so either order is true.

use crate::judge::Counts;
use crate::outcome::Sample;
use crate::sync::{AtomicU32, AtomicU64, Ordering};

#[derive(Debug)]
pub(crate) struct Ring {
    place: AtomicU64,
    tally: AtomicU64,
    slots: Box<[AtomicU32]>,
}

/// The largest window: 4 MB.
pub(crate) const LARGEST: u32 = 1_000_000;

#[derive(Clone, Copy, Default)]
struct Place {
    full: bool,
    lap: u32,
    position: u32,
}

const TAG_AT: u32 = 42;
const CONTENTS: u64 = (1 << TAG_AT) - 1;
const FULL_AT: u32 = 28;
const POSITION: u64 = (1 << 20) - 1;
const LAPS: u32 = 256;
const COUNT_BITS: u32 = 21;
const COUNT: u64 = (1 << COUNT_BITS) - 1;

impl Ring {
    pub(crate) fn new(size: u32) -> Self {
        debug_assert!((1..=LARGEST).contains(&size));
        Self {
            place: AtomicU64::new(0),
            tally: AtomicU64::new(0),
            slots: (0..size).map(|_| AtomicU32::new(0)).collect(),
        }
    }

    pub(crate) fn record(
        &self,
        generation: u32,
        sample: Sample,
        live: impl Fn() -> bool,
    ) -> Option<Counts> {
        if sample.is_clean() && self.is_quiet(generation) {
            return None;
        }
        let place = self.take(generation, &live)?;
        let evicted = self.write(generation, place, sample, &live)?;
        if sample == evicted {
            return Some(self.counts(generation));
        }
        self.settle(generation, sample, evicted, &live)?;
        // Two calls that complete a crossing together must not miss each other: one writes the
        // place and reads the tally, the other writes the tally and reads the place. Reading by
        // read-modify-write puts the second before or after the first's swap of the place, and so
        // either this reads that place, or that call sees our tally.
        let place = self.place.fetch_add(0, Ordering::AcqRel);
        Some(self.add_up(generation, place))
    }

    pub(crate) fn counts(&self, generation: u32) -> Counts {
        self.add_up(generation, self.place.load(Ordering::Acquire))
    }

    fn add_up(&self, generation: u32, place: u64) -> Counts {
        let tally = self.tally.load(Ordering::Acquire);
        let place = self.place(place, generation);
        let calls = if place.full {
            self.size()
        } else {
            place.position
        };
        let (failed, slow) = tally_of(tally, generation);
        let clamp = |count: u64| {
            // A count of 21 bits whose upper half stands for negative numbers.
            let count = if count > COUNT / 2 { 0 } else { count };
            u32::try_from(count).unwrap_or(0).min(calls)
        };
        Counts {
            calls,
            failures: clamp(failed),
            slow: clamp(slow),
        }
    }

    /// Whether the window is full and holds neither failed nor slow calls.
    #[inline]
    pub(crate) fn is_quiet(&self, generation: u32) -> bool {
        // Should the tally bear the tag of another generation, then no call of this one was failed
        // or slow, or the caller is late: either way there is nothing to do.
        let tally = self.tally.load(Ordering::Acquire);
        let place = self.place.load(Ordering::Acquire);
        let ours = |word: u64| word >> TAG_AT == u64::from(generation);
        ours(place) && (place >> FULL_AT) & 1 == 1 && (!ours(tally) || tally & CONTENTS == 0)
    }

    fn take(&self, generation: u32, live: &impl Fn() -> bool) -> Option<Place> {
        loop {
            let word = self.place.load(Ordering::Acquire);
            let place = self.place(word, generation);
            if !live() {
                return None;
            }
            let next = self.after(place);
            if swap(&self.place, word, pack_place(generation, next)) {
                return Some(place);
            }
        }
    }

    /// Writes a slot and returns what it overwrote. `None` when the call no longer counts: its
    /// generation is over, or whoever had the same place a lap later was faster.
    fn write(
        &self,
        generation: u32,
        place: Place,
        sample: Sample,
        live: &impl Fn() -> bool,
    ) -> Option<Sample> {
        let slot = &self.slots[usize::try_from(place.position).ok()?];
        loop {
            let word = slot.load(Ordering::Acquire);
            let ours = word >> 10 == generation;
            if ours && is_later((word >> 2) % LAPS, place.lap) {
                return None;
            }
            if !live() {
                return None;
            }
            let next = pack_slot(generation, place.lap, sample);
            let swapped =
                slot.compare_exchange_weak(word, next, Ordering::Release, Ordering::Relaxed);
            if swapped.is_ok() {
                let held = |bit: u32| ours && word & bit != 0;
                return Some(Sample {
                    bad: held(1),
                    slow: held(2),
                });
            }
        }
    }

    fn settle(
        &self,
        generation: u32,
        added: Sample,
        evicted: Sample,
        live: &impl Fn() -> bool,
    ) -> Option<()> {
        loop {
            let word = self.tally.load(Ordering::Acquire);
            let (failed, slow) = tally_of(word, generation);
            if !live() {
                return None;
            }
            let next = pack_tally(
                generation,
                shift(failed, added.bad, evicted.bad),
                shift(slow, added.slow, evicted.slow),
            );
            if swap(&self.tally, word, next) {
                return Some(());
            }
        }
    }

    fn place(&self, word: u64, generation: u32) -> Place {
        if word >> TAG_AT != u64::from(generation) {
            return Place::default();
        }
        Place {
            full: (word >> FULL_AT) & 1 == 1,
            lap: ((word >> 20) & 0xFF) as u32,
            position: (word & POSITION) as u32,
        }
    }

    fn after(&self, place: Place) -> Place {
        let position = place.position + 1;
        if position < self.size() {
            Place { position, ..place }
        } else {
            Place {
                full: true,
                lap: (place.lap + 1) % LAPS,
                position: 0,
            }
        }
    }

    fn size(&self) -> u32 {
        u32::try_from(self.slots.len()).unwrap_or(LARGEST)
    }
}

/// Whether lap `a` comes after lap `b`, on a circle of laps.
fn is_later(a: u32, b: u32) -> bool {
    let ahead = (a + LAPS - b) % LAPS;
    ahead != 0 && ahead < LAPS / 2
}

fn tally_of(word: u64, generation: u32) -> (u64, u64) {
    if word >> TAG_AT == u64::from(generation) {
        (word & COUNT, (word >> COUNT_BITS) & COUNT)
    } else {
        (0, 0)
    }
}

/// Counts modulo 2^21, where a subtraction that overtakes its addition comes out right in the end.
fn shift(count: u64, added: bool, evicted: bool) -> u64 {
    count
        .wrapping_add(u64::from(added))
        .wrapping_sub(u64::from(evicted))
        & COUNT
}

fn pack_place(generation: u32, place: Place) -> u64 {
    (u64::from(generation) << TAG_AT)
        | (u64::from(place.full) << FULL_AT)
        | (u64::from(place.lap) << 20)
        | u64::from(place.position)
}

fn pack_tally(generation: u32, failed: u64, slow: u64) -> u64 {
    (u64::from(generation) << TAG_AT) | (slow << COUNT_BITS) | failed
}

fn pack_slot(generation: u32, lap: u32, sample: Sample) -> u32 {
    (generation << 10) | (lap << 2) | (u32::from(sample.slow) << 1) | u32::from(sample.bad)
}

fn swap(word: &AtomicU64, from: u64, to: u64) -> bool {
    word.compare_exchange_weak(from, to, Ordering::AcqRel, Ordering::Relaxed)
        .is_ok()
}

#[cfg(all(test, not(loom)))]
impl Ring {
    /// The sum over the slots, which the tally must equal when all is quiet.
    pub(crate) fn recount(&self, generation: u32) -> (u32, u32) {
        let slots = self.slots.iter().map(|slot| slot.load(Ordering::Acquire));
        slots
            .filter(|word| word >> 10 == generation)
            .fold((0, 0), |(failed, slow), word| {
                (failed + (word & 1), slow + ((word >> 1) & 1))
            })
    }
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use super::*;
    use std::cell::Cell;

    const BAD: Sample = Sample {
        bad: true,
        slow: false,
    };
    const OK: Sample = Sample {
        bad: false,
        slow: false,
    };

    fn check(window: &Ring, generation: u32, samples: &[(bool, bool)], expected: (u32, u32, u32)) {
        for &(bad, slow) in samples {
            window.record(generation, Sample { bad, slow }, || true);
        }
        let Counts {
            calls,
            failures,
            slow,
        } = window.counts(generation);
        assert_eq!((calls, failures, slow), expected);
        assert_eq!(window.recount(generation), (failures, slow));
    }

    #[test]
    fn the_oldest_call_falls_out() {
        let window = Ring::new(3);
        check(&window, 1, &[(true, true)], (1, 1, 1));
        check(&window, 1, &[(false, false); 2], (3, 1, 1));
        check(&window, 1, &[(false, false)], (3, 0, 0));
    }

    #[test]
    fn laps_go_round_without_losing_count() {
        let window = Ring::new(5);
        for lap in 0..600 {
            let bad = lap % 2 == 0;
            check(
                &window,
                1,
                &[(bad, !bad); 5],
                (5, if bad { 5 } else { 0 }, if bad { 0 } else { 5 }),
            );
        }
    }

    #[test]
    fn a_spotless_window_is_not_written() {
        let window = Ring::new(3);
        check(&window, 1, &[(false, false); 3], (3, 0, 0));
        let before = window.place.load(Ordering::Relaxed);
        assert_eq!(window.record(1, OK, || true), None);
        assert_eq!(window.place.load(Ordering::Relaxed), before);
    }

    #[test]
    fn what_an_earlier_generation_left_in_the_slots_is_not_evicted() {
        let window = Ring::new(3);
        check(&window, 1, &[(true, false); 3], (3, 3, 0));
        check(&window, 2, &[(true, false)], (1, 1, 0));
        check(&window, 2, &[(false, false); 2], (3, 1, 0));
        check(&window, 2, &[(false, false)], (3, 0, 0));
    }

    #[test]
    fn a_generation_that_ends_midway_leaves_nothing() {
        // The recorder is alive for its place and its slot, and dead for the tally.
        for alive in 0..3 {
            let window = Ring::new(3);
            let asked = Cell::new(0);
            let live = || {
                asked.set(asked.get() + 1);
                asked.get() <= alive
            };
            assert_eq!(window.record(1, BAD, live), None);
            check(&window, 2, &[(false, false); 7], (3, 0, 0));
        }
    }

    #[test]
    fn a_recorder_that_is_a_lap_late_has_already_been_evicted() {
        let window = Ring::new(2);
        let late = window.take(1, &|| true).unwrap();
        check(&window, 1, &[(false, true); 3], (2, 0, 2));
        assert_eq!(window.write(1, late, BAD, &|| true), None);
        check(&window, 1, &[], (2, 0, 2));
    }

    #[test]
    fn an_eviction_that_overtakes_its_addition_leaves_no_trace() {
        let window = Ring::new(1);
        let first = window.take(1, &|| true).unwrap();
        let evicted = window.write(1, first, BAD, &|| true).unwrap();
        window.record(
            1,
            Sample {
                bad: false,
                slow: true,
            },
            || true,
        );
        assert_eq!(window.counts(1).failures, 0, "one less than none is none");
        window.settle(1, BAD, evicted, &|| true);
        check(&window, 1, &[], (1, 0, 1));
    }

    #[test]
    fn laps_are_ordered_on_a_circle() {
        assert!(is_later(1, 0) && is_later(0, 255) && is_later(100, 0));
        assert!(!is_later(0, 0) && !is_later(0, 1) && !is_later(255, 0));
        assert!(!is_later(128, 0), "half a circle is neither");
    }

    #[test]
    fn quiet_is_a_full_window_without_a_mark() {
        let window = Ring::new(3);
        check(&window, 1, &[(false, false); 2], (2, 0, 0));
        assert!(!window.is_quiet(1), "not full");
        check(&window, 1, &[(false, false)], (3, 0, 0));
        assert!(window.is_quiet(1), "of a tally that was never written");
        for mark in [(true, false), (false, true)] {
            let marked = (3, u32::from(mark.0), u32::from(mark.1));
            check(&window, 1, &[mark], marked);
            assert!(!window.is_quiet(1), "{mark:?}");
            check(&window, 1, &[(false, false); 3], (3, 0, 0));
            assert!(window.is_quiet(1), "of a tally that is back at nothing");
        }
        assert!(!window.is_quiet(2), "of another generation");
    }

    #[test]
    fn the_sums_do_not_touch() {
        let largest = u64::from(LARGEST);
        for sums in [(5, 3), (largest, 0), (0, largest), (largest, largest)] {
            assert_eq!(tally_of(pack_tally(7, sums.0, sums.1), 7), sums);
        }
        assert_eq!(tally_of(pack_tally(7, 1, 1), 8), (0, 0));
    }
}
