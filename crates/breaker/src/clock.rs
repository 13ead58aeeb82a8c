//! The only reader of the clock.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Tells the time that has passed since some fixed moment.
///
/// Any closure `Fn() -> Duration` is a clock. What it returns should never decrease; when it does
/// all the same, a breaker stays open for longer by as much as the clock went back, and nothing
/// else breaks.
///
/// # Examples
///
/// ```
/// use seawall_breaker::{CircuitBreaker, Clock, ManualClock};
/// use std::time::Duration;
///
/// let clock = ManualClock::new();
/// let breaker = CircuitBreaker::consecutive(1)
///     .reset_timeout(Duration::from_secs(30))
///     .clock(clock.clone())
///     .build()?;
///
/// breaker.try_acquire()?.failure();
/// assert!(breaker.try_acquire().is_err());
/// clock.advance(Duration::from_secs(30));
/// assert!(breaker.try_acquire().is_ok());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Clock: Send + Sync + 'static {
    /// The time since the clock's origin, as precise as the clock can tell. Measures slow calls.
    fn now(&self) -> Duration;

    /// The same time, cheaper, and late by a few milliseconds at most. Measures open times and the
    /// buckets of a time window.
    fn coarse(&self) -> Duration {
        self.now()
    }
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

    fn coarse(&self) -> Duration {
        (**self).coarse()
    }
}

/// A clock that moves only when told, for tests.
///
/// Clones share the time.
#[derive(Clone, Debug, Default)]
pub struct ManualClock(Arc<AtomicU64>);

impl ManualClock {
    /// A clock that stands at zero.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Moves the clock forward.
    pub fn advance(&self, by: Duration) {
        // Relaxed: the time is one number, and no other memory is published through it.
        let advanced = |now: u64| Some(now.saturating_add(nanos(by)));
        let _ = self
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, advanced);
    }

    /// Sets the clock, backwards too: that is how the behaviour under a broken clock is tested.
    pub fn set(&self, to: Duration) {
        self.0.store(nanos(to), Ordering::Relaxed);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Duration {
        Duration::from_nanos(self.0.load(Ordering::Relaxed))
    }
}

/// The clock of one breaker: the system's or the user's, counted from the breaker's creation so
/// that a deadline fits into the state word whatever the origin of the clock is.
pub(crate) struct Time {
    source: Source,
    /// In nanoseconds, as everything here: a number is cheaper to come by than a [`Duration`].
    epoch: u64,
}

#[derive(Clone)]
pub(crate) enum Source {
    System(system::Clock),
    Custom(Arc<dyn Clock>),
}

impl Source {
    pub(crate) fn system() -> Self {
        Self::System(system::Clock::new())
    }

    #[inline]
    fn coarse(&self) -> u64 {
        match self {
            Self::System(clock) => clock.coarse(),
            Self::Custom(clock) => nanos(clock.coarse()),
        }
    }

    #[inline]
    fn precise(&self) -> u64 {
        match self {
            Self::System(clock) => clock.precise(),
            Self::Custom(clock) => nanos(clock.now()),
        }
    }
}

impl Time {
    pub(crate) fn start(source: Source) -> Self {
        let epoch = source.coarse();
        Self { source, epoch }
    }

    /// Milliseconds since the breaker was built, from the coarse clock.
    #[inline]
    pub(crate) fn millis(&self) -> u64 {
        self.coarse_nanos() / 1_000_000
    }

    /// Nanoseconds since the breaker was built, from the coarse clock.
    #[inline]
    pub(crate) fn coarse_nanos(&self) -> u64 {
        self.source.coarse().saturating_sub(self.epoch)
    }

    /// Nanoseconds since the breaker was built, from the precise clock.
    pub(crate) fn precise_nanos(&self) -> u64 {
        self.source.precise().saturating_sub(self.epoch)
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::System(_) => "System",
            Self::Custom(_) => "Custom",
        })
    }
}

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.source.fmt(f)
    }
}

/// Whole milliseconds of a duration, at most `u64::MAX`.
#[inline]
pub(crate) fn millis(duration: Duration) -> u64 {
    duration
        .as_secs()
        .saturating_mul(1_000)
        .saturating_add(u64::from(duration.subsec_millis()))
}

/// Nanoseconds of a duration, at most `u64::MAX` (584 years).
pub(crate) fn nanos(duration: Duration) -> u64 {
    duration
        .as_secs()
        .saturating_mul(1_000_000_000)
        .saturating_add(u64::from(duration.subsec_nanos()))
}

#[cfg(target_os = "linux")]
mod system {
    use rustix::time::{ClockId, Timespec, clock_gettime};

    /// `CLOCK_MONOTONIC` and its coarse twin, which share their origin.
    #[derive(Clone)]
    pub(crate) struct Clock;

    impl Clock {
        pub(crate) fn new() -> Self {
            Self
        }

        #[inline]
        pub(crate) fn coarse(&self) -> u64 {
            since_boot(clock_gettime(ClockId::MonotonicCoarse))
        }

        #[inline]
        pub(crate) fn precise(&self) -> u64 {
            since_boot(clock_gettime(ClockId::Monotonic))
        }
    }

    #[inline]
    #[expect(
        clippy::cast_sign_loss,
        reason = "the time since the boot is not negative"
    )]
    fn since_boot(time: Timespec) -> u64 {
        // Wraps after 584 years.
        (time.tv_sec as u64)
            .wrapping_mul(1_000_000_000)
            .wrapping_add(time.tv_nsec as u64)
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use std::time::Instant;

    /// The standard library's monotonic clock.
    #[derive(Clone)]
    pub(crate) struct Clock(Instant);

    impl Clock {
        #[expect(
            clippy::disallowed_methods,
            reason = "this is the file that reads the clock"
        )]
        pub(crate) fn new() -> Self {
            Self(Instant::now())
        }

        pub(crate) fn coarse(&self) -> u64 {
            self.precise()
        }

        #[expect(
            clippy::disallowed_methods,
            reason = "this is the file that reads the clock"
        )]
        pub(crate) fn precise(&self) -> u64 {
            super::nanos(self.0.elapsed())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_counts_from_the_creation_of_the_breaker() {
        let clock = ManualClock::new();
        clock.set(Duration::from_secs(1_700_000_000));
        let time = Time::start(Source::Custom(Arc::new(clock.clone())));
        clock.advance(Duration::from_micros(2_500));
        assert_eq!((time.millis(), time.precise_nanos()), (2, 2_500_000));
    }

    #[test]
    fn a_clock_that_goes_back_behind_the_creation_reads_zero() {
        let clock = ManualClock::new();
        clock.set(Duration::from_secs(10));
        let time = Time::start(Source::Custom(Arc::new(clock.clone())));
        clock.set(Duration::from_secs(1));
        assert_eq!(time.millis(), 0);
    }

    #[test]
    fn the_system_clocks_agree_within_a_scheduling_tick() {
        let system = Source::system();
        let (coarse, precise) = (system.coarse(), system.precise());
        assert!(precise >= coarse, "{precise:?} {coarse:?}");
    }
}
