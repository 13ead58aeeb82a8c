//! What a store says about one charge.

use std::time::Duration;

use crate::source::Source;

/// The answer to one [`Charge`](crate::Charge): allowed or not, and the figures behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    standing: Standing,
    source: Source,
    remaining: u32,
    retry_us: u64,
    reset_us: u64,
    next_us: u64,
}

/// How a charge stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Standing {
    /// Nobody asked the store: another charge had been denied already.
    Unknown,
    /// It fits. It was charged if every charge of the decision fits.
    Allowed,
    /// It does not fit.
    OverLimit,
    /// The key is blocked, whatever its quota says.
    Blocked,
    /// The store has no room for another key, and its policy is to deny then.
    StoreFull,
}

impl Verdict {
    /// The verdict of a store that has not answered.
    pub const UNKNOWN: Self = Self {
        standing: Standing::Unknown,
        source: Source::Store,
        remaining: 0,
        retry_us: 0,
        reset_us: 0,
        next_us: 0,
    };

    #[inline]
    pub(crate) const fn new(
        allowed: bool,
        remaining: u32,
        retry_us: Option<u64>,
        reset_us: u64,
        next_us: u64,
    ) -> Self {
        let standing = if allowed {
            Standing::Allowed
        } else {
            Standing::OverLimit
        };
        let retry_us = match retry_us {
            Some(us) => us,
            None => NEVER,
        };
        Self {
            standing,
            source: Source::Store,
            remaining,
            retry_us,
            reset_us,
            next_us,
        }
    }

    /// This verdict for a key that stays blocked for `time`.
    #[must_use]
    pub fn blocked_for(self, time: Duration) -> Self {
        self.denied_for(Standing::Blocked, time)
    }

    /// This verdict for a key that finds no room in the store before `time` has passed.
    #[must_use]
    pub fn full_for(self, time: Duration) -> Self {
        self.denied_for(Standing::StoreFull, time)
    }

    fn denied_for(self, standing: Standing, time: Duration) -> Self {
        let us = micros(time);
        Self {
            standing,
            remaining: 0,
            retry_us: if self.retry_us == NEVER {
                NEVER
            } else {
                self.retry_us.max(us)
            },
            reset_us: self.reset_us.max(us),
            next_us: self.next_us.max(us),
            ..self
        }
    }

    /// This verdict as it reads `us` microseconds later, if nothing happened since.
    pub(crate) const fn later(self, us: u64) -> Self {
        Self {
            retry_us: if self.retry_us == NEVER {
                NEVER
            } else {
                self.retry_us.saturating_sub(us)
            },
            reset_us: self.reset_us.saturating_sub(us),
            next_us: self.next_us.saturating_sub(us),
            ..self
        }
    }

    /// This verdict as given by somebody in front of the store.
    #[must_use]
    pub const fn by(self, source: Source) -> Self {
        Self { source, ..self }
    }

    /// Whether the charge fits.
    #[must_use]
    pub const fn is_allowed(&self) -> bool {
        matches!(self.standing, Standing::Allowed)
    }

    /// Whether the charge does not fit. A verdict that is not known is neither allowed nor denied.
    #[must_use]
    pub const fn is_denied(&self) -> bool {
        !matches!(self.standing, Standing::Allowed | Standing::Unknown)
    }

    /// How the charge stands.
    #[must_use]
    pub const fn standing(&self) -> Standing {
        self.standing
    }

    /// Who gave the verdict.
    #[must_use]
    pub const fn source(&self) -> Source {
        self.source
    }

    /// Whole units left after the step.
    #[must_use]
    pub const fn remaining(&self) -> u32 {
        self.remaining
    }

    /// The least delay after which the same charge fits if nothing else is charged: zero if it fits
    /// now, `None` if it never will, being larger than the capacity.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        match self.retry_us {
            NEVER => None,
            us => Some(Duration::from_micros(us)),
        }
    }

    /// The time until nothing counts any more; for a fixed window, until it ends.
    #[must_use]
    pub const fn reset(&self) -> Duration {
        Duration::from_micros(self.reset_us)
    }

    /// The time until one more unit comes back; zero if all are there.
    #[must_use]
    pub const fn next(&self) -> Duration {
        Duration::from_micros(self.next_us)
    }
}

impl Default for Verdict {
    fn default() -> Self {
        Self::UNKNOWN
    }
}

/// `u64::MAX` microseconds are half a million years; no wait is that long.
pub(crate) const NEVER: u64 = u64::MAX;

/// Whole microseconds, rounded up, so that waiting them out is enough.
pub(crate) const fn micros(time: Duration) -> u64 {
    let nanos = time.subsec_nanos().div_ceil(1_000);
    time.as_secs()
        .saturating_mul(1_000_000)
        .saturating_add(nanos as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_outlasts_a_shorter_wait_but_does_not_end_a_hopeless_one() {
        let waits = |retry| {
            let verdict =
                Verdict::new(false, 3, retry, 10, 5).blocked_for(Duration::from_micros(7));
            (
                verdict.retry_after(),
                verdict.reset(),
                verdict.next(),
                verdict.remaining(),
            )
        };
        let us = Duration::from_micros;
        assert_eq!(waits(Some(5)), (Some(us(7)), us(10), us(7), 0));
        assert_eq!(waits(Some(9)), (Some(us(9)), us(10), us(7), 0));
        assert_eq!(waits(None), (None, us(10), us(7), 0));
    }

    #[test]
    fn later_every_wait_is_shorter_and_none_is_below_zero() {
        let us = Duration::from_micros;
        let later = |retry| {
            let verdict = Verdict::new(false, 3, retry, 10, 5).later(7);
            (verdict.retry_after(), verdict.reset(), verdict.next())
        };
        assert_eq!(later(Some(9)), (Some(us(2)), us(3), us(0)));
        assert_eq!(later(Some(6)), (Some(us(0)), us(3), us(0)));
        assert_eq!(later(None), (None, us(3), us(0)));
    }

    #[test]
    fn microseconds_are_rounded_up() {
        assert_eq!(micros(Duration::from_nanos(1_000_001)), 1_001);
        assert_eq!(micros(Duration::MAX), u64::MAX);
    }
}
