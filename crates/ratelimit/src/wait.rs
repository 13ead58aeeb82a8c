//! Waiting until there is room, first come, first served.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::error::Error;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::timeout_at;

use crate::clock::tokio_now;
use crate::decision::{Allowed, Decision};
use crate::limiter::Limiter;
use crate::store::Store;

/// How long to wait, and how much to spread what follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Patience {
    at_most: Duration,
    jitter: Duration,
}

impl Patience {
    /// Waits for `time` at most.
    pub const fn at_most(time: Duration) -> Self {
        Self {
            at_most: time,
            jitter: Duration::ZERO,
        }
    }

    /// Sleeps up to `jitter` longer each time, so that processes which wait for one store do not all
    /// knock at once. Default: none.
    pub const fn jitter(self, jitter: Duration) -> Self {
        Self { jitter, ..self }
    }
}

/// Why waiting ended without a permission. Nothing has been charged.
#[derive(Debug)]
#[non_exhaustive]
pub enum WaitError<E> {
    /// The time is up, or would be before there is room.
    TimedOut,
    /// No wait helps: the cost is above the capacity.
    Never,
    /// Too many are waiting already ([`Limiter::MAX_WAITING`]).
    TooMany,
    /// The store did not decide.
    Store(E),
}

impl<S: Store> Limiter<S> {
    /// How many may wait on one limiter at a time.
    pub const MAX_WAITING: usize = 10_000;

    /// Waits until the policy's cost fits for `key`, and charges it.
    ///
    /// Fair: callers of this method that wait for one key are served in the order in which they came.
    /// ([`check`](Self::check) does not queue and may go before them; so may other processes.) Returns
    /// at once if the wait is known to be longer than the patience.
    ///
    /// # Errors
    ///
    /// See [`WaitError`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future charges nothing and lets the next one move up: a charge is made only at the
    /// moment in which the future becomes ready, so there is nothing to be given back. (Over a remote
    /// store a charge that is under way in that moment may have been made.)
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use seawall_ratelimit::{Limiter, MemoryStore, Patience, TokioClock, quota};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let store = MemoryStore::builder().clock(TokioClock::new()).build();
    /// let limiter = Limiter::new(store, quota!("2/second"));
    /// let patience = Patience::at_most(Duration::from_secs(5));
    /// for _ in 0..6 {
    ///     limiter.until_ready("mail relay", patience).await.expect("two seconds suffice");
    /// }
    /// # }
    /// ```
    pub async fn until_ready(
        &self,
        key: impl AsRef<[u8]>,
        patience: Patience,
    ) -> Result<Allowed, WaitError<S::Error>> {
        let key = key.as_ref();
        let deadline = tokio_now() + patience.at_most;
        let line = self.line();
        if line.is_empty_for(key)
            && let Decision::Allow(allowed) = self.check(key).await.map_err(WaitError::Store)?
        {
            return Ok(allowed);
        }
        let place = line
            .join(key, Self::MAX_WAITING)
            .ok_or(WaitError::TooMany)?;
        let Ok(_my_turn) = timeout_at(deadline, place.turn.lock()).await else {
            return Err(WaitError::TimedOut);
        };
        loop {
            let denied = match self.check(key).await.map_err(WaitError::Store)? {
                Decision::Allow(allowed) => return Ok(allowed),
                Decision::Deny(denied) => denied,
            };
            let now = tokio_now();
            let ready = now + denied.retry_after().ok_or(WaitError::Never)?.max(SHORTEST);
            if ready > deadline {
                return Err(WaitError::TimedOut);
            }
            let spread = line.spread(patience.jitter);
            tokio::time::sleep_until((ready + spread).min(deadline)).await;
        }
    }
}

/// Who waits for which key. Bounded by the number of callers, who are bounded by `MAX_WAITING`.
#[derive(Default)]
pub(crate) struct Line {
    keys: Mutex<HashMap<u64, Queue>>,
    waiting: AtomicUsize,
    hasher: RandomState,
    spread: AtomicU64,
}

struct Queue {
    /// A lock of tokio is handed on in the order of asking, and a waiter that is dropped leaves the
    /// queue: exactly a line.
    turn: Arc<tokio::sync::Mutex<()>>,
    callers: usize,
}

struct Place<'a> {
    line: &'a Line,
    key: u64,
    turn: Arc<tokio::sync::Mutex<()>>,
}

impl Line {
    /// Keys are told apart by a seeded hash; two that collide would wait for each other, no more.
    fn is_empty_for(&self, key: &[u8]) -> bool {
        !self.keys.lock().contains_key(&self.hasher.hash_one(key))
    }

    fn join(&self, key: &[u8], at_most: usize) -> Option<Place<'_>> {
        // Relaxed: a bound needs no order with anything else.
        if self.waiting.fetch_add(1, Ordering::Relaxed) >= at_most {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            return None;
        }
        let key = self.hasher.hash_one(key);
        let mut keys = self.keys.lock();
        let queue = keys.entry(key).or_insert_with(|| Queue {
            turn: Arc::default(),
            callers: 0,
        });
        queue.callers += 1;
        Some(Place {
            line: self,
            key,
            turn: Arc::clone(&queue.turn),
        })
    }

    /// A random time below `jitter`. The hash of a counter is random enough to spread a herd.
    fn spread(&self, jitter: Duration) -> Duration {
        let random = self
            .hasher
            .hash_one(self.spread.fetch_add(1, Ordering::Relaxed));
        let parts = u32::try_from(random >> 32).unwrap_or(0);
        jitter.saturating_mul(parts >> 16) / (1 << 16)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut keys = self.line.keys.lock();
        if let Entry::Occupied(mut queue) = keys.entry(self.key) {
            queue.get_mut().callers -= 1;
            if queue.get().callers == 0 {
                queue.remove();
            }
        }
        self.line.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Line")
            .field("waiting", &self.waiting)
            .finish_non_exhaustive()
    }
}

impl<E> fmt::Display for WaitError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TimedOut => "no room in time",
            Self::Never => "the cost is above the capacity",
            Self::TooMany => "too many are waiting",
            Self::Store(_) => "rate limit store did not decide",
        })
    }
}

impl<E: Error + 'static> Error for WaitError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Store(error) => Some(error),
            _ => None,
        }
    }
}

/// Timers are coarser than quotas; knocking more often would be busy waiting.
const SHORTEST: Duration = Duration::from_millis(1);
