//! Counts in this process.

use std::collections::HashMap;
use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use smallvec::SmallVec;

use crate::clock::{Clock, Now, SystemClock};
use crate::machine::{State, measure};
use crate::store::{Charge, Op, Store};
use crate::verdict::Verdict;

/// Counts in this process, bounded. Clones share the counts.
#[derive(Clone)]
pub struct MemoryStore {
    shared: Arc<Shared>,
}

/// What happens when there is no room for another key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum WhenFull {
    /// Forgets the key that is nearest to full refill: it loses least.
    #[default]
    EvictNearestFull,
    /// Denies keys that are not known yet.
    Deny,
    /// Counts them all on one shared counter a policy.
    ShareOverflow,
}

/// Settings of a [`MemoryStore`].
#[derive(Debug)]
#[must_use]
pub struct MemoryStoreBuilder {
    capacity: usize,
    when_full: WhenFull,
    clock: DebugClock,
}

struct DebugClock(Arc<dyn Clock>);

impl fmt::Debug for DebugClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

impl MemoryStore {
    /// A store for `capacity` keys.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self::builder().capacity(capacity).build()
    }

    /// Chooses capacity, clock, and what happens when it is full.
    pub fn builder() -> MemoryStoreBuilder {
        MemoryStoreBuilder {
            capacity: 65_536,
            when_full: WhenFull::default(),
            clock: DebugClock(Arc::new(SystemClock::new())),
        }
    }

    /// How many keys were forgotten although they still counted.
    #[must_use]
    pub fn live_evictions(&self) -> u64 {
        self.shared.evictions.load(Ordering::Relaxed)
    }
}

impl MemoryStoreBuilder {
    /// Keys that can count at a time. Default: 65,536.
    pub fn capacity(self, capacity: usize) -> Self {
        Self { capacity: capacity.max(1), ..self }
    }

    /// What happens at the bound. Default: [`WhenFull::EvictNearestFull`].
    pub fn when_full(self, when_full: WhenFull) -> Self {
        Self { when_full, ..self }
    }

    /// The clock. Default: [`SystemClock`].
    pub fn clock(self, clock: impl Clock) -> Self {
        Self { clock: DebugClock(Arc::new(clock)), ..self }
    }

    /// Makes the store.
    #[must_use]
    pub fn build(self) -> MemoryStore {
        MemoryStore {
            shared: Arc::new(Shared {
                clock: self.clock.0,
                capacity: self.capacity,
                when_full: self.when_full,
                keys: Mutex::default(),
                evictions: AtomicU64::new(0),
            }),
        }
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::builder().build()
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").field("capacity", &self.shared.capacity).finish_non_exhaustive()
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
        Ok(self.shared.decide(op, charges, out))
    }

    fn decide_now(
        &self,
        op: Op,
        charges: &[Charge<'_>],
        out: &mut [Verdict],
    ) -> Option<Result<Now, Infallible>> {
        Some(Ok(self.shared.decide(op, charges, out)))
    }
}

struct Shared {
    clock: Arc<dyn Clock>,
    capacity: usize,
    when_full: WhenFull,
    keys: Mutex<HashMap<Vec<u8>, Entry>>,
    evictions: AtomicU64,
}

#[derive(Clone, Copy)]
struct Entry {
    state: State,
    expires: u64,
    blocked_until: u64,
}

impl Shared {
    fn decide(&self, op: Op, charges: &[Charge<'_>], out: &mut [Verdict]) -> Now {
        let now = self.clock.now();
        let mut keys = self.keys.lock();
        let mut planned: SmallVec<[(Vec<u8>, Entry); 4]> = SmallVec::new();
        let mut all = true;
        for (charge, verdict) in charges.iter().zip(out) {
            let mut key = Vec::new();
            charge.each_key_part(|part| key.extend_from_slice(part));
            let quota = charge.quota();
            let known = planned.iter().rev().find(|(k, _)| *k == key).map(|(_, e)| *e);
            let known = known.or_else(|| keys.get(&key).copied());
            let mut entry = known.unwrap_or(Entry {
                state: State::new(quota.algorithm()),
                expires: 0,
                blocked_until: 0,
            });
            let state = entry.state;
            let (next, allowed) = match op {
                Op::Consume | Op::Peek => {
                    let next = state.consume(quota, charge.cost(), now);
                    (next.filter(|_| op == Op::Consume), next.is_some())
                }
                Op::ConsumeUpTo => (Some(state.consume_up_to(quota, charge.cost(), now)), true),
                Op::Refund => (Some(state.refund(quota, charge.cost(), charge.grant(), now)), true),
                Op::Reset => {
                    entry.blocked_until = 0;
                    (Some(State::new(quota.algorithm())), true)
                }
                Op::BlockFor => (None, false),
            };
            let mut answer =
                measure(quota, &next.unwrap_or(state), charge.cost(), now, allowed);
            if let Some(time) = charge.block_for() {
                let until = now.plus(time).mono_us();
                if op == Op::BlockFor {
                    entry.blocked_until = entry.blocked_until.max(until);
                    keys.insert(key.clone(), entry);
                }
                if matches!(op, Op::Consume | Op::Peek | Op::BlockFor) {
                    if op == Op::Consume && !allowed && !charge.is_shadow() && entry.blocked_until <= now.mono_us() && until > now.mono_us() {
                        entry.blocked_until = until;
                        keys.insert(key.clone(), entry);
                        answer = answer.blocked_for(time);
                    } else if let Some(left) = entry.blocked_until.checked_sub(now.mono_us()).filter(|left| *left > 0) {
                        answer = answer.blocked_for(Duration::from_micros(left));
                    }
                }
            }
            *verdict = answer;
            if answer.is_allowed() {
                if let Some(next) = next {
                    entry.state = next;
                    entry.expires = now.mono_us() + u64::try_from(answer.reset().as_micros()).unwrap_or(u64::MAX);
                    planned.push((key, entry));
                }
            } else if !charge.is_shadow() {
                all = false;
            }
        }
        if all || op != Op::Consume {
            for (key, entry) in planned {
                if keys.len() >= self.capacity && !keys.contains_key(&key) {
                    keys.retain(|_, e| e.expires > now.mono_us() || e.blocked_until > now.mono_us());
                    if keys.len() >= self.capacity {
                        let _ = self.when_full;
                        let nearest = keys.iter().min_by_key(|(_, e)| e.expires).map(|(k, _)| k.clone());
                        if let Some(nearest) = nearest {
                            keys.remove(&nearest);
                            self.evictions.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                }
                keys.insert(key, entry);
            }
        }
        now
    }
}
