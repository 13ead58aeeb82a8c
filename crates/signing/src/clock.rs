//! Wall-clock time as a value, and the only place that reads the clock.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Is a point in time, in whole seconds since 1970-01-01 UTC.
///
/// Every dialect signs whole seconds, so nothing finer is kept; a reading of the clock is rounded
/// down. Arithmetic saturates, because the numbers come from strangers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixTime(u64);

impl UnixTime {
    /// Makes a time of seconds since the epoch.
    #[must_use]
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs)
    }

    /// Returns the seconds since the epoch.
    #[must_use]
    pub const fn as_secs(self) -> u64 {
        self.0
    }

    /// Returns this time plus `wait`, rounded up to a second, or the last time there is.
    #[must_use]
    pub fn saturating_add(self, wait: Duration) -> Self {
        let up = u64::from(wait.subsec_nanos() > 0);
        Self(self.0.saturating_add(wait.as_secs()).saturating_add(up))
    }

    /// Returns how long after `earlier` this is, or zero when it is not after it.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_secs(self.0.saturating_sub(earlier.0))
    }
}

impl fmt::Display for UnixTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Tells the time to a verifier or a signer.
///
/// Any closure that returns a [`UnixTime`] is a clock, so a test needs no type of its own.
///
/// # Examples
///
/// ```
/// use seawall_signing::{Clock, UnixTime};
///
/// let stopped = || UnixTime::from_secs(1_700_000_000);
/// assert_eq!(stopped.now().as_secs(), 1_700_000_000);
/// ```
pub trait Clock: Send + Sync + 'static {
    /// Returns the present time.
    fn now(&self) -> UnixTime;
}

impl<F: Fn() -> UnixTime + Send + Sync + 'static> Clock for F {
    fn now(&self) -> UnixTime {
        self()
    }
}

impl<C: Clock + ?Sized> Clock for Arc<C> {
    fn now(&self) -> UnixTime {
        (**self).now()
    }
}

/// Reads the clock of the operating system.
///
/// A clock set before 1970 reads as zero: every timestamp is then too new and refused, which is
/// the safe way to be wrong.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "there will be nothing to set")]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the clock that everything else is given"
    )]
    fn now(&self) -> UnixTime {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        UnixTime(since.map_or(0, |since| since.as_secs()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_saturate_and_round_up() {
        let t = UnixTime::from_secs(10);
        assert_eq!(t.saturating_add(Duration::from_millis(1)).as_secs(), 11);
        assert_eq!(t.saturating_add(Duration::MAX).as_secs(), u64::MAX);
        assert_eq!(t.since(UnixTime::from_secs(12)), Duration::ZERO);
    }

    #[test]
    fn a_shared_clock_is_a_clock() {
        let clock = Arc::new(|| UnixTime::from_secs(7));
        assert_eq!(clock.now().as_secs(), 7);
    }
}
