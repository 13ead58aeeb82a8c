//! A point in time by which an answer is due, and the arithmetic on what is left until then.

use std::time::{Duration, Instant};

use crate::clock;

/// The moment by which something has to be done.
///
/// A timeout says how long one step may take; a deadline says when the whole is due, so the third
/// step of a request cannot spend what the first two have used up. It is a plain value: it copies,
/// crosses threads, and holds no timer. What enforces it is [`within`](crate::within) or
/// [`total`](crate::total); what lets other code see it is [`scope`](crate::scope).
///
/// It remembers the limit which it was made from, so an error can say "timed out after 5.0s" of a
/// five-second request whichever of its steps ran into the end.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use seawall_timeout::Deadline;
///
/// let request = Deadline::after(Duration::from_secs(5));
/// let database = request.reserve(Duration::from_millis(200)); // keep some to answer with
/// let attempt = database.share(0.5); // and some for a second attempt
///
/// assert!(attempt < database && database < request);
/// assert!(attempt.remaining() <= Some(Duration::from_millis(2400)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Deadline {
    at: Instant,
    limit: Duration,
}

impl Deadline {
    /// A deadline `limit` from now. What exceeds the range of the clock is capped at about thirty
    /// years.
    #[must_use]
    pub fn after(limit: Duration) -> Self {
        Self::starting(clock::now(), limit)
    }

    /// A deadline at `at`; its [`limit`](Self::limit) is the time from now until then.
    #[must_use]
    pub fn at(at: Instant) -> Self {
        let limit = at.saturating_duration_since(clock::now());
        Self { at, limit }
    }

    /// A deadline `limit` from `start`: [`after`](Self::after) for callers which know the time.
    #[must_use]
    #[inline]
    pub fn starting(start: Instant, limit: Duration) -> Self {
        let at = clock::later(start, limit);
        Self { at, limit }
    }

    /// The moment itself.
    #[must_use]
    #[inline]
    pub fn instant(self) -> Instant {
        self.at
    }

    /// How much time this deadline gave when it was made.
    #[must_use]
    pub fn limit(self) -> Duration {
        self.limit
    }

    /// The time which is left, or `None` when the deadline has passed.
    ///
    /// Never `Some(0)`: a budget of nothing is not something to hand on.
    #[must_use]
    pub fn remaining(self) -> Option<Duration> {
        self.remaining_at(clock::now())
    }

    /// The time which is left at `now`.
    #[must_use]
    pub fn remaining_at(self, now: Instant) -> Option<Duration> {
        self.at
            .checked_duration_since(now)
            .filter(|left| !left.is_zero())
    }

    /// Whether the deadline has passed. One clock read: cheap enough for a loop which computes.
    #[must_use]
    pub fn is_past(self) -> bool {
        self.is_past_at(clock::now())
    }

    /// Whether the deadline has passed at `now`.
    #[must_use]
    #[inline]
    pub fn is_past_at(self, now: Instant) -> bool {
        self.at <= now
    }

    /// The earlier of the two.
    #[must_use]
    #[inline]
    pub fn min(self, other: Self) -> Self {
        if other.at < self.at { other } else { self }
    }

    /// The deadline moved `time` towards now, to keep that much for what comes afterwards: writing
    /// the response, a hop of network, a compensation.
    #[must_use]
    pub fn reserve(self, time: Duration) -> Self {
        Self {
            // An instant before the clock's origin has passed in any case.
            at: self.at.checked_sub(time).unwrap_or_else(clock::now),
            limit: self.limit.saturating_sub(time),
        }
    }

    /// A deadline after this fraction of what remains: `share(0.8)` leaves a fifth for what follows.
    ///
    /// The fraction is clamped to 0 to 1 (and not-a-number is 0), so the result is never later than
    /// the whole.
    #[must_use]
    pub fn share(self, fraction: f64) -> Self {
        self.share_at(clock::now(), fraction)
    }

    /// The same at `now`.
    #[must_use]
    pub fn share_at(self, now: Instant, fraction: f64) -> Self {
        let left = self.at.saturating_duration_since(now);
        let fraction = if fraction.is_nan() { 0.0 } else { fraction };
        let part = left.mul_f64(fraction.clamp(0.0, 1.0)).min(left);
        let at = if left.is_zero() { self.at } else { now + part };
        Self { at, limit: part }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// A deadline five seconds after the instant that is given with it.
    fn five() -> (Instant, Deadline) {
        let start = clock::now();
        (start, Deadline::starting(start, 5 * SECOND))
    }

    #[test]
    fn nothing_remains_from_the_very_moment_on() {
        let (start, deadline) = five();
        let last = start + 5 * SECOND - Duration::from_nanos(1);
        assert_eq!(deadline.remaining_at(last), Some(Duration::from_nanos(1)));
        assert!(!deadline.is_past_at(last));
        for late in [start + 5 * SECOND, start + 6 * SECOND] {
            assert_eq!(deadline.remaining_at(late), None);
            assert!(deadline.is_past_at(late));
        }
    }

    #[test]
    fn a_reserve_is_taken_from_the_end() {
        let (start, deadline) = five();
        let kept = deadline.reserve(SECOND);
        assert_eq!(kept.remaining_at(start), Some(4 * SECOND));
        assert_eq!(kept.limit(), 4 * SECOND);
        assert_eq!(deadline.reserve(9 * SECOND).remaining_at(start), None);
        assert_eq!(deadline.reserve(Duration::MAX).remaining(), None);
    }

    #[test]
    fn a_share_is_a_part_of_what_remains() {
        let (start, deadline) = five();
        let now = start + SECOND;
        let check = |fraction, expected| {
            assert_eq!(deadline.share_at(now, fraction).remaining_at(now), expected);
        };
        check(0.5, Some(2 * SECOND));
        check(1.0, Some(4 * SECOND));
        check(7.0, Some(4 * SECOND));
        check(0.0, None);
        check(-1.0, None);
        check(f64::NAN, None);
        check(f64::INFINITY, Some(4 * SECOND));
        let late = start + 6 * SECOND;
        assert_eq!(deadline.share_at(late, 0.5).remaining_at(late), None);
    }

    #[test]
    fn the_longest_limit_is_capped_and_not_wrapped() {
        let ages = Deadline::after(Duration::MAX);
        assert!(ages.remaining() > Some(1_000_000 * SECOND));
        assert_eq!(ages.limit(), Duration::MAX);
    }

    proptest! {
        #[test]
        fn no_arithmetic_buys_time(
            passed in 0..10_000_u64,
            reserve in any::<Duration>(),
            fraction in any::<f64>(),
            other in any::<Duration>(),
        ) {
            let (start, deadline) = five();
            let now = start + Duration::from_millis(passed);
            let whole = deadline.remaining_at(now);
            prop_assert!(deadline.reserve(reserve).remaining_at(now) <= whole);
            prop_assert!(deadline.share_at(now, fraction).remaining_at(now) <= whole);
            let other = Deadline::starting(start, other);
            prop_assert!(deadline.min(other).remaining_at(now) <= whole);
            prop_assert_eq!(deadline.min(other), other.min(deadline));
        }
    }
}
