//! How long an open breaker stays open.

use crate::{ConfigError, Ratio, clock::millis};
use std::time::Duration;

/// How long an open breaker stays open: `min(base · factor^(k-1), max)`, spread by jitter, where k
/// counts the openings since it was last closed.
///
/// A failure that carries the upstream's own wait
/// ([`Outcome::FailureFor`](crate::Outcome::FailureFor)) is a floor for the opening it causes.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
#[non_exhaustive]
pub struct OpenTime {
    /// The first opening. Default: 30 seconds, long enough for a restart or a failover, and what
    /// most breakers in use are set to.
    #[cfg_attr(feature = "serde", serde(with = "crate::humane::duration"))]
    pub base: Duration,
    /// What each further opening without a closing between multiplies it by. Default: 1, a fixed
    /// time, because it is what a reader of `30s` expects.
    pub factor: f64,
    /// The longest opening, before jitter. Default: 5 minutes, beyond which a recovered dependency
    /// would stay unused for longer than anybody watches.
    #[cfg_attr(feature = "serde", serde(with = "crate::humane::duration"))]
    pub max: Duration,
    /// How far the time is spread in both directions. Default: 0. With many processes in front of
    /// one dependency set it to 0.1 or so, lest they all probe in the same instant.
    pub jitter: Ratio,
    /// The longest wait that is taken from the upstream. Default: 5 minutes: a header that somebody
    /// else writes must not switch the dependency off for a day.
    #[cfg_attr(feature = "serde", serde(with = "crate::humane::duration"))]
    pub upstream_max: Duration,
}

/// A year. Every open time is at most that, so that a deadline always fits the state word.
pub(crate) const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);

impl Default for OpenTime {
    fn default() -> Self {
        Self {
            base: Duration::from_secs(30),
            factor: 1.0,
            max: Duration::from_secs(300),
            jitter: Ratio::ZERO,
            upstream_max: Duration::from_secs(300),
        }
    }
}

impl OpenTime {
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        check_wait("open.base", self.base)?;
        if !(1.0..=1_000.0).contains(&self.factor) {
            return Err(ConfigError::new(
                "open.factor",
                "a number from 1 to 1000",
                self.factor,
            ));
        }
        if self.factor > 1.0 && self.max < self.base {
            return Err(ConfigError::new("open.max", "at least open.base", self.max));
        }
        if self.max > LONGEST {
            return Err(ConfigError::new("open.max", "at most a year", self.max));
        }
        if self.jitter == Ratio::ONE {
            return Err(ConfigError::new(
                "open.jitter",
                "less than 1",
                self.jitter.get(),
            ));
        }
        if self.upstream_max > LONGEST {
            return Err(ConfigError::new(
                "open.upstream_max",
                "at most a year",
                self.upstream_max,
            ));
        }
        Ok(())
    }

    /// The milliseconds of the `k`th opening in a row. `roll` is evenly distributed.
    pub(crate) fn wait(&self, k: u32, roll: u64, floor: Option<Duration>) -> u64 {
        let spread = 1.0 + self.jitter.get() * (2.0 * unit(roll) - 1.0);
        let wait = whole_millis(self.nominal(k).mul_f64(spread)).max(1);
        wait.max(floor.map_or(0, |floor| millis(floor.min(self.upstream_max))))
    }

    /// Before jitter. With factor 1 `max` does not matter: the time is `base`.
    fn nominal(&self, k: u32) -> Duration {
        if self.factor <= 1.0 {
            return self.base;
        }
        let power = i32::try_from(k.saturating_sub(1)).unwrap_or(i32::MAX);
        let seconds = self.base.as_secs_f64() * self.factor.powi(power);
        // Too large a number, infinity included, is no duration and means that the cap was passed.
        Duration::try_from_secs_f64(seconds).map_or(self.max, |grown| grown.min(self.max))
    }
}

/// A wait of at least a millisecond, the unit of the state word, and at most a year.
pub(crate) fn check_wait(key: &'static str, wait: Duration) -> Result<(), ConfigError> {
    if (Duration::from_millis(1)..=LONGEST).contains(&wait) {
        return Ok(());
    }
    Err(ConfigError::new(key, "from 1 millisecond to a year", wait))
}

/// Nearest whole millisecond, since floating point leaves a nanosecond too many or too few.
fn whole_millis(duration: Duration) -> u64 {
    millis(duration.saturating_add(Duration::from_micros(500)))
}

/// The upper half of the roll as a number between 0 and 1.
fn unit(roll: u64) -> f64 {
    f64::from((roll >> 32) as u32) / f64::from(u32::MAX)
}

/// One step of splitmix64 (Steele, Lea, Flood 2014): spreads a seed and a generation into a roll, so
/// that the jitter of a generation is a fact that may be computed twice.
pub(crate) fn roll(seed: u64, generation: u32) -> u64 {
    let mut z = seed.wrapping_add(u64::from(generation).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn growing(base: u64, factor: f64, max: u64) -> OpenTime {
        OpenTime {
            base: Duration::from_millis(base),
            factor,
            max: Duration::from_millis(max),
            ..OpenTime::default()
        }
    }

    #[test]
    fn each_opening_in_a_row_multiplies_the_time_up_to_the_cap() {
        let open = growing(1_000, 2.0, 5_000);
        let waits: Vec<u64> = (1..=6).map(|k| open.wait(k, 0, None)).collect();
        assert_eq!(waits, [1_000, 2_000, 4_000, 5_000, 5_000, 5_000]);
        assert_eq!(open.wait(u32::MAX, 0, None), 5_000);
    }

    #[test]
    fn fractions_land_on_the_nearest_millisecond() {
        assert_eq!(growing(100, 1.1, 10_000).wait(2, 0, None), 110);
        assert_eq!(growing(50, 1.5, 10_000).wait(3, 0, None), 113);
    }

    #[test]
    fn a_fixed_time_ignores_the_cap() {
        assert_eq!(growing(600_000, 1.0, 300_000).wait(9, 0, None), 600_000);
    }

    #[test]
    fn jitter_spreads_in_both_directions_and_no_further() {
        let mut open = growing(1_000, 1.0, 1_000);
        open.jitter = Ratio::percent(10);
        assert_eq!(open.wait(1, 0, None), 900);
        assert_eq!(open.wait(1, u64::MAX, None), 1_100);
        let waits: Vec<u64> = (0..100).map(|k| open.wait(1, roll(7, k), None)).collect();
        assert!(
            waits.iter().any(|w| *w < 950) && waits.iter().any(|w| *w > 1_050),
            "{waits:?}"
        );
    }

    #[test]
    fn the_upstreams_wait_is_a_floor_with_a_ceiling() {
        let open = growing(1_000, 1.0, 1_000);
        assert_eq!(open.wait(1, 0, Some(Duration::from_millis(500))), 1_000);
        assert_eq!(open.wait(1, 0, Some(Duration::from_secs(7))), 7_000);
        assert_eq!(open.wait(1, 0, Some(Duration::MAX)), 300_000);
    }

    #[test]
    fn the_bounds_themselves_are_allowed() {
        let year = growing(1, 2.0, millis(LONGEST));
        let bounds = [
            growing(2, 1.0, 1),
            growing(2, 2.0, 2),
            OpenTime {
                upstream_max: LONGEST,
                ..year
            },
        ];
        for open in bounds {
            assert_eq!(open.check(), Ok(()), "{open:?}");
        }
    }

    #[test]
    fn rolls_are_those_of_the_published_generator() {
        // The first numbers of splitmix64 from seed 0.
        let rolls = [1, 2, 3].map(|generation| roll(0, generation));
        let published = [
            0xE220_A839_7B1D_CDAF,
            0x6E78_9E6A_A1B9_65F4,
            0x06C4_5D18_8009_454F,
        ];
        assert_eq!(rolls, published);
    }

    #[test]
    fn nonsense_is_refused_by_name() {
        let cases = [
            ("open.base", growing(0, 1.0, 1)),
            ("open.factor", growing(1, 0.5, 1)),
            ("open.factor", growing(1, f64::NAN, 1)),
            ("open.max", growing(2, 2.0, 1)),
            ("open.max", growing(2, 2.0, u64::MAX)),
            (
                "open.jitter",
                OpenTime {
                    jitter: Ratio::ONE,
                    ..OpenTime::default()
                },
            ),
            (
                "open.upstream_max",
                OpenTime {
                    upstream_max: Duration::MAX,
                    ..OpenTime::default()
                },
            ),
        ];
        for (key, open) in cases {
            assert_eq!(
                open.check().map_err(|error| error.key()),
                Err(key),
                "{open:?}"
            );
        }
    }
}
