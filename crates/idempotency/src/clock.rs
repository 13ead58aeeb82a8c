//! The only reader of the clock.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Tells the time to a store that has no clock of its own: how long it is since some fixed moment.
///
/// It should never go back. Implemented for closures and for `Arc<C>`.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use seawall_idempotency::Clock;
///
/// let stopped = || Duration::from_secs(7);
/// assert_eq!(stopped.now(), Duration::from_secs(7));
/// ```
pub trait Clock: Send + Sync + 'static {
    /// Returns the present moment.
    fn now(&self) -> Duration;
}

impl<F: Fn() -> Duration + Send + Sync + 'static> Clock for F {
    fn now(&self) -> Duration {
        self()
    }
}

impl<C: Clock + ?Sized> Clock for Arc<C> {
    fn now(&self) -> Duration {
        (**self).now()
    }
}

/// Is the monotonic clock of tokio's timers, which is the system's unless a test has paused it.
///
/// Not std's: a store on another clock than the timers around it would disagree with them in every
/// test on paused time.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    start: tokio::time::Instant,
}

impl SystemClock {
    /// Makes a clock that starts now.
    #[must_use]
    pub fn new() -> Self {
        Self { start: tokio_now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Duration {
        tokio_now().saturating_duration_since(self.start)
    }
}

/// Stands still until it is moved: for tests.
///
/// # Examples
///
/// ```
/// use std::{sync::Arc, time::Duration};
/// use seawall_idempotency::{Clock, ManualClock};
///
/// let clock = Arc::new(ManualClock::new());
/// clock.advance(Duration::from_secs(1));
/// assert_eq!(clock.now(), Duration::from_secs(1));
/// ```
#[derive(Default)]
pub struct ManualClock(Mutex<Duration>);

impl ManualClock {
    /// Makes a clock at zero.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Moves the clock on.
    pub fn advance(&self, by: Duration) {
        let mut now = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *now = now.saturating_add(by);
    }

    /// Moves the clock to a moment, back too.
    pub fn set(&self, to: Duration) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = to;
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Duration {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for ManualClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ManualClock").field(&self.now()).finish()
    }
}

#[expect(clippy::disallowed_methods, reason = "this is clock.rs")]
pub(crate) fn tokio_now() -> tokio::time::Instant {
    tokio::time::Instant::now()
}

/// Returns the microseconds since 1970, where numbers shall be larger than those of an earlier
/// process.
pub(crate) fn unix_micros() -> u64 {
    u64::try_from(unix().as_micros()).unwrap_or(u64::MAX / 2)
}

/// Returns the nanoseconds since 1970, where numbers shall be other than those of a twin.
pub(crate) fn unix_nanos() -> u128 {
    unix().as_nanos()
}

#[expect(clippy::disallowed_methods, reason = "this is clock.rs")]
fn unix() -> Duration {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_system_clock_is_that_of_the_timers() {
        let clock = SystemClock::new();
        tokio::time::advance(Duration::from_secs(3)).await;
        assert_eq!(clock.now(), Duration::from_secs(3));
    }

    #[test]
    fn fences_of_a_later_process_are_larger_than_any_count() {
        assert!(unix_micros() > 1_600_000_000_000_000);
    }
}
