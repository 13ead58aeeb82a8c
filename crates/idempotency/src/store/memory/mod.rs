//! The store of a single process.

mod key;
mod queue;
mod shard;

use std::convert::Infallible;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use super::{Caps, Completion, Durability, Reach, Reserve, Reserved, Settled, Store, Token, Wait};
use crate::ConfigError;
use crate::clock::{Clock, SystemClock, unix_micros};
use crate::operation::RecordId;
use crate::sync::{AtomicU64, AtomicUsize, Mutex, MutexGuard, Notify, Ordering};
use key::Key;
use shard::Shard;

/// Keeps records in memory: bounded, exact, and gone with the process.
///
/// Clones share the memory. A second process has a second memory: behind a load balancer, use a
/// shared store.
///
/// # Bounds
///
/// It holds at most [`entries`](MemoryStoreBuilder::entries) records and
/// [`bytes`](MemoryStoreBuilder::bytes) of payloads. Beyond, new operations are
/// [`Reserved::Full`]: records leave when they expire and for no other reason. Every record that is
/// reserved has room [set aside](MemoryStoreBuilder::set_aside) for its payload; a larger one that
/// finds no more room is [`Settled::TooLarge`].
///
/// # Cost
///
/// About 300 bytes a record besides the payload, which is kept as it was given. One of 64 mutexes,
/// held for a lookup and for dropping two expired records. When it is full, a new operation looks
/// into each of them for expired records. Waiters are woken, and do not ask again and again.
#[derive(Clone)]
pub struct MemoryStore(Arc<Shared>);

struct Shared {
    shards: Box<[Mutex<Shard>]>,
    seed: RandomState,
    clock: Box<dyn Clock>,
    fence: AtomicU64,
    room: Room,
}

/// What is taken of the bounds.
#[derive(Debug)]
struct Room {
    entries: AtomicUsize,
    bytes: AtomicUsize,
    most_entries: usize,
    most_bytes: usize,
    aside: usize,
}

/// Collects the settings of a [`MemoryStore`].
#[must_use]
pub struct MemoryStoreBuilder {
    entries: usize,
    bytes: usize,
    aside: usize,
    clock: Box<dyn Clock>,
}

impl MemoryStore {
    /// Makes a store with every setting at its default.
    #[must_use]
    pub fn new() -> Self {
        Self::make(MemoryStoreBuilder::new())
    }

    /// Starts with every setting at its default.
    pub fn builder() -> MemoryStoreBuilder {
        MemoryStoreBuilder::new()
    }

    fn make(settings: MemoryStoreBuilder) -> Self {
        Self(Arc::new(Shared {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            seed: RandomState::new(),
            clock: settings.clock,
            // Later processes count on from later moments, so that a resource which remembers the
            // highest fence it has seen does not shut out a restarted service.
            fence: AtomicU64::new(unix_micros()),
            room: Room {
                entries: AtomicUsize::new(0),
                bytes: AtomicUsize::new(0),
                most_entries: settings.entries,
                most_bytes: settings.bytes,
                aside: settings.aside,
            },
        }))
    }

    /// Returns how many records are held, those included that have expired and not yet left.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.room.entries.load(Ordering::Relaxed)
    }

    /// Returns whether nothing is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns how many bytes of payloads are held or set aside.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.0.room.bytes.load(Ordering::Relaxed)
    }

    fn key(&self, id: RecordId) -> Key {
        // Seeded, as clients may choose their keys, and with them the ids.
        Key {
            hash: self.0.seed.hash_one(id.as_bytes()),
            id,
        }
    }

    fn shard(&self, key: Key) -> MutexGuard<'_, Shard> {
        lock(&self.0.shards[key.shard(SHARDS)])
    }

    fn take(&self, ask: &Reserve) -> Reserved {
        let key = self.key(ask.id);
        let now = self.0.clock.now();
        let answer = self.try_take(key, ask, now);
        if answer == Reserved::Full && self.make_room(now) {
            return self.try_take(key, ask, now);
        }
        answer
    }

    fn try_take(&self, key: Key, ask: &Reserve, now: Duration) -> Reserved {
        let (answer, woken) = {
            let mut shard = self.shard(key);
            shard.drop_expired(now, FEW, &self.0.room);
            shard.reserve(key, ask, now, &self.0.fence, &self.0.room)
        };
        wake(woken);
        answer
    }

    /// Drops expired records wherever they are, and returns whether there were any.
    fn make_room(&self, now: Duration) -> bool {
        let mut dropped = 0;
        for shard in &self.0.shards {
            dropped += lock(shard).drop_expired(now, MANY, &self.0.room);
        }
        dropped > 0
    }

    fn finish(&self, completion: &Completion) -> Settled {
        let key = self.key(completion.token().id);
        let now = self.0.clock.now();
        let (settled, woken) = self.shard(key).complete(key, completion, now, &self.0.room);
        wake(woken);
        settled
    }

    fn forget(&self, token: Token) -> Settled {
        let key = self.key(token.id);
        let now = self.0.clock.now();
        let (settled, woken) = self.shard(key).release(key, token, now, &self.0.room);
        wake(woken);
        settled
    }

    pub(crate) async fn until_changed(&self, id: RecordId) {
        let key = self.key(id);
        let Some(watch) = self.shard(key).watch(key, self.0.clock.now()) else {
            return;
        };
        // From here on this is woken; then it is asked whether that was too late.
        let woken = watch.notified();
        if self.shard(key).is_watched(key, &watch) {
            woken.await;
        }
    }

    fn extend(&self, token: Token, lease: Duration) -> Settled {
        let key = self.key(token.id);
        let now = self.0.clock.now();
        let (settled, woken) = self.shard(key).renew(key, token, lease, now);
        wake(woken);
        settled
    }
}

impl Store for MemoryStore {
    type Error = Infallible;

    async fn reserve(&self, reserve: Reserve) -> Result<Reserved, Infallible> {
        Ok(self.take(&reserve))
    }

    async fn complete(&self, completion: &Completion) -> Result<Settled, Infallible> {
        Ok(self.finish(completion))
    }

    async fn release(&self, token: Token) -> Result<Settled, Infallible> {
        Ok(self.forget(token))
    }

    async fn renew(&self, token: Token, lease: Duration) -> Result<Settled, Infallible> {
        Ok(self.extend(token, lease))
    }

    async fn changed(&self, id: RecordId, wait: Wait) {
        // Being late is no failure: whoever waits asks again.
        let _ = tokio::time::timeout(wait.most, self.until_changed(id)).await;
    }

    async fn sweep(&self, most: usize) -> Result<usize, Infallible> {
        let now = self.0.clock.now();
        let mut swept = 0;
        for shard in &self.0.shards {
            swept += lock(shard).drop_expired(now, most - swept, &self.0.room);
        }
        Ok(swept)
    }

    fn caps(&self) -> Caps {
        Caps::new(Durability::None, Reach::Process).largest(self.0.room.most_bytes)
    }

    fn reserve_now(&self, reserve: Reserve) -> Option<Result<Reserved, Infallible>> {
        Some(Ok(self.take(&reserve)))
    }

    fn complete_now(&self, completion: &Completion) -> Option<Result<Settled, Infallible>> {
        Some(Ok(self.finish(completion)))
    }

    fn release_now(&self, token: Token) -> Option<Result<Settled, Infallible>> {
        Some(Ok(self.forget(token)))
    }

    fn renew_now(&self, token: Token, lease: Duration) -> Option<Result<Settled, Infallible>> {
        Some(Ok(self.extend(token, lease)))
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore")
            .field("room", &self.0.room)
            .finish_non_exhaustive()
    }
}

impl MemoryStoreBuilder {
    fn new() -> Self {
        Self {
            entries: 65_536,
            bytes: 64 << 20,
            aside: 1 << 10,
            clock: Box::new(SystemClock::new()),
        }
    }

    /// Sets how many records are held at most. Default: 65,536, which at a retention of 24 hours is
    /// three operations in four seconds.
    pub fn entries(self, entries: usize) -> Self {
        Self { entries, ..self }
    }

    /// Sets how many bytes of payloads are held at most. Default: 64 MiB.
    pub fn bytes(self, bytes: usize) -> Self {
        Self { bytes, ..self }
    }

    /// Sets how many bytes a reserved record has room for in any case. Default: 1 KiB, a usual
    /// answer. More takes room from operations that begin; less can leave a response that was
    /// larger without a place to be stored.
    pub fn set_aside(self, bytes: usize) -> Self {
        Self {
            aside: bytes,
            ..self
        }
    }

    /// Sets the clock. Default: [`SystemClock`].
    pub fn clock(self, clock: impl Clock) -> Self {
        Self {
            clock: Box::new(clock),
            ..self
        }
    }

    /// Makes the store.
    ///
    /// # Errors
    ///
    /// Fails when nothing could ever be held: no entries, less set aside than
    /// [`Caps::ALWAYS_FITS`], or fewer bytes than are set aside for one record.
    pub fn build(self) -> Result<MemoryStore, ConfigError> {
        if self.entries == 0 {
            return Err(ConfigError::new("entries", "at least one"));
        }
        if self.aside < Caps::ALWAYS_FITS {
            return Err(ConfigError::new("set_aside", "at least 128 bytes"));
        }
        if self.bytes < self.aside {
            return Err(ConfigError::new(
                "bytes",
                "at least what is set aside for one record",
            ));
        }
        Ok(MemoryStore::make(self))
    }
}

impl fmt::Debug for MemoryStoreBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStoreBuilder")
            .field("entries", &self.entries)
            .field("bytes", &self.bytes)
            .field("set_aside", &self.aside)
            .finish_non_exhaustive()
    }
}

impl Room {
    /// Takes room for one more record.
    fn enter(&self) -> bool {
        if !add_within(&self.entries, 1, self.most_entries) {
            return false;
        }
        if add_within(&self.bytes, self.aside, self.most_bytes) {
            return true;
        }
        self.entries.fetch_sub(1, Ordering::Relaxed);
        false
    }

    /// Exchanges the room that a record has.
    fn exchange(&self, held: usize, wanted: usize) -> bool {
        if wanted > held {
            return add_within(&self.bytes, wanted - held, self.most_bytes);
        }
        self.bytes.fetch_sub(held - wanted, Ordering::Relaxed);
        true
    }

    fn leave(&self, held: usize) {
        self.bytes.fetch_sub(held, Ordering::Relaxed);
        self.entries.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Adds, unless the sum would be more than `most`.
fn add_within(number: &AtomicUsize, more: usize, most: usize) -> bool {
    // Relaxed: the number is meaningful alone, and whatever it counts is behind a mutex.
    let add = |number: usize| number.checked_add(more).filter(|sum| *sum <= most);
    number
        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, add)
        .is_ok()
}

fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    // Nothing panics while it holds the lock, so a poisoned shard is a whole one.
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Wakes outside of the lock, as the woken want it.
fn wake(woken: Option<Arc<Notify>>) {
    if let Some(woken) = woken {
        woken.notify_waiters();
    }
}

const SHARDS: usize = 64;

/// Expired records dropped with each reserve: more than one, so that they go faster than they come.
const FEW: usize = 2;

/// Expired records dropped of each shard when there is no room.
const MANY: usize = 64;
