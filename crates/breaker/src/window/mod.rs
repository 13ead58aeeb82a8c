//! What a closed breaker remembers of its calls.
//!
//! Four structures, one protocol. A permit belongs to a generation; a recorder
//!
//! 1. reads the word that it is about to change,
//! 2. asks whether its generation is still the current one, unless the word itself says so,
//! 3. swaps exactly the word it has read.
//!
//! In this order a word that a later generation has touched is never overwritten: had it been
//! touched before (1), then (2), which the acquiring load of (1) keeps behind it, would see that
//! later generation; had it been touched after, (3) fails. So nobody resets a window. The first
//! recorder of a generation finds a foreign tag and installs a fresh word.
//!
//! Orderings: words are read with acquire and swapped with release, which is what the argument
//! above needs. Where a threshold depends on two words, the file says how they are ordered.

mod bitmap;
mod buckets;
mod ring;
mod streak;

pub(crate) use bitmap::Bitmap;
pub(crate) use buckets::{Buckets, MOST};
pub(crate) use ring::{LARGEST, Ring};
pub(crate) use streak::Streak;

use crate::judge::Counts;
use crate::outcome::Sample;

/// The discriminant is a byte of its own, not a niche, so that asking for the kind is one comparison.
#[derive(Debug)]
#[repr(u8)]
pub(crate) enum Window {
    Streak(Streak),
    Bitmap(Bitmap),
    Ring(Ring),
    Buckets(Buckets),
}

impl Window {
    /// Whether one more clean call of a generation would change nothing. Loads, and no more: all
    /// that a healthy call costs after its work.
    #[inline]
    pub(crate) fn is_quiet(&self, generation: u32) -> bool {
        match self {
            Self::Streak(window) => window.is_quiet(),
            _ => self.is_quiet_counted(generation),
        }
    }

    // Out of line, since a match of two ways is a comparison, and one of four a jump through a
    // table that costs more than all the rest.
    #[inline(never)]
    fn is_quiet_counted(&self, generation: u32) -> bool {
        match self {
            Self::Ring(window) => window.is_quiet(generation),
            Self::Bitmap(window) => window.is_quiet(generation),
            // Here each call is counted.
            Self::Streak(_) | Self::Buckets(_) => false,
        }
    }

    /// Records one call of a generation. `live` tells whether the generation is still the current
    /// one, `now` the time in milliseconds.
    ///
    /// Returns what the window holds then, if that might be a reason to open.
    pub(crate) fn record(
        &self,
        generation: u32,
        sample: Sample,
        live: impl Fn() -> bool,
        now: impl Fn() -> u64,
    ) -> Option<Counts> {
        match self {
            Self::Streak(window) => window.record(generation, sample, live),
            Self::Bitmap(window) => window.record(generation, sample, live),
            Self::Ring(window) => window.record(generation, sample, live),
            Self::Buckets(window) => window.record(generation, sample, live, now),
        }
    }

    /// What the window holds of a generation.
    pub(crate) fn counts(&self, generation: u32, now: impl Fn() -> u64) -> Counts {
        match self {
            Self::Streak(window) => window.counts(generation),
            Self::Bitmap(window) => window.counts(generation),
            Self::Ring(window) => window.counts(generation),
            Self::Buckets(window) => window.counts(generation, now()),
        }
    }
}
