//! A little chance, so that replicas do not ask in step.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::time::Duration;

/// Random numbers that only have to differ between processes: xorshift, seeded by the standard
/// library's random hasher.
#[derive(Debug)]
pub(crate) struct Jitter {
    state: u64,
}

impl Jitter {
    pub(crate) fn new() -> Self {
        let seed = RandomState::new().build_hasher().finish();
        Self::seeded(seed)
    }

    fn seeded(seed: u64) -> Self {
        // Zero is the one state that xorshift does not leave.
        Self { state: seed | 1 }
    }

    /// From 0 to 1.
    fn next(&mut self) -> f64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        let upper = u32::try_from(self.state >> 32).unwrap_or(u32::MAX);
        f64::from(upper) / f64::from(u32::MAX)
    }

    /// A delay before the first run: up to `part` of the interval.
    pub(crate) fn first(&mut self, interval: Duration, part: f64) -> Duration {
        scale(interval, self.next() * part)
    }

    /// The interval, up to `part` longer or shorter.
    pub(crate) fn spread(&mut self, interval: Duration, part: f64) -> Duration {
        scale(interval, 1.0 + (self.next() * 2.0 - 1.0) * part)
    }
}

fn scale(interval: Duration, factor: f64) -> Duration {
    let seconds = interval.as_secs_f64() * factor;
    Duration::try_from_secs_f64(seconds).unwrap_or(interval)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stays_within_its_part() {
        let mut jitter = Jitter::seeded(0);
        let interval = Duration::from_secs(10);
        let spread: Vec<_> = (0..1000).map(|_| jitter.spread(interval, 0.1)).collect();
        let (least, most) = (spread.iter().min().unwrap(), spread.iter().max().unwrap());
        assert!((9.0..9.1).contains(&least.as_secs_f64()), "{least:?}");
        assert!((10.9..=11.0).contains(&most.as_secs_f64()), "{most:?}");
        assert!((0..1000).all(|_| jitter.first(interval, 0.1) <= Duration::from_secs(1)));
    }

    #[test]
    fn no_jitter_is_exact() {
        let mut jitter = Jitter::new();
        let interval = Duration::from_millis(1234);
        assert_eq!(jitter.spread(interval, 0.0), interval);
        assert_eq!(jitter.first(interval, 0.0), Duration::ZERO);
    }
}
