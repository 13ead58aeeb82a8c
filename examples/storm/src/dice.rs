//! Chance that can be repeated: everything drawn follows from the seed and a label.

use fastrand::Rng;

/// A source of numbers for one purpose. Two purposes never share one, so that drawing more for the
/// first does not change the second.
#[derive(Debug)]
pub(crate) struct Dice(Rng);

impl Dice {
    /// The dice of a purpose under a seed.
    pub(crate) fn new(seed: u64, purpose: &str) -> Self {
        // FNV-1a: spreads short labels well enough, and stays the same from build to build, which
        // the hashers of the standard library do not promise.
        let mixed = purpose
            .bytes()
            .chain(seed.to_le_bytes())
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
            });
        Self(Rng::with_seed(mixed))
    }

    /// A number from 0 up to, not including, `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0.usize(..end)
    }

    /// One of the given.
    ///
    /// # Panics
    ///
    /// When there is none.
    pub(crate) fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }

    /// Puts the given into an order by chance.
    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        self.0.shuffle(items);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draws(seed: u64, purpose: &str) -> [usize; 4] {
        let mut dice = Dice::new(seed, purpose);
        [(); 4].map(|()| dice.below(1_000_000))
    }

    #[test]
    fn the_same_seed_and_purpose_draw_the_same() {
        assert_eq!(draws(7, "garbage"), draws(7, "garbage"));
        assert_ne!(draws(7, "garbage"), draws(8, "garbage"));
        assert_ne!(draws(7, "garbage"), draws(7, "burst"));
    }
}
