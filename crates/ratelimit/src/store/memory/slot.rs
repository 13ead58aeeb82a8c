//! How a key's state is packed into a slot of two or four words.
//!
//! Every slot begins with the *tag* (a keyed hash of the key; 0: never used) and the *head*, which is
//! the word that is compared and swapped. The head's upper bits are a generation that changes whenever
//! the slot changes its key, or whenever words beside the head change; so one comparison of the head
//! vouches for the whole slot.

use crate::clock::Now;
use crate::machine::{Windows, gcra, window};
use crate::quota::{Algorithm, Quota};
use crate::store::Grant;
use crate::sync::AtomicU64;
use crate::verdict::Verdict;

/// The words of one slot, without its tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Content {
    pub(super) head: u64,
    /// The words beside the head; zero where the layout has none.
    pub(super) beside: [u64; 2],
}

/// A way to pack state, and the arithmetic that goes with it.
pub(super) trait Layout: 'static {
    /// What is packed.
    type State: Copy;

    /// The words of a slot: tag, head, and what stands beside it.
    type Slot: AsRef<[AtomicU64]>;

    /// How many they are.
    const WORDS: usize;
    /// The lowest bit of the generation in the head.
    const GENERATION: u32;
    /// The state of a key that was never seen.
    const FRESH: Self::State;

    /// Words as slots; what is left over at the end is no slot.
    fn slots(words: &[AtomicU64]) -> &[Self::Slot];

    fn unpack(content: Content) -> Self::State;

    /// The content for `state`, of generation 0.
    fn pack(state: Self::State, quota: &Quota) -> Content;

    /// The time from which on this content means the same as none.
    fn expires(content: Content) -> u64;

    /// The clock that the state is about.
    fn clock(now: Now) -> u64;

    fn consume(quota: &Quota, state: Self::State, cost: u32, now: u64) -> Option<Self::State>;
    fn clamped(quota: &Quota, state: Self::State, cost: u32, now: u64) -> Option<Self::State>;
    fn consume_up_to(quota: &Quota, state: Self::State, cost: u32, now: u64) -> Self::State;
    fn refund(
        quota: &Quota,
        state: Self::State,
        cost: u32,
        grant: Option<Grant>,
        now: u64,
    ) -> Self::State;
    fn measure(quota: &Quota, state: Self::State, cost: u32, now: u64, allowed: bool) -> Verdict;
}

/// Two words, for GCRA and for blocks: a moment of 52 bits in microseconds, which reach to the year
/// 2077 as Unix time with the longest refill on top, and a generation of 12.
///
/// 12 bits suffice. A stale compare-and-swap that succeeds needs a thread which sleeps between its
/// load and its swap while the slot changes keys a multiple of 4,096 times, and ends up with the very
/// same microsecond.
#[derive(Debug)]
pub(super) struct Narrow;

impl Narrow {
    /// The very last moment is spared, so that no content looks like `BUSY`.
    #[inline]
    pub(super) fn moment(tat: u64) -> u64 {
        tat.min(MOMENT - 1)
    }
}

impl Layout for Narrow {
    type State = u64;
    type Slot = [AtomicU64; 2];

    const WORDS: usize = 2;
    const GENERATION: u32 = 52;
    const FRESH: u64 = 0;

    #[inline]
    fn slots(words: &[AtomicU64]) -> &[[AtomicU64; 2]] {
        words.as_chunks().0
    }

    #[inline]
    fn unpack(content: Content) -> u64 {
        content.head & MOMENT
    }

    #[inline]
    fn pack(tat: u64, _quota: &Quota) -> Content {
        Content {
            head: Self::moment(tat),
            beside: [0; 2],
        }
    }

    #[inline]
    fn expires(content: Content) -> u64 {
        content.head & MOMENT
    }

    #[inline]
    fn clock(now: Now) -> u64 {
        now.mono_us()
    }

    #[inline]
    fn consume(quota: &Quota, tat: u64, cost: u32, now: u64) -> Option<u64> {
        gcra::consume(quota, tat, cost, now)
    }

    #[inline]
    fn clamped(quota: &Quota, tat: u64, cost: u32, now: u64) -> Option<u64> {
        gcra::clamped(quota, tat, cost, now)
    }

    #[inline]
    fn consume_up_to(quota: &Quota, tat: u64, cost: u32, now: u64) -> u64 {
        gcra::consume_up_to(quota, tat, cost, now)
    }

    #[inline]
    fn refund(quota: &Quota, tat: u64, cost: u32, grant: Option<Grant>, now: u64) -> u64 {
        gcra::refund(quota, tat, cost, grant.map(|grant| grant.paid_until()), now)
    }

    #[inline]
    fn measure(quota: &Quota, tat: u64, cost: u32, now: u64, allowed: bool) -> Verdict {
        gcra::measure(quota, tat, cost, now, allowed)
    }
}

const MOMENT: u64 = (1 << 52) - 1;

/// Four words, for windows: the head holds the count that most charges change alone, and a generation
/// of 32 bits; the start of the window, the earlier count and the life stand beside it.
///
/// Packing windows into one word was tried on paper. Two counts of 32 bits leave no room for the
/// number of the window; fewer bits mean a smaller largest limit, or numbers that come round again
/// and revive counts of long ago. Four words have neither, and GCRA does not pay for them.
#[derive(Debug)]
pub(super) struct Wide;

impl Layout for Wide {
    type State = Windows;
    type Slot = [AtomicU64; 4];

    const WORDS: usize = 4;
    const GENERATION: u32 = 32;
    const FRESH: Windows = Windows::EMPTY;

    #[inline]
    fn slots(words: &[AtomicU64]) -> &[[AtomicU64; 4]] {
        words.as_chunks().0
    }

    #[inline]
    fn unpack(content: Content) -> Windows {
        let [start, rest] = content.beside;
        Windows {
            start,
            current: low(content.head),
            earlier: low(rest >> 32),
        }
    }

    #[inline]
    fn pack(windows: Windows, quota: &Quota) -> Content {
        let life = match quota.algorithm() {
            Algorithm::SlidingWindow => 2 * quota.period_us(),
            _ => quota.period_us(),
        };
        let life = life.div_ceil(LIFE_UNIT).min(u64::from(u32::MAX));
        Content {
            head: u64::from(windows.current),
            beside: [windows.start, (u64::from(windows.earlier) << 32) | life],
        }
    }

    #[inline]
    fn expires(content: Content) -> u64 {
        let [start, rest] = content.beside;
        if low(content.head) == 0 && rest >> 32 == 0 {
            return 0;
        }
        start.saturating_add(u64::from(low(rest)) * LIFE_UNIT)
    }

    #[inline]
    fn clock(now: Now) -> u64 {
        now.unix_us()
    }

    #[inline]
    fn consume(quota: &Quota, windows: Windows, cost: u32, now: u64) -> Option<Windows> {
        window::consume(quota, windows, cost, now)
    }

    #[inline]
    fn clamped(quota: &Quota, windows: Windows, cost: u32, now: u64) -> Option<Windows> {
        window::clamped(quota, windows, cost, now)
    }

    #[inline]
    fn consume_up_to(quota: &Quota, windows: Windows, cost: u32, now: u64) -> Windows {
        window::consume_up_to(quota, windows, cost, now)
    }

    #[inline]
    fn refund(
        quota: &Quota,
        windows: Windows,
        cost: u32,
        grant: Option<Grant>,
        now: u64,
    ) -> Windows {
        window::refund(
            quota,
            windows,
            cost,
            grant.map(|grant| grant.at.unix_us()),
            now,
        )
    }

    #[inline]
    fn measure(quota: &Quota, windows: Windows, cost: u32, now: u64, allowed: bool) -> Verdict {
        window::measure(quota, windows, cost, now, allowed)
    }
}

/// About 16 ms: twice the longest period is less than 2^32 of them. A slot that is kept a little
/// longer than its window harms nobody.
const LIFE_UNIT: u64 = 1 << 14;

#[expect(
    clippy::cast_possible_truncation,
    reason = "the low half is what is asked for"
)]
const fn low(word: u64) -> u32 {
    word as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_come_back() {
        let quota = Quota::per_second(1);
        for tat in [0, 1, 1_700_000_000_000_000, MOMENT - 1] {
            let content = Narrow::pack(tat, &quota);
            assert_eq!(Narrow::unpack(content), tat);
            assert_eq!(Narrow::expires(content), tat);
            assert_eq!(content.head >> Narrow::GENERATION, 0);
        }
        assert_eq!(Narrow::pack(u64::MAX, &quota).head, MOMENT - 1);
    }

    #[test]
    fn windows_come_back() {
        let max = u32::MAX;
        let fixed = Quota::per_second(1).with_algorithm(Algorithm::FixedWindow);
        let sliding = fixed.with_algorithm(Algorithm::SlidingWindow);
        for (quota, life) in [(fixed, 1_000_000), (sliding, 2_000_000)] {
            for (start, current, earlier) in
                [(0, 0, 0), (1 << 51, max, max), (16_384, 1, 0), (5, 0, 1)]
            {
                let windows = Windows {
                    start,
                    current,
                    earlier,
                };
                let content = Wide::pack(windows, &quota);
                assert_eq!(Wide::unpack(content), windows);
                assert_eq!(content.head >> Wide::GENERATION, 0);
                let expires = Wide::expires(content);
                if current == 0 && earlier == 0 {
                    assert_eq!(expires, 0);
                } else {
                    assert!((start + life..start + life + LIFE_UNIT).contains(&expires));
                }
            }
        }
    }

    #[test]
    fn a_life_of_twice_the_longest_period_is_kept_whole() {
        let quota = Quota::new(1, Quota::LONGEST_PERIOD).unwrap();
        let quota = quota.with_algorithm(Algorithm::SlidingWindow);
        let life = 2 * quota.period_us();
        let windows = Windows {
            start: 0,
            current: 1,
            earlier: 0,
        };
        let expires = Wide::expires(Wide::pack(windows, &quota));
        assert!((life..life + LIFE_UNIT).contains(&expires));
    }
}
