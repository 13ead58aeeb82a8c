//! Counts in this process: bounded, without a sweeper, and without the keys themselves.

mod engine;
mod hash;
// One file under two names, so that a run under one of the tools is filtered by its name.
#[cfg(all(test, loom))]
#[path = "models.rs"]
mod loom_models;
#[cfg(all(test, shuttle))]
#[path = "models.rs"]
mod shuttle_models;
mod slot;
mod table;

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;

use crate::clock::{Clock, Now, SystemClock};
use crate::not_now::NotNow;
use crate::store::{Charge, Op, Store};
use crate::verdict::Verdict;
use engine::Engine;

pub(crate) use engine::Plain;
pub(super) use hash::Tags;

/// Counts in this process. Clones share the counts.
///
/// # Bound
///
/// Room for `capacity` keys is set aside once: about 21.4 bytes a key, and as much again twice over
/// once the first window is counted (windows need 32-byte slots; GCRA, the default, needs 16). Pages
/// are touched only as keys come. Keys are not stored, only 64-bit keyed hashes of them, seeded anew
/// in every process: two of a million keys share a counter with a probability of 3 in 10^8.
///
/// A key whose quota is full again is the same as one that was never seen, so its slot is free; no
/// task has to sweep. Counts are exact as long as the keys that are not full again number no more
/// than the capacity; what happens then is [`WhenFull`]'s.
///
/// # Concurrency
///
/// No lock is taken for a key that is known, and a denial only reads, unless the quota has shrunk. Two threads that charge one key
/// admit no more than the quota, whatever their timing. When a decision over several keys loses a
/// race for its last key, what it has charged to the others is given back; meanwhile another decision
/// may be denied that would have fitted: the error is on the strict side.
///
/// # Restart and clocks
///
/// A restart forgets everything: every key has its full quota again. Windows follow the calendar
/// clock, GCRA the monotonic one.
///
/// # Examples
///
/// ```
/// use seawall_ratelimit::{MemoryStore, WhenFull};
///
/// let strict = MemoryStore::builder().capacity(1_000_000).when_full(WhenFull::Deny).build();
/// assert_eq!(strict.live_evictions(), 0);
/// ```
#[derive(Clone)]
pub struct MemoryStore {
    engine: Arc<Engine>,
}

/// What happens when every slot in which a new key could be kept holds a key that still counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum WhenFull {
    /// Forgets, of the keys whose slot the new one could take, the one that is nearest to full
    /// refill: it loses least, and heavy users stay. [`MemoryStore::live_evictions`] counts.
    /// The default, since a flood of keys should not lock everybody out.
    #[default]
    EvictNearestFull,
    /// Denies keys that are not known yet, until a slot is free: no key ever gets more than its
    /// quota.
    Deny,
    /// Counts all keys of a policy for which there is no room on one counter that they share. The
    /// counter needs a slot too: where none is free, it takes that of the key nearest to its full
    /// refill, once a policy.
    ShareOverflow,
}

/// Settings of a [`MemoryStore`].
#[must_use]
pub struct MemoryStoreBuilder {
    capacity: usize,
    when_full: WhenFull,
    clock: Arc<dyn Clock>,
}

impl MemoryStore {
    /// A store for `capacity` keys.
    ///
    /// # Panics
    ///
    /// If the operating system does not grant the memory.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self::builder().capacity(capacity).build()
    }

    /// Chooses capacity, clock, and what happens when it is full.
    pub fn builder() -> MemoryStoreBuilder {
        MemoryStoreBuilder {
            capacity: 65_536,
            when_full: WhenFull::default(),
            clock: Arc::new(SystemClock::new()),
        }
    }

    /// How many keys were forgotten although they still counted. Not zero means that the capacity is
    /// too small, and that some keys had more than their quota.
    #[must_use]
    pub fn live_evictions(&self) -> u64 {
        self.engine.evictions()
    }

    /// Decides at once, as memory can.
    #[inline]
    pub(crate) fn decide_here(&self, op: Op, charges: &[Charge<'_>], out: &mut [Verdict]) -> Now {
        self.engine.decide(op, charges, out)
    }

    /// Charges one key, without figures.
    #[inline]
    pub(crate) fn admit_plain(&self, plain: &Plain<'_>) -> Result<(), NotNow> {
        self.engine.admit_plain(plain)
    }

    /// Charges several keys without figures, all or none. `None`: nobody knows, and nothing is
    /// charged.
    #[inline]
    pub(crate) fn admit_all<'a>(
        &self,
        charges: impl Iterator<Item = Option<Plain<'a>>> + Clone,
    ) -> Option<Result<(), NotNow>> {
        self.engine.admit_all(charges)
    }

    /// Bytes set aside for slots.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.engine.bytes()
    }
}

impl MemoryStoreBuilder {
    /// Keys that can count at a time; at least 1. Default: 65,536, which are 1.4 MB.
    pub fn capacity(self, capacity: usize) -> Self {
        Self {
            capacity: capacity.clamp(1, LARGEST),
            ..self
        }
    }

    /// What happens at the bound. Default: [`WhenFull::EvictNearestFull`].
    pub fn when_full(self, when_full: WhenFull) -> Self {
        Self { when_full, ..self }
    }

    /// The clock. Default: [`SystemClock`].
    pub fn clock(self, clock: impl Clock) -> Self {
        Self {
            clock: Arc::new(clock),
            ..self
        }
    }

    /// Makes the store.
    ///
    /// # Panics
    ///
    /// If the operating system does not grant the memory.
    #[must_use]
    pub fn build(self) -> MemoryStore {
        let engine = Engine::new(self.capacity, self.when_full, self.clock);
        MemoryStore {
            engine: Arc::new(engine),
        }
    }
}

impl Default for MemoryStore {
    /// A store for 65,536 keys on the [`SystemClock`].
    fn default() -> Self {
        Self::builder().build()
    }
}

impl Store for MemoryStore {
    type Error = Infallible;

    async fn decide(
        &self,
        op: Op,
        charges: &[Charge<'_>],
        out: &mut [Verdict],
    ) -> Result<Now, Infallible> {
        Ok(self.engine.decide(op, charges, out))
    }

    #[inline]
    fn decide_now(
        &self,
        op: Op,
        charges: &[Charge<'_>],
        out: &mut [Verdict],
    ) -> Option<Result<Now, Infallible>> {
        Some(Ok(self.engine.decide(op, charges, out)))
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore")
            .field("memory", &self.memory())
            .field("live_evictions", &self.live_evictions())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for MemoryStoreBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStoreBuilder")
            .field("capacity", &self.capacity)
            .field("when_full", &self.when_full)
            .finish_non_exhaustive()
    }
}

/// Far beyond any memory, and far below where the number of words would overflow.
const LARGEST: usize = usize::MAX >> 8;
