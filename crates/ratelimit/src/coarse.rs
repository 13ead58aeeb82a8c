//! A clock that is read by a load instead of a system call.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

use crate::clock::{Clock, Now, SystemClock};

/// Time as of a moment ago.
///
/// Reading the operating system's clock is the larger part of a check in memory. This clock is read
/// by two loads; somebody else keeps it going: a thread of its own ([`start`](Self::start)), or
/// whoever calls [`refresh`](Self::refresh). Clones share the time.
///
/// What it costs: time is late by up to the resolution (and by however long the refreshing thread has
/// no processor). A late clock refills late, so it denies rather a resolution too long; over an
/// interval `[a, b]` of true time a quota may admit what refills in one resolution more. Not for
/// limits whose interval of one unit is shorter than the resolution.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use seawall_ratelimit::{CoarseClock, Limiter, MemoryStore, quota};
///
/// let clock = CoarseClock::start(Duration::from_millis(1))?;
/// let store = MemoryStore::builder().clock(clock).build();
/// let limiter = Limiter::new(store, quota!("1000/minute"));
/// assert!(limiter.check_local("203.0.113.7").is_allowed());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct CoarseClock {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    mono_us: AtomicU64,
    unix_us: AtomicU64,
    system: SystemClock,
}

impl CoarseClock {
    /// A clock that stands still until it is [refreshed](Self::refresh).
    #[must_use]
    pub fn new() -> Self {
        let clock = Self {
            shared: Arc::new(Shared {
                mono_us: AtomicU64::new(0),
                unix_us: AtomicU64::new(0),
                system: SystemClock::new(),
            }),
        };
        clock.refresh();
        clock
    }

    /// A clock that a thread of its own refreshes every `resolution`, until the last clone is gone.
    ///
    /// # Errors
    ///
    /// If the operating system grants no thread.
    pub fn start(resolution: Duration) -> io::Result<Self> {
        let clock = Self::new();
        let weak = Arc::downgrade(&clock.shared);
        thread::Builder::new()
            .name("ratelimit-clock".to_owned())
            .spawn(move || keep_going(&weak, resolution))?;
        Ok(clock)
    }

    /// Reads the operating system's clocks.
    pub fn refresh(&self) {
        self.shared.refresh();
    }
}

impl Default for CoarseClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for CoarseClock {
    #[inline]
    fn now(&self) -> Now {
        // Relaxed: each time is meaningful alone, and nothing else is ordered by them.
        let load = |time: &AtomicU64| time.load(Ordering::Relaxed);
        Now::from_micros(load(&self.shared.mono_us), load(&self.shared.unix_us))
    }
}

impl Shared {
    fn refresh(&self) {
        let now = self.system.now();
        // The largest so far: refreshes may overtake each other, monotonic time may not.
        self.mono_us.fetch_max(now.mono_us(), Ordering::Relaxed);
        self.unix_us.store(now.unix_us(), Ordering::Relaxed);
    }
}

fn keep_going(clock: &Weak<Shared>, resolution: Duration) {
    while let Some(clock) = clock.upgrade() {
        clock.refresh();
        drop(clock);
        thread::sleep(resolution);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stands_still_until_it_is_refreshed() {
        let clock = CoarseClock::new();
        let first = clock.now();
        assert_eq!(clock.now(), first);
        assert!(first.unix() > Duration::from_secs(1_700_000_000));
        while clock.now().mono() == first.mono() {
            clock.refresh();
        }
        assert!(clock.now().mono() > first.mono());
    }

    #[test]
    fn a_thread_of_its_own_keeps_it_going_and_ends_with_it() {
        let clock = CoarseClock::start(Duration::from_micros(10)).unwrap();
        let first = clock.now();
        while clock.now() == first {
            thread::yield_now();
        }
        let weak = Arc::downgrade(&clock.shared);
        drop(clock);
        while weak.strong_count() > 0 {
            thread::yield_now();
        }
    }
}
