//! A breaker for each host, tenant or whatever else fails on its own, in bounded memory.

use crate::word::Phase;
use crate::{Builder, CircuitBreaker, ConfigError};
use std::borrow::Borrow;
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// A breaker for each key, all alike, in bounded memory.
///
/// # The bound
///
/// At most `capacity` breakers, at about 700 bytes each, plus the key twice, plus what a large window takes. At
/// the bound a new key takes the place of a breaker that could as well be a new one: closed,
/// without a failed or slow call in its window, in nobody's hands, and not asked for since the
/// last look at it. If there is none such, [`get`](Self::get) says so; an open breaker is never
/// forgotten to make room, or an attacker could close it by inventing keys.
///
/// # Examples
///
/// ```
/// use seawall_breaker::{CircuitBreaker, Registry, State};
///
/// let hosts: Registry<String> = Registry::new(1_000, CircuitBreaker::consecutive(1))?;
///
/// let _ = hosts.get("a.example")?.call(|| Err::<(), _>("down"));
/// assert_eq!(hosts.get("a.example")?.state(), State::Open);
/// assert_eq!(hosts.get("b.example")?.state(), State::Closed);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Cost
///
/// A known key costs a hash and a read lock on one of up to 16 shards. Who calls the same host
/// again and again keeps its `Arc`. At the bound, a new key costs a look at as many breakers of its
/// shard as it takes to find one to spare, and at each of them twice before there is none.
pub struct Registry<K> {
    shards: Box<[RwLock<Shard<K>>]>,
    /// Of one shard. Shards fill unevenly, so the whole may hold a little less than its capacity.
    room: usize,
    template: Builder,
    name: Namer<K>,
    hasher: RandomState,
}

type Namer<K> = Option<Box<dyn Fn(&K) -> Arc<str> + Send + Sync>>;

struct Shard<K> {
    entries: HashMap<K, Entry>,
    /// The keys in the order in which they are looked at when room is needed.
    order: VecDeque<K>,
}

struct Entry {
    breaker: Arc<CircuitBreaker>,
    /// Asked for since it was last looked at.
    used: AtomicBool,
}

/// Every breaker of the registry, or of its part that the key falls into, is in use, open, or has
/// seen failures; there is no room for another.
///
/// The caller decides: call without protection, or do not call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RegistryFull;

impl<K: Hash + Eq + Clone> Registry<K> {
    /// A registry of at most `capacity` breakers, each built as `template` says.
    ///
    /// # Errors
    ///
    /// When the template does not build, or the capacity is 0.
    pub fn new(capacity: usize, template: Builder) -> Result<Self, ConfigError> {
        if capacity == 0 {
            return Err(ConfigError::new("capacity", "at least 1", capacity));
        }
        template.clone().build()?;
        let shards = (capacity / 64).clamp(1, 16);
        Ok(Self {
            shards: (0..shards)
                .map(|_| {
                    RwLock::new(Shard {
                        entries: HashMap::new(),
                        order: VecDeque::new(),
                    })
                })
                .collect(),
            room: capacity / shards,
            template,
            name: None,
            hasher: RandomState::new(),
        })
    }

    /// Names each breaker after its key. Default: all bear the template's name, because keys may
    /// come from clients and names become labels.
    #[must_use]
    pub fn name_by<N: Into<Arc<str>>>(
        mut self,
        name: impl Fn(&K) -> N + Send + Sync + 'static,
    ) -> Self {
        self.name = Some(Box::new(move |key| name(key).into()));
        self
    }

    /// The breaker of this key, built if there is none.
    ///
    /// # Errors
    ///
    /// [`RegistryFull`] if it would have to be built and there is no room.
    pub fn get<Q>(&self, key: &Q) -> Result<Arc<CircuitBreaker>, RegistryFull>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
    {
        let shard = self.shard(key);
        if let Some(entry) = read(shard).entries.get(key) {
            return Ok(entry.hand_out());
        }
        // Built outside of the lock, on which other keys wait.
        let key = key.to_owned();
        let breaker = Arc::new(self.build(&key));
        let mut shard = write(shard);
        if let Some(entry) = shard.entries.get(key.borrow()) {
            return Ok(entry.hand_out());
        }
        if shard.entries.len() >= self.room && !shard.make_room() {
            return Err(RegistryFull);
        }
        let entry = Entry {
            breaker,
            used: AtomicBool::new(true),
        };
        let handed = Arc::clone(&entry.breaker);
        shard.order.push_back(key.clone());
        shard.entries.insert(key, entry);
        Ok(handed)
    }

    /// The breaker of this key, if there is one.
    pub fn peek<Q>(&self, key: &Q) -> Option<Arc<CircuitBreaker>>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        read(self.shard(key))
            .entries
            .get(key)
            .map(|entry| Arc::clone(&entry.breaker))
    }

    /// Every key and its breaker, shard by shard, for a dashboard. `f` must not use the registry.
    pub fn for_each(&self, mut f: impl FnMut(&K, &CircuitBreaker)) {
        for shard in &self.shards {
            for (key, entry) in &read(shard).entries {
                f(key, &entry.breaker);
            }
        }
    }

    /// How many breakers there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shards
            .iter()
            .map(|shard| read(shard).entries.len())
            .sum()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn shard<Q: Hash + ?Sized>(&self, key: &Q) -> &RwLock<Shard<K>> {
        let hash = usize::try_from(self.hasher.hash_one(key) >> 33).unwrap_or(0);
        &self.shards[hash % self.shards.len()]
    }

    fn build(&self, key: &K) -> CircuitBreaker {
        let template = self.template.clone();
        let builder = match &self.name {
            Some(name) => template.name(name(key)),
            None => template,
        };
        builder
            .build()
            .expect("the template was built when the registry was")
    }
}

impl<K: Hash + Eq + Clone> Shard<K> {
    /// Removes one breaker that nobody would miss. Each is looked at twice at most: the first look
    /// forgives those that were asked for since the last one.
    fn make_room(&mut self) -> bool {
        for _ in 0..2 * self.order.len() {
            let Some(key) = self.order.pop_front() else {
                return false;
            };
            let spare = self.entries.get(&key).is_some_and(Entry::is_spare);
            if spare {
                self.entries.remove(&key);
                return true;
            }
            self.order.push_back(key);
        }
        false
    }
}

impl Entry {
    fn hand_out(&self) -> Arc<CircuitBreaker> {
        // Relaxed: a hint for the eviction and nothing else.
        self.used.store(true, Ordering::Relaxed);
        Arc::clone(&self.breaker)
    }

    /// Called under the write lock, so that nobody can take a handle meanwhile.
    fn is_spare(&self) -> bool {
        !self.used.swap(false, Ordering::Relaxed)
            && Arc::strong_count(&self.breaker) == 1
            && self.breaker.is_as_new()
    }
}

impl CircuitBreaker {
    /// Closed, with nothing against it.
    fn is_as_new(&self) -> bool {
        let counts = self.snapshot().counts;
        matches!(self.word().phase(), Phase::Closed { .. })
            && (counts.failures, counts.slow) == (0, 0)
    }
}

fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}

impl<K> fmt::Debug for Registry<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry")
            .field("shards", &self.shards.len())
            .field("room", &self.room)
            .field("template", &self.template)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for RegistryFull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no circuit breaker can be spared for a new key")
    }
}

impl std::error::Error for RegistryFull {}
