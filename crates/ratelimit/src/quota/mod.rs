//! How much may be used in how long, and counted in which way.

mod parse;
mod text;

use std::time::Duration;

pub use parse::QuotaError;

/// A limit for a period, its burst and the algorithm that counts it.
///
/// A quota is plain data and is handed to the store with every check, so a different quota for each
/// key, or another one from now on, costs nothing. A quota that exists is one that can be counted
/// exactly: whole microseconds, at most one unit a microsecond.
///
/// # Examples
///
/// ```
/// use seawall_ratelimit::{Algorithm, Quota, quota};
///
/// let search = Quota::per_minute(100).with_burst(20);
/// assert_eq!(search.burst(), 20);
///
/// const LOGIN: Quota = quota!("5 per 15 minutes; algorithm=fixed_window");
/// assert_eq!(LOGIN.algorithm(), Algorithm::FixedWindow);
/// # Ok::<(), seawall_ratelimit::QuotaError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Quota {
    limit: u32,
    burst: u32,
    period_us: u64,
    interval_us: u64,
    algorithm: Algorithm,
}

/// How a quota is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Algorithm {
    /// The generic cell rate algorithm, a token bucket kept as one moment: capacity comes back one
    /// unit at a time, evenly. In any interval of length `d` it admits at most
    /// `burst + d / interval` units. The default, since it has no edge at which twice the limit
    /// passes, and costs one word a key.
    #[default]
    Gcra,
    /// Two windows aligned to the Unix epoch; the earlier one counts by the part of it that the
    /// sliding window still covers. The comparison is exact, never rounded down.
    SlidingWindow,
    /// One window aligned to the Unix epoch: minutes, hours and days are those of the UTC calendar.
    /// Easy to explain and to bill by, but up to twice the limit passes across an edge.
    FixedWindow,
}

impl Quota {
    /// Allows `n` units a second.
    ///
    /// # Panics
    ///
    /// If `n` is more than one a microsecond (1,000,000).
    #[must_use]
    #[track_caller]
    pub const fn per_second(n: u32) -> Self {
        Self::whole(n, 1)
    }

    /// Allows `n` units a minute.
    ///
    /// # Panics
    ///
    /// If `n` is more than one a microsecond (60,000,000).
    #[must_use]
    #[track_caller]
    pub const fn per_minute(n: u32) -> Self {
        Self::whole(n, 60)
    }

    /// Allows `n` units an hour.
    ///
    /// # Panics
    ///
    /// If `n` is more than one a microsecond (3,600,000,000).
    #[must_use]
    #[track_caller]
    pub const fn per_hour(n: u32) -> Self {
        Self::whole(n, 3_600)
    }

    /// Allows `n` units a day.
    #[must_use]
    pub const fn per_day(n: u32) -> Self {
        Self::whole(n, 86_400)
    }

    /// Allows `limit` units in `period`; a limit of 0 blocks everything.
    ///
    /// A period that is not a whole number of microseconds is rounded up: never more is admitted
    /// than was asked for.
    ///
    /// # Errors
    ///
    /// If the period is zero or longer than 366 days, or if the limit is more than one unit a
    /// microsecond.
    pub const fn new(limit: u32, period: Duration) -> Result<Self, QuotaError> {
        let period_us = period.as_nanos().div_ceil(1_000);
        if period_us == 0 {
            return Err(QuotaError::ZERO_PERIOD);
        }
        if period_us > Self::LONGEST_PERIOD.as_micros() {
            return Err(QuotaError::PERIOD_TOO_LONG);
        }
        if limit as u128 > period_us {
            return Err(QuotaError::TOO_FAST);
        }
        #[expect(
            clippy::cast_possible_truncation,
            reason = "at most 366 days of microseconds"
        )]
        let period_us = period_us as u64;
        let interval_us = match limit {
            // Never used, since nothing fits into a capacity of 0; it must only not be zero.
            0 => period_us,
            limit => period_us.div_ceil(limit as u64),
        };
        Ok(Self {
            limit,
            burst: limit,
            period_us,
            interval_us,
            algorithm: Algorithm::Gcra,
        })
    }

    /// Lets `burst` units pass at once after a rest. Default: the limit.
    ///
    /// Only [`Algorithm::Gcra`] has a burst; the capacity of a window is its limit, whatever is set
    /// here. A burst of 0 blocks everything.
    ///
    /// # Panics
    ///
    /// If a spent burst would take longer than 35 years to refill
    /// ([`try_with_burst`](Self::try_with_burst) returns an error instead).
    #[must_use]
    #[track_caller]
    pub const fn with_burst(self, burst: u32) -> Self {
        match self.try_with_burst(burst) {
            Ok(quota) => quota,
            Err(error) => panic!("{}", error.message()),
        }
    }

    /// Like [`with_burst`](Self::with_burst), for a burst that comes from outside.
    ///
    /// # Errors
    ///
    /// If a spent burst would take longer than 35 years to refill.
    pub const fn try_with_burst(mut self, burst: u32) -> Result<Self, QuotaError> {
        match self.algorithm {
            Algorithm::Gcra if self.limit > 0 => {
                if self.interval_us as u128 * burst as u128 > Self::LONGEST_REFILL_US as u128 {
                    return Err(QuotaError::BURST_TOO_LARGE);
                }
                self.burst = burst;
                Ok(self)
            }
            _ => Ok(self),
        }
    }

    /// Counts by `algorithm`. Default: [`Algorithm::Gcra`].
    #[must_use]
    pub const fn with_algorithm(mut self, algorithm: Algorithm) -> Self {
        if !matches!(algorithm, Algorithm::Gcra) {
            self.burst = self.limit;
        }
        self.algorithm = algorithm;
        self
    }

    /// Units a period.
    #[must_use]
    pub const fn limit(&self) -> u32 {
        self.limit
    }

    /// The period.
    #[must_use]
    pub const fn period(&self) -> Duration {
        Duration::from_micros(self.period_us)
    }

    /// The capacity: what passes at once after a rest. For windows this is the limit.
    #[must_use]
    pub const fn burst(&self) -> u32 {
        self.burst
    }

    /// The algorithm that counts.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The time in which one unit comes back under [`Algorithm::Gcra`]: the period divided by the
    /// limit, rounded up to a whole microsecond.
    #[must_use]
    pub const fn interval(&self) -> Duration {
        Duration::from_micros(self.interval_us)
    }

    /// This quota cut into `replicas` equal shares, of which one is returned.
    ///
    /// For limiters that cannot see each other: all shares together admit no more than this quota,
    /// except that a share admits at least one unit (unless this quota admits none), and keeps room
    /// for one request of `cost` if this quota has it.
    #[must_use]
    pub fn share(&self, replicas: std::num::NonZeroU32, cost: std::num::NonZeroU32) -> Self {
        let part = |whole: u32| (whole / replicas).max(whole.min(cost.get()));
        let limit = match self.algorithm {
            Algorithm::Gcra => (self.limit / replicas).max(self.limit.min(1)),
            _ => part(self.limit),
        };
        let share = Self::new(limit, self.period()).map(|q| q.with_algorithm(self.algorithm));
        share
            .and_then(|q| q.try_with_burst(part(self.burst)))
            .unwrap_or(*self)
    }

    /// The longest period that a quota may have: 366 days.
    pub const LONGEST_PERIOD: Duration = Duration::from_secs(366 * 86_400);

    /// 2^50 microseconds, about 35 years: a moment plus this still fits the 52 bits that the memory
    /// store gives to a moment, and the 53 bits that are exact in a Lua number.
    pub(crate) const LONGEST_REFILL_US: u64 = 1 << 50;

    pub(crate) const fn period_us(&self) -> u64 {
        self.period_us
    }

    pub(crate) const fn interval_us(&self) -> u64 {
        self.interval_us
    }

    /// The time in which an empty bucket refills.
    pub(crate) const fn refill_us(&self) -> u64 {
        self.interval_us * self.burst as u64
    }

    #[track_caller]
    const fn whole(limit: u32, seconds: u64) -> Self {
        match Self::new(limit, Duration::from_secs(seconds)) {
            Ok(quota) => quota,
            Err(error) => panic!("{}", error.message()),
        }
    }
}

/// A [`Quota`](crate::Quota) from a literal, checked when the program is compiled.
///
/// # Examples
///
/// ```
/// use seawall_ratelimit::{Quota, quota};
///
/// assert_eq!(quota!("10/minute"), Quota::per_minute(10));
/// ```
///
/// ```compile_fail
/// let never = seawall_ratelimit::quota!("10/fortnight");
/// ```
#[macro_export]
macro_rules! quota {
    ($text:expr) => {{
        // A named constant rather than `const { … }`: it is evaluated by `cargo check` already.
        const QUOTA: $crate::Quota = $crate::Quota::literal($text);
        QUOTA
    }};
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::num::NonZeroU32;

    fn n(n: u32) -> NonZeroU32 {
        NonZeroU32::new(n).unwrap()
    }

    #[test]
    fn interval_is_rounded_up_to_the_strict_side() {
        let quota = Quota::new(3, Duration::from_micros(10)).unwrap();
        assert_eq!(quota.interval(), Duration::from_micros(4));
    }

    #[test]
    fn period_is_rounded_up_to_whole_microseconds() {
        let quota = Quota::new(1, Duration::from_nanos(1_001)).unwrap();
        assert_eq!(quota.period(), Duration::from_micros(2));
    }

    #[test]
    fn refuses_what_cannot_be_counted() {
        let check = |limit, period, expected| {
            assert_eq!(Quota::new(limit, period), Err(expected));
        };
        check(1, Duration::ZERO, QuotaError::ZERO_PERIOD);
        check(1_000_001, Duration::from_secs(1), QuotaError::TOO_FAST);
        check(
            1,
            Duration::from_secs(366 * 86_400 + 1),
            QuotaError::PERIOD_TOO_LONG,
        );
        assert!(Quota::new(1_000_000, Duration::from_secs(1)).is_ok());
        assert!(Quota::new(1, Quota::LONGEST_PERIOD).is_ok());
    }

    #[test]
    fn refuses_a_burst_that_outlives_us() {
        let yearly = Quota::new(1, Quota::LONGEST_PERIOD).unwrap();
        assert!(yearly.try_with_burst(35).is_ok());
        assert_eq!(yearly.try_with_burst(36), Err(QuotaError::BURST_TOO_LARGE));
        let exactly = Quota::new(1, Duration::from_micros(1 << 20)).unwrap();
        let longest = exactly.try_with_burst(1 << 30).unwrap();
        assert_eq!(longest.refill_us(), Quota::LONGEST_REFILL_US);
        assert!(exactly.try_with_burst((1 << 30) + 1).is_err());
    }

    #[test]
    fn a_limit_of_zero_has_no_burst_either() {
        assert_eq!(Quota::per_minute(0).with_burst(5).burst(), 0);
    }

    #[test]
    fn a_window_has_no_burst() {
        let quota = Quota::per_minute(10)
            .with_burst(3)
            .with_algorithm(Algorithm::SlidingWindow);
        assert_eq!(quota.burst(), 10);
        assert_eq!(quota.with_burst(3).burst(), 10);
    }

    #[test]
    fn shares_add_up_to_no_more_than_the_whole() {
        let share = Quota::per_minute(100).with_burst(30).share(n(4), n(1));
        assert_eq!((share.limit(), share.burst()), (25, 7));
        assert_eq!(share.period(), Duration::from_secs(60));
    }

    #[test]
    fn a_share_keeps_room_for_one_request() {
        let share = Quota::per_minute(10).share(n(100), n(5));
        assert_eq!((share.limit(), share.burst()), (1, 5));
        let none = Quota::per_minute(0).share(n(2), n(1));
        assert_eq!((none.limit(), none.burst()), (0, 0));
    }
}
