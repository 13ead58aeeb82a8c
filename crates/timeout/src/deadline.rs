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
    pub fn starting(start: Instant, limit: Duration) -> Self {
        let at = clock::later(start, limit);
        Self { at, limit }
    }

    /// The moment itself.
    #[must_use]
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
    pub fn is_past_at(self, now: Instant) -> bool {
        self.at <= now
    }

    /// The earlier of the two.
    #[must_use]
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
        // `max` and `min` of a NaN give the other operand.
        let part = left.mul_f64(fraction.max(0.0).min(1.0)).min(left);
        let at = if left.is_zero() { self.at } else { now + part };
        Self { at, limit: part }
    }
}
