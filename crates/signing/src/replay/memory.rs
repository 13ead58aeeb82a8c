//! The store of a single process.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};
use std::convert::Infallible;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::store::{Claim, Nonce, NonceStore};
use crate::clock::UnixTime;

/// Remembers accepted messages in memory: bounded, exact, and gone with the process.
///
/// Clones share the memory. It holds at most [`capacity`](Self::with_capacity) live entries and
/// answers [`Claim::Full`] beyond; entries leave when they expire and for no other reason. Its
/// clock is the verifier's. When that runs backwards past entries already dropped, the messages
/// they stood for are [`Claim::Expired`], not new.
///
/// A second process has a second memory: behind a load balancer, use a shared store.
///
/// # Cost
///
/// All of it is allocated at the start, about 150 bytes an entry; a claim allocates nothing unless
/// it is the first of a new scope under a quota. One mutex, held for the time of a hash and a
/// heap's push, and for dropping a few expired entries.
#[derive(Clone)]
pub struct MemoryNonceStore(Arc<Shared>);

struct Shared {
    seed: RandomState,
    capacity: usize,
    quota: Option<usize>,
    state: Mutex<State>,
}

struct State {
    live: HashSet<[u8; 32]>,
    queue: BinaryHeap<Reverse<(UnixTime, [u8; 32], u64)>>,
    scopes: HashMap<u64, usize>,
    /// The latest expiry among all entries ever dropped. What expires by then may be forgotten.
    forgotten: Option<UnixTime>,
}

impl MemoryNonceStore {
    /// Makes a store of 65,536 entries: at 5 minutes each, 180 messages a second.
    #[must_use]
    pub fn new() -> Self {
        Self::with_capacity(65_536)
    }

    /// Makes a store of `capacity` entries, of which it has at least one.
    ///
    /// Each message is kept for the time that it is fresh, so the capacity should exceed the rate
    /// of messages times the tolerance to the past.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self::build(capacity, None)
    }

    /// Makes a store in which no scope, that is no tenant, has more than `quota` live entries, so
    /// that one of them cannot close the door on the others.
    #[must_use]
    pub fn with_quota(capacity: usize, quota: usize) -> Self {
        Self::build(capacity, Some(quota))
    }

    fn build(capacity: usize, quota: Option<usize>) -> Self {
        let capacity = capacity.max(1);
        let state = State {
            // Twice as wide as it is filled: a table that full of the living and the dead cleans
            // up in place, and never grows.
            live: HashSet::with_capacity(capacity.saturating_mul(2)),
            queue: BinaryHeap::with_capacity(capacity),
            scopes: HashMap::new(),
            forgotten: None,
        };
        Self(Arc::new(Shared {
            seed: RandomState::new(),
            capacity,
            quota,
            state: Mutex::new(state),
        }))
    }

    /// Returns how many entries are held, those included that have expired and not yet left.
    #[must_use]
    pub fn len(&self) -> usize {
        self.state().live.len()
    }

    /// Returns whether nothing is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing below panics while it holds the lock, so a poisoned state is a whole one.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, nonce: Nonce<'_>) -> Claim {
        let scope = if self.0.quota.is_some() {
            self.0.seed.hash_one(nonce.scope)
        } else {
            0
        };
        let mut state = self.state();
        state.drop_expired(nonce.now, self.0.capacity);
        if state.live.contains(nonce.digest) {
            return Claim::Replayed;
        }
        if nonce.expires < nonce.now || state.forgotten.is_some_and(|until| nonce.expires <= until)
        {
            return Claim::Expired;
        }
        if state.live.len() >= self.0.capacity {
            return Claim::Full;
        }
        if let Some(quota) = self.0.quota {
            if state.scopes.get(&scope).is_some_and(|held| *held >= quota) || quota == 0 {
                return Claim::Full;
            }
            *state.scopes.entry(scope).or_insert(0) += 1;
        }
        state.live.insert(*nonce.digest);
        state
            .queue
            .push(Reverse((nonce.expires, *nonce.digest, scope)));
        Claim::Fresh
    }
}

impl State {
    /// Drops expired entries: a few at each claim, so that none waits for many, and as many as it
    /// takes to have room.
    fn drop_expired(&mut self, now: UnixTime, capacity: usize) {
        const FEW: usize = 4;
        let mut dropped = 0;
        while dropped < FEW || self.live.len() >= capacity {
            let Some(Reverse((expires, _, _))) = self.queue.peek() else {
                return;
            };
            if *expires >= now {
                return;
            }
            if let Some(Reverse((expires, digest, scope))) = self.queue.pop() {
                self.live.remove(&digest);
                self.forgotten = self.forgotten.max(Some(expires));
                if let Some(held) = self.scopes.get_mut(&scope) {
                    *held = held.saturating_sub(1);
                    if *held == 0 {
                        self.scopes.remove(&scope);
                    }
                }
            }
            dropped += 1;
        }
    }
}

impl Default for MemoryNonceStore {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryNonceStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryNonceStore")
            .field("capacity", &self.0.capacity)
            .finish_non_exhaustive()
    }
}

impl NonceStore for MemoryNonceStore {
    type Error = Infallible;

    async fn claim(&self, nonce: Nonce<'_>) -> Result<Claim, Infallible> {
        Ok(self.take(nonce))
    }

    fn claim_now(&self, nonce: Nonce<'_>) -> Option<Result<Claim, Infallible>> {
        Some(Ok(self.take(nonce)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn t(secs: u64) -> UnixTime {
        UnixTime::from_secs(secs)
    }

    fn claim(store: &MemoryNonceStore, name: u8, expires: u64, now: u64) -> Claim {
        let Some(Ok(claim)) = store.claim_now(Nonce::new(&[name; 32], t(expires), t(now))) else {
            panic!("memory answers at once")
        };
        claim
    }

    #[test]
    fn a_message_is_new_once() {
        let store = MemoryNonceStore::with_capacity(4);
        assert_eq!(claim(&store, 1, 10, 0), Claim::Fresh);
        assert_eq!(claim(&store, 1, 10, 0), Claim::Replayed);
        assert_eq!(claim(&store, 1, 10, 10), Claim::Replayed);
        assert_eq!(claim(&store, 1, 10, 11), Claim::Expired);
        assert_eq!(claim(&store, 2, 20, 11), Claim::Fresh);
    }

    #[test]
    fn the_second_in_which_a_message_expires_is_its_last() {
        let store = MemoryNonceStore::with_capacity(4);
        assert_eq!(claim(&store, 1, 10, 10), Claim::Fresh);
        assert_eq!(claim(&store, 1, 10, 10), Claim::Replayed);
        assert_eq!(claim(&store, 2, 10, 11), Claim::Expired);
    }

    #[test]
    fn a_claim_drops_a_few_expired_entries_and_not_all() {
        let store = MemoryNonceStore::with_capacity(16);
        assert!(store.is_empty());
        for name in 0..10 {
            assert_eq!(claim(&store, name, 10, 0), Claim::Fresh);
        }
        assert_eq!((store.len(), store.is_empty()), (10, false));
        assert_eq!(claim(&store, 100, 30, 11), Claim::Fresh);
        assert_eq!(store.len(), 10 - 4 + 1);
    }

    #[test]
    fn debug_shows_the_capacity_alone() {
        let store = MemoryNonceStore::with_capacity(2);
        assert_eq!(claim(&store, 1, 10, 0), Claim::Fresh);
        assert_eq!(format!("{store:?}"), "MemoryNonceStore { capacity: 2, .. }");
    }

    #[test]
    fn a_full_store_refuses_and_forgets_nothing() {
        let store = MemoryNonceStore::with_capacity(2);
        assert_eq!(claim(&store, 1, 10, 0), Claim::Fresh);
        assert_eq!(claim(&store, 2, 20, 0), Claim::Fresh);
        assert_eq!(claim(&store, 3, 30, 0), Claim::Full);
        assert_eq!(claim(&store, 1, 10, 5), Claim::Replayed);
        assert_eq!(claim(&store, 3, 30, 11), Claim::Fresh);
        assert_eq!(claim(&store, 4, 30, 11), Claim::Full);
    }

    #[test]
    fn a_clock_that_runs_backwards_revives_nothing() {
        let store = MemoryNonceStore::with_capacity(4);
        assert_eq!(claim(&store, 1, 10, 0), Claim::Fresh);
        assert_eq!(claim(&store, 2, 5000, 4900), Claim::Fresh);
        assert_eq!(claim(&store, 1, 10, 0), Claim::Expired);
        assert_eq!(claim(&store, 3, 10, 0), Claim::Expired);
        assert_eq!(claim(&store, 3, 11, 0), Claim::Fresh);
    }

    #[test]
    fn one_scope_cannot_fill_the_store() {
        let store = MemoryNonceStore::with_quota(8, 2);
        let claim = |scope, name: u8, now| {
            store.claim_now(Nonce::new(&[name; 32], t(now + 10), t(now)).scope(scope))
        };
        assert_eq!(claim("a", 1, 0), Some(Ok(Claim::Fresh)));
        assert_eq!(claim("a", 2, 0), Some(Ok(Claim::Fresh)));
        assert_eq!(claim("a", 3, 0), Some(Ok(Claim::Full)));
        assert_eq!(claim("b", 4, 0), Some(Ok(Claim::Fresh)));
        assert_eq!(claim("a", 3, 11), Some(Ok(Claim::Fresh)));
        assert_eq!(store.state().scopes.len(), 1);
    }

    #[test]
    fn claims_that_overlap_have_one_winner() {
        let store = MemoryNonceStore::new();
        let start = std::sync::Barrier::new(8);
        let fresh: usize = std::thread::scope(|threads| {
            let race = || {
                start.wait();
                (0..50)
                    .filter(|name| claim(&store, *name, 10, 0) == Claim::Fresh)
                    .count()
            };
            let racers: Vec<_> = (0..8).map(|_| threads.spawn(race)).collect();
            racers.into_iter().map(|racer| racer.join().unwrap()).sum()
        });
        assert_eq!(fresh, 50);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        /// Against a list that forgets nothing: what it says was accepted is never fresh again,
        /// and while time goes forward nothing else is refused, but for want of room.
        #[test]
        fn agrees_with_a_list(
            steps in prop::collection::vec((0_u8..12, 0_u64..3, 1_u64..20), 1..200),
            capacity in 1_usize..10,
        ) {
            let store = MemoryNonceStore::with_capacity(capacity);
            let mut accepted: Vec<(u8, u64)> = Vec::new();
            let mut now = 100;
            for (name, pause, life) in steps {
                now += pause;
                let got = claim(&store, name, now + life, now);
                let live = accepted.iter().filter(|(_, until)| *until >= now).count();
                let known = accepted.iter().any(|(known, until)| *known == name && *until >= now);
                if known {
                    prop_assert_eq!(got, Claim::Replayed);
                } else if live >= capacity {
                    prop_assert_eq!(got, Claim::Full);
                } else if got == Claim::Fresh {
                    accepted.push((name, now + life));
                } else {
                    // Known, expired, and not yet dropped: remembering longer is allowed.
                    prop_assert!(accepted.iter().any(|(known, _)| *known == name));
                    prop_assert_eq!(got, Claim::Replayed);
                }
            }
        }
    }
}
