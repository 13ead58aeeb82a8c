//! The only reader of the clock.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

/// One moment, on two clocks, in whole microseconds.
///
/// [`Algorithm::Gcra`](crate::Algorithm::Gcra) counts on the monotonic clock, windows and
/// `X-RateLimit-Reset` on the calendar. A store that has only one clock (Redis, Postgres) uses it for
/// both. Two words, so that a clock hands it over in registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Now {
    mono_us: u64,
    unix_us: u64,
}

impl Now {
    /// A moment: `mono` since some fixed moment, on a clock that never goes back, and `unix` since
    /// the Unix epoch, on one that may jump. Rounded down.
    ///
    /// Beyond about 3.4e15 microseconds (the year 2077 as Unix time, 107 years as uptime) time stands
    /// still, rather than to overflow what stores pack beside it.
    #[must_use]
    pub const fn new(mono: Duration, unix: Duration) -> Self {
        Self::from_micros(floor_micros(mono), floor_micros(unix))
    }

    /// A moment of a clock that is both monotonic and Unix time.
    #[must_use]
    pub const fn at(time: Duration) -> Self {
        Self::new(time, time)
    }

    /// Time since some fixed moment; never goes back.
    #[must_use]
    pub const fn mono(self) -> Duration {
        Duration::from_micros(self.mono_us)
    }

    /// Time since the Unix epoch; may jump.
    #[must_use]
    pub const fn unix(self) -> Duration {
        Duration::from_micros(self.unix_us)
    }

    /// The moment `time` later.
    #[must_use]
    pub const fn plus(self, time: Duration) -> Self {
        let us = floor_micros(time);
        Self::from_micros(
            self.mono_us.saturating_add(us),
            self.unix_us.saturating_add(us),
        )
    }

    #[inline]
    pub(crate) const fn from_micros(mono_us: u64, unix_us: u64) -> Self {
        Self {
            mono_us: earliest(mono_us, LATEST_US),
            unix_us: earliest(unix_us, LATEST_US),
        }
    }

    #[inline]
    pub(crate) const fn mono_us(self) -> u64 {
        self.mono_us
    }

    #[inline]
    pub(crate) const fn unix_us(self) -> u64 {
        self.unix_us
    }
}

/// Tells the time to a store.
///
/// Implemented for closures, for `Arc<C>`, and by [`SystemClock`], [`CoarseClock`](crate::CoarseClock),
/// `QuantaClock` (feature `quanta`)
/// and [`ManualClock`].
pub trait Clock: Send + Sync + 'static {
    /// The present moment.
    fn now(&self) -> Now;
}

impl<F> Clock for F
where
    F: Fn() -> Now + Send + Sync + 'static,
{
    fn now(&self) -> Now {
        self()
    }
}

impl<C: Clock + ?Sized> Clock for Arc<C> {
    fn now(&self) -> Now {
        (**self).now()
    }
}

/// The clocks of the operating system. The default.
///
/// Reads [`Instant`] each time, and the calendar only once a second: in between, Unix time advances
/// with the monotonic clock. So a step of the calendar clock is followed within a second.
#[derive(Debug)]
pub struct SystemClock {
    start: Instant,
    calendar: Calendar,
}

impl SystemClock {
    /// A clock whose monotonic half starts now.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is clock.rs")]
    pub fn new() -> Self {
        Self {
            start: Instant::now(),
            calendar: Calendar::at_start(),
        }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    #[inline]
    #[expect(clippy::disallowed_methods, reason = "this is clock.rs")]
    fn now(&self) -> Now {
        self.calendar.at(floor_micros(self.start.elapsed()))
    }
}

/// The processor's own counter, where it is steady, by the crate [`quanta`]; else the clock of the
/// operating system.
///
/// It is read in about half of the time of [`SystemClock`], and does not hold up what the processor has
/// under way, such as the look at a key that is far away. To be had with the feature `quanta`.
///
/// What it costs: the first one in the process may take up to 200 ms, while the counter is compared with the
/// operating system's clock. Its rate is that of then, some millionths off: who waits for an hour as
/// long as told may be some milliseconds early, and is told to wait for these. Unix time is compared
/// once a second, as by [`SystemClock`].
///
/// # Examples
///
/// ```
/// use seawall_ratelimit::{Limiter, MemoryStore, QuantaClock, quota};
///
/// let store = MemoryStore::builder().clock(QuantaClock::new()).build();
/// let limiter = Limiter::new(store, quota!("1000/minute"));
/// assert!(limiter.check_local("203.0.113.7").is_allowed());
/// ```
#[cfg(feature = "quanta")]
#[derive(Debug)]
pub struct QuantaClock {
    counter: quanta::Clock,
    start: u64,
    calendar: Calendar,
}

#[cfg(feature = "quanta")]
impl QuantaClock {
    /// A clock whose monotonic half starts now.
    #[must_use]
    pub fn new() -> Self {
        let counter = quanta::Clock::new();
        Self {
            start: counter.raw(),
            counter,
            calendar: Calendar::at_start(),
        }
    }
}

#[cfg(feature = "quanta")]
impl Default for QuantaClock {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(feature = "quanta")]
impl Clock for QuantaClock {
    #[inline]
    fn now(&self) -> Now {
        let since = self.counter.delta_as_nanos(self.start, self.counter.raw());
        self.calendar.at(since / 1_000)
    }
}

/// Unix time beside a monotonic clock, compared with the operating system's once a second.
#[derive(Debug)]
struct Calendar {
    /// Unix time at the start in microseconds, as last compared.
    unix_at_start: AtomicU64,
    /// Microseconds since the start at which to compare again.
    compare_at: AtomicU64,
}

impl Calendar {
    fn at_start() -> Self {
        Self {
            unix_at_start: AtomicU64::new(floor_micros(unix())),
            compare_at: AtomicU64::new(COMPARE_EVERY),
        }
    }

    /// The moment `mono` microseconds after the start, which is now.
    #[inline]
    fn at(&self, mono: u64) -> Now {
        if mono >= self.compare_at.load(Ordering::Relaxed) {
            self.compare(mono);
        }
        let unix = self.unix_at_start.load(Ordering::Relaxed);
        Now::from_micros(mono, mono.saturating_add(unix))
    }

    #[cold]
    fn compare(&self, mono: u64) {
        // Relaxed: each number is meaningful alone; that two threads compare is harmless.
        self.compare_at
            .store(mono.saturating_add(COMPARE_EVERY), Ordering::Relaxed);
        self.unix_at_start
            .store(floor_micros(unix()).saturating_sub(mono), Ordering::Relaxed);
    }
}

/// The clock of tokio's timers, which tests can pause and advance.
///
/// For stores behind `Limiter::until_ready` in tests; in production it is what [`SystemClock`] is.
#[cfg(feature = "tokio")]
#[derive(Debug)]
pub struct TokioClock {
    start: tokio::time::Instant,
    unix_at_start: Duration,
}

#[cfg(feature = "tokio")]
impl TokioClock {
    /// A clock whose monotonic half starts now.
    #[must_use]
    pub fn new() -> Self {
        Self {
            start: tokio_now(),
            unix_at_start: unix(),
        }
    }
}

#[cfg(feature = "tokio")]
impl Default for TokioClock {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(feature = "tokio")]
impl Clock for TokioClock {
    fn now(&self) -> Now {
        let mono = tokio_now() - self.start;
        Now::new(mono, self.unix_at_start.saturating_add(mono))
    }
}

/// A clock that stands still until it is moved: for tests, and for replaying traces.
///
/// # Examples
///
/// ```
/// use std::{sync::Arc, time::Duration};
/// use seawall_ratelimit::{Limiter, ManualClock, MemoryStore, Quota};
///
/// let clock = Arc::new(ManualClock::new());
/// let store = MemoryStore::builder().clock(Arc::clone(&clock)).build();
/// let limiter = Limiter::new(store, Quota::per_minute(1));
///
/// assert!(limiter.check_local("alice").is_allowed());
/// assert!(!limiter.check_local("alice").is_allowed());
/// clock.advance(Duration::from_secs(60));
/// assert!(limiter.check_local("alice").is_allowed());
/// ```
#[derive(Default)]
pub struct ManualClock {
    now: parking_lot::Mutex<Now>,
}

impl ManualClock {
    /// A clock at 1970-01-01.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Moves both clocks on.
    pub fn advance(&self, time: Duration) {
        let mut now = self.now.lock();
        *now = now.plus(time);
    }

    /// Moves both clocks to `now`, back too.
    pub fn set(&self, now: Now) {
        *self.now.lock() = now;
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Now {
        *self.now.lock()
    }
}

impl fmt::Debug for ManualClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ManualClock").field(&self.now()).finish()
    }
}

/// For timers: the one clock that they are measured against.
#[cfg(feature = "tokio")]
#[expect(clippy::disallowed_methods, reason = "this is clock.rs")]
pub(crate) fn tokio_now() -> tokio::time::Instant {
    tokio::time::Instant::now()
}

#[expect(clippy::disallowed_methods, reason = "this is clock.rs")]
fn unix() -> Duration {
    // A calendar before 1970 is a clock that was never set; its windows are as good as any others.
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default()
}

/// Whole microseconds, rounded down. Multiplied by hand: [`Duration::as_micros`] is 128 bits wide.
#[inline]
const fn floor_micros(time: Duration) -> u64 {
    time.as_secs()
        .saturating_mul(1_000_000)
        .saturating_add(time.subsec_micros() as u64)
}

#[inline]
const fn earliest(a: u64, b: u64) -> u64 {
    if a < b { a } else { b }
}

/// The last moment that can be told: with the longest refill added it still fits 52 bits.
const LATEST_US: u64 = (1 << 52) - (1 << 50) - 2;

const COMPARE_EVERY: u64 = 1_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_clock_is_monotonic_and_knows_the_year() {
        let clock = SystemClock::new();
        let (first, second) = (clock.now(), clock.now());
        assert!(second.mono() >= first.mono());
        assert!(first.unix() > Duration::from_secs(1_700_000_000));
    }

    #[cfg(feature = "quanta")]
    #[test]
    fn the_counter_keeps_pace_with_the_system() {
        // The first one takes its time, which must not lie between the three.
        drop(QuantaClock::new());
        let longer = SystemClock::new();
        let counter = QuantaClock::new();
        let shorter = SystemClock::new();
        while shorter.now().mono() < Duration::from_millis(50) {}
        let least = shorter.now().mono();
        let counted = counter.now();
        let (most, unix) = (longer.now().mono(), longer.now().unix());
        // A tenth off would be a rate taken for another.
        assert!(
            counted.mono() > least.mul_f64(0.9),
            "{counted:?}, {least:?}"
        );
        assert!(counted.mono() < most.mul_f64(1.1), "{counted:?}, {most:?}");
        assert!(counted.unix().abs_diff(unix) < Duration::from_secs(1));
        assert!(counter.now().mono() >= counted.mono());
    }

    #[test]
    fn a_comparison_corrects_the_calendar() {
        let SystemClock { calendar, .. } = SystemClock::new();
        calendar.unix_at_start.store(0, Ordering::Relaxed);
        assert!(calendar.at(5).unix() < Duration::from_secs(3_600));
        calendar.compare_at.store(5, Ordering::Relaxed);
        assert!(calendar.at(5).unix() > Duration::from_secs(1_700_000_000));
    }

    #[test]
    fn an_absurd_moment_stands_still() {
        assert_eq!(Now::at(Duration::MAX).mono_us(), LATEST_US);
        assert_eq!(Now::at(Duration::from_nanos(1_999)).unix_us(), 1);
    }
}
