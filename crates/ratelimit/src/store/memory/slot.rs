//! How a key's state is packed into a slot of two or four words.
//!
//! Every slot begins with the *tag* (a keyed hash of the key; 0: never used) and the *head*, which is
//! the word that is compared and swapped. The head's upper bits are a generation that changes whenever
//! the slot changes its key, or whenever words beside the head change; so one comparison of the head
//! vouches for the whole slot.

use crate::machine::{State, Windows};

/// The words of one slot, without its tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Content {
    pub(super) head: u64,
    /// The words beside the head; zero where the layout has none.
    pub(super) beside: [u64; 2],
}

impl Content {
    pub(super) const EMPTY: Self = Self {
        head: 0,
        beside: [0; 2],
    };
}

/// A way to pack state.
pub(super) trait Layout: 'static {
    /// Words of a slot, tag and head among them.
    const WORDS: usize;
    /// The lowest bit of the generation in the head.
    const GENERATION: u32;

    fn unpack(content: Content) -> State;

    /// The content for `state`, of generation 0. `life` is how long the state matters after its
    /// window began, for states that do not tell.
    fn pack(state: State, life: u64) -> Content;

    /// The time from which on this content means the same as none.
    fn expires(content: Content) -> u64;
}

/// Two words, for GCRA and for blocks: a moment of 52 bits in microseconds, which reach to the year
/// 2077 as Unix time with the longest refill on top, and a generation of 12.
///
/// 12 bits suffice. A stale compare-and-swap that succeeds needs a thread which sleeps between its
/// load and its swap while the slot changes keys a multiple of 4,096 times, and ends up with the very
/// same microsecond.
#[derive(Debug)]
pub(super) struct Narrow;

impl Layout for Narrow {
    const WORDS: usize = 2;
    const GENERATION: u32 = 52;

    #[inline]
    fn unpack(content: Content) -> State {
        State::Gcra {
            tat: content.head & MOMENT,
        }
    }

    #[inline]
    fn pack(state: State, _life: u64) -> Content {
        match state {
            // The very last moment is spared, so that no content looks like `BUSY`.
            State::Gcra { tat } => Content {
                head: tat.min(MOMENT - 1),
                beside: [0; 2],
            },
            State::Windows(_) => Content::EMPTY,
        }
    }

    #[inline]
    fn expires(content: Content) -> u64 {
        content.head & MOMENT
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
    const WORDS: usize = 4;
    const GENERATION: u32 = 32;

    #[inline]
    fn unpack(content: Content) -> State {
        let [start, rest] = content.beside;
        State::Windows(Windows {
            start,
            current: low(content.head),
            earlier: low(rest >> 32),
        })
    }

    #[inline]
    fn pack(state: State, life: u64) -> Content {
        match state {
            State::Windows(Windows {
                start,
                current,
                earlier,
            }) => Content {
                head: u64::from(current),
                beside: [
                    start,
                    u64::from(earlier) << 32 | life.div_ceil(LIFE_UNIT).min(u64::from(u32::MAX)),
                ],
            },
            State::Gcra { .. } => Content::EMPTY,
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
        for tat in [0, 1, 1_700_000_000_000_000, MOMENT - 1] {
            let content = Narrow::pack(State::Gcra { tat }, 0);
            assert_eq!(Narrow::unpack(content), State::Gcra { tat });
            assert_eq!(Narrow::expires(content), tat);
            assert_eq!(content.head >> Narrow::GENERATION, 0);
        }
        assert_eq!(
            Narrow::pack(State::Gcra { tat: u64::MAX }, 0).head,
            MOMENT - 1
        );
    }

    #[test]
    fn windows_come_back() {
        let max = u32::MAX;
        for (start, current, earlier) in [(0, 0, 0), (1 << 51, max, max), (16_384, 1, 0), (5, 0, 1)]
        {
            let windows = State::Windows(Windows {
                start,
                current,
                earlier,
            });
            let content = Wide::pack(windows, 1);
            assert_eq!(Wide::unpack(content), windows);
            assert_eq!(content.head >> Wide::GENERATION, 0);
            let expires = if current == 0 && earlier == 0 {
                0
            } else {
                start + 16_384
            };
            assert_eq!(Wide::expires(content), expires);
        }
    }

    #[test]
    fn a_life_of_twice_the_longest_period_is_kept_whole() {
        let life = 2 * 366 * 86_400 * 1_000_000;
        let windows = State::Windows(Windows {
            start: 0,
            current: 1,
            earlier: 0,
        });
        let expires = Wide::expires(Wide::pack(windows, life));
        assert!((life..life + LIFE_UNIT).contains(&expires));
    }
}
