//! The last good values of a component, for the time when it gives none.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::hash::Hash;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::clock;

/// Remembers the last good value for each key, no more than so many and no longer than so long.
///
/// Make one for each component and share it: clones share their values. The key must tell apart
/// everything that the value depends on. A recommendation made for one user and remembered without
/// the user's id will be served to another.
///
/// When it is full, the value that was stored the longest ago makes room. Values are cloned out, so
/// large ones belong into an `Arc`.
///
/// # Examples
///
/// ```
/// use std::num::NonZeroUsize;
/// use std::time::Duration;
/// use seawall_degrade::{Degrade, LastGood, Unavailable, stale};
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), Unavailable> {
/// let capacity = NonZeroUsize::new(10_000).expect("not zero");
/// let rates = LastGood::new(capacity, Duration::from_secs(600));
///
/// let up = async { Ok::<_, String>(1.09) };
/// Degrade::new().join((stale("rates", up, rates.at("EURUSD")),)).await?;
///
/// tokio::time::advance(Duration::from_secs(60)).await;
/// let down = async { Err::<f64, _>("connection refused") };
/// let answer = Degrade::new().join((stale("rates", down, rates.at("EURUSD")),)).await?;
///
/// assert!(answer.is_partial());
/// let (rate,) = answer.into_data();
/// let rate = rate.expect("there is a last good value");
/// assert_eq!((rate.value, rate.age), (1.09, Duration::from_secs(60)));
/// # Ok(()) }
/// ```
pub struct LastGood<K, T> {
    shared: Arc<Shared<K, T>>,
}

impl<K: Clone + Eq + Hash, T: Clone> LastGood<K, T> {
    /// Remembers up to `capacity` values, each for `max_age`.
    #[must_use]
    pub fn new(capacity: NonZeroUsize, max_age: Duration) -> Self {
        let values = Values {
            by_key: HashMap::new(),
            by_turn: BTreeMap::new(),
            turns: 0,
        };
        Self {
            shared: Arc::new(Shared {
                capacity,
                max_age,
                values: Mutex::new(values),
            }),
        }
    }

    /// The place of one key, for [`stale`](crate::stale).
    #[must_use]
    pub fn at(&self, key: K) -> Slot<K, T> {
        Slot {
            cache: self.clone(),
            key,
        }
    }

    /// The last good value for `key`, unless it has become too old.
    #[must_use]
    pub fn get(&self, key: &K) -> Option<Aged<T>> {
        let now = clock::now();
        let values = self.lock();
        let stored = values.by_key.get(key)?;
        let age = now.saturating_duration_since(stored.since);
        (age <= self.shared.max_age).then(|| Aged {
            value: stored.value.clone(),
            age,
        })
    }

    /// Remembers `value` for `key`.
    pub fn put(&self, key: K, value: T) {
        let now = clock::now();
        let mut values = self.lock();
        values.put(key, value, now);
        values.shrink(self.shared.capacity.get(), now, self.shared.max_age);
    }

    /// Forgets the value for `key`, such as when it was revoked.
    pub fn forget(&self, key: &K) {
        self.lock().remove(key);
    }

    /// How many values are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lock().by_key.len()
    }

    /// Whether nothing is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A panic of `T::clone` under the lock leaves the values whole, so poison means nothing here.
    fn lock(&self) -> MutexGuard<'_, Values<K, T>> {
        let values = self.shared.values.lock();
        values.unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K, T> Clone for LastGood<K, T> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
        }
    }
}

impl<K, T> fmt::Debug for LastGood<K, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LastGood")
            .field("capacity", &self.shared.capacity)
            .field("max_age", &self.shared.max_age)
            .finish_non_exhaustive()
    }
}

/// The place of one key in a [`LastGood`].
#[derive(Clone)]
pub struct Slot<K, T> {
    cache: LastGood<K, T>,
    key: K,
}

impl<K: Clone + Eq + Hash, T: Clone> Slot<K, T> {
    pub(crate) fn get(&self) -> Option<Aged<T>> {
        self.cache.get(&self.key)
    }

    pub(crate) fn put(self, value: T) {
        self.cache.put(self.key, value);
    }
}

impl<K, T> fmt::Debug for Slot<K, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slot").finish_non_exhaustive()
    }
}

/// A value and how old it is; zero when it is fresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Aged<T> {
    /// The value.
    pub value: T,
    /// The time since it was given.
    pub age: Duration,
}

impl<T> Aged<T> {
    pub(crate) fn fresh(value: T) -> Self {
        Self {
            value,
            age: Duration::ZERO,
        }
    }
}

struct Shared<K, T> {
    capacity: NonZeroUsize,
    max_age: Duration,
    values: Mutex<Values<K, T>>,
}

/// The values by key, and the keys by the turn in which they were stored: oldest first.
struct Values<K, T> {
    by_key: HashMap<K, Stored<T>>,
    by_turn: BTreeMap<u64, K>,
    turns: u64,
}

struct Stored<T> {
    value: T,
    since: Instant,
    turn: u64,
}

impl<K: Clone + Eq + Hash, T> Values<K, T> {
    fn put(&mut self, key: K, value: T, now: Instant) {
        let turn = self.turns;
        self.turns += 1;
        let stored = Stored {
            value,
            since: now,
            turn,
        };
        if let Some(old) = self.by_key.insert(key.clone(), stored) {
            self.by_turn.remove(&old.turn);
        }
        self.by_turn.insert(turn, key);
    }

    fn remove(&mut self, key: &K) {
        if let Some(old) = self.by_key.remove(key) {
            self.by_turn.remove(&old.turn);
        }
    }

    /// Drops the oldest while there are too many, and up to two more which are too old: two, since
    /// each call adds one, so the old ones go away without a sweeper and without a long pause.
    fn shrink(&mut self, capacity: usize, now: Instant, max_age: Duration) {
        let mut aged = 2;
        while let Some((&turn, key)) = self.by_turn.first_key_value() {
            let full = self.by_key.len() > capacity;
            let old = self
                .by_key
                .get(key)
                .is_none_or(|stored| now.saturating_duration_since(stored.since) > max_age);
            if !full && (!old || aged == 0) {
                return;
            }
            if !full {
                aged -= 1;
            }
            self.by_key.remove(key);
            self.by_turn.remove(&turn);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]
        /// The model keeps every value ever stored, in order, and looks back.
        #[test]
        fn remembers_what_a_look_back_finds(
            capacity in 1..6_usize,
            puts in proptest::collection::vec((0..8_u8, 0..40_u64, any::<bool>()), 0..40),
        ) {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_time()
                .start_paused(true)
                .build()
                .unwrap();
            runtime.block_on(async {
                let max_age = Duration::from_millis(100);
                let cache = LastGood::new(NonZeroUsize::new(capacity).unwrap(), max_age);
                let mut past: Vec<(u8, usize, u64)> = Vec::new();
                let mut now = 0;
                for (turn, &(key, later, forget)) in puts.iter().enumerate() {
                    tokio::time::advance(Duration::from_millis(later)).await;
                    now += later;
                    past.retain(|&(old, ..)| old != key);
                    if forget {
                        cache.forget(&key);
                    } else {
                        cache.put(key, turn);
                        past.push((key, turn, now));
                        let surplus = past.len().saturating_sub(capacity);
                        past.drain(..surplus);
                    }
                    prop_assert!(cache.len() <= capacity);
                    for key in 0..8 {
                        let found = cache.get(&key).map(|aged| (aged.value, aged.age));
                        let stored = past.iter().find(|&&(old, ..)| old == key);
                        let expected = stored.map(|&(_, turn, at)| (turn, Duration::from_millis(now - at)));
                        prop_assert_eq!(found, expected.filter(|&(_, age)| age <= max_age));
                    }
                }
                Ok(())
            })?;
        }
    }

    #[test]
    fn old_values_go_without_being_asked_for() {
        let start = clock::now();
        let mut values = Values {
            by_key: HashMap::new(),
            by_turn: BTreeMap::new(),
            turns: 0,
        };
        for key in 0..10 {
            values.put(key, (), start);
        }
        let later = start + Duration::from_secs(2);
        for key in 10..20 {
            values.put(key, (), later);
            values.shrink(100, later, Duration::from_secs(1));
        }
        assert_eq!(values.by_key.len(), 10);
        assert_eq!(values.by_turn.len(), 10);
    }
}
