//! One part of the memory, behind one lock.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::hash::BuildHasherDefault;
use std::sync::Arc;
use std::time::Duration;

use super::Room;
use super::key::{Key, Passed};
use super::queue::Queue;
use crate::machine::{self, Record, Reserving};
use crate::store::{Completion, Lost, Reserve, Reserved, Settled, Token};
use crate::sync::{AtomicU64, Notify, Ordering};

#[derive(Default)]
pub(super) struct Shard {
    slots: HashMap<Key, Slot, BuildHasherDefault<Passed>>,
    /// When to look at which record. A record that was released or taken over leaves its old entry
    /// behind; `push` keeps those few.
    queue: Queue,
}

struct Slot {
    record: Record,
    /// How many bytes of the room are its.
    held: usize,
    /// Whoever waits for the end of the attempt.
    watch: Option<Arc<Notify>>,
}

/// Whom to wake once the lock is released.
type Woken = Option<Arc<Notify>>;

impl Shard {
    pub(super) fn reserve(
        &mut self,
        key: Key,
        ask: &Reserve,
        now: Duration,
        fence: &AtomicU64,
        room: &Room,
    ) -> (Reserved, Woken) {
        let entry = self.slots.entry(key);
        let found = match &entry {
            Entry::Occupied(slot) => Some(&slot.get().record),
            Entry::Vacant(_) => None,
        };
        let attempt = match machine::reserve(found, ask, now) {
            Reserving::Answer(answer) => return (answer, None),
            Reserving::Take { attempt } => attempt,
        };
        let has_room = match &entry {
            Entry::Occupied(slot) => room.exchange(slot.get().held, room.aside),
            Entry::Vacant(_) => room.enter(),
        };
        if !has_room {
            return (Reserved::Full, None);
        }
        let record = begin(ask, attempt, fence, now);
        let (fence, expires) = (record.fence, record.expires);
        let slot = Slot {
            record,
            held: room.aside,
            watch: None,
        };
        let woken = match entry {
            Entry::Occupied(mut found) => found.insert(slot).watch,
            Entry::Vacant(place) => {
                place.insert(slot);
                None
            }
        };
        self.push(key, expires);
        (Reserved::Acquired { fence, attempt }, woken)
    }

    pub(super) fn complete(
        &mut self,
        key: Key,
        completion: &Completion,
        now: Duration,
        room: &Room,
    ) -> (Settled, Woken) {
        let slot = self.slots.get_mut(&key);
        let found = slot.as_deref().map(|slot| &slot.record);
        if let Err(answer) = machine::complete(found, completion, now) {
            return (answer, None);
        }
        let Some(slot) = slot else {
            return (Settled::Lost(Lost::Gone), None);
        };
        let payload = completion.payload();
        if !room.exchange(slot.held, payload.len()) {
            return (Settled::TooLarge, None);
        }
        slot.held = payload.len();
        slot.record.payload = Some(payload.clone());
        (Settled::Done, slot.watch.take())
    }

    pub(super) fn release(
        &mut self,
        key: Key,
        token: Token,
        now: Duration,
        room: &Room,
    ) -> (Settled, Woken) {
        let found = self.slots.get(&key).map(|slot| &slot.record);
        if let Err(lost) = machine::owns(found, token, now) {
            return (Settled::Lost(lost), None);
        }
        let woken = self.remove(key, room);
        (Settled::Done, woken)
    }

    pub(super) fn renew(
        &mut self,
        key: Key,
        token: Token,
        lease: Duration,
        now: Duration,
    ) -> (Settled, Woken) {
        let slot = self.slots.get_mut(&key);
        let found = slot.as_deref().map(|slot| &slot.record);
        if let Err(lost) = machine::owns(found, token, now) {
            return (Settled::Lost(lost), None);
        }
        let Some(slot) = slot else {
            return (Settled::Lost(Lost::Gone), None);
        };
        slot.record.lease_until = machine::renewed(&slot.record, lease, now);
        // A lease that is given up is what waiters wait for.
        let woken = if slot.record.lease_until <= now {
            slot.watch.take()
        } else {
            None
        };
        (Settled::Done, woken)
    }

    /// Returns what to wait at, if there is something to wait for.
    pub(super) fn watch(&mut self, key: Key, now: Duration) -> Option<Arc<Notify>> {
        let slot = self.slots.get_mut(&key)?;
        let record = &slot.record;
        if record.payload.is_some() || record.lease_until <= now {
            return None;
        }
        Some(Arc::clone(slot.watch.get_or_insert_with(Arc::default)))
    }

    pub(super) fn is_watched(&self, key: Key, watch: &Arc<Notify>) -> bool {
        let slot = self.slots.get(&key);
        let present = slot.and_then(|slot| slot.watch.as_ref());
        present.is_some_and(|present| Arc::ptr_eq(present, watch))
    }

    /// Drops `most` expired records or fewer, and returns how many.
    pub(super) fn drop_expired(&mut self, now: Duration, most: usize, room: &Room) -> usize {
        let mut dropped = 0;
        while dropped < most {
            let Some(key) = self.queue.pop(now) else {
                break;
            };
            let expired = self
                .slots
                .get(&key)
                .is_some_and(|s| s.record.expires <= now);
            if expired {
                // Its lease has run out no later, so nobody waits any more.
                let _ = self.remove(key, room);
                dropped += 1;
            }
        }
        dropped
    }

    fn remove(&mut self, key: Key, room: &Room) -> Woken {
        let slot = self.slots.remove(&key)?;
        room.leave(slot.held);
        slot.watch
    }

    fn push(&mut self, key: Key, expires: Duration) {
        self.queue.push(expires, key);
        // Who releases and reserves in turn leaves an entry each time. Paid for by the entries that
        // it took to get here.
        if self.queue.len() > 2 * self.slots.len() + 16 {
            let due = |(key, slot): (&Key, &Slot)| (slot.record.expires, *key);
            self.queue.replace(self.slots.iter().map(due));
        }
    }
}

impl fmt::Debug for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shard")
            .field("slots", &self.slots.len())
            .finish_non_exhaustive()
    }
}

fn begin(ask: &Reserve, attempt: u32, fence: &AtomicU64, now: Duration) -> Record {
    // Relaxed: fences of one record are taken under its shard's lock, which orders them.
    let fence = fence.fetch_add(1, Ordering::Relaxed);
    machine::take(ask, attempt, fence, now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fingerprint::Fingerprint;
    use crate::operation::RecordId;
    use crate::store::Nonce;
    use crate::sync::AtomicUsize;

    #[test]
    fn who_reserves_and_releases_in_turn_leaves_nothing_behind() {
        let room = Room {
            entries: AtomicUsize::new(0),
            bytes: AtomicUsize::new(0),
            most_entries: 10,
            most_bytes: 10_000,
            aside: 1_000,
        };
        let (mut shard, fence, now) = (Shard::default(), AtomicU64::new(1), Duration::ZERO);
        let id = RecordId::from_bytes([1; 32]);
        let key = Key { hash: 1, id };
        for nonce in 0..10_000 {
            let nonce = Nonce::from_u64(nonce);
            let ask = Reserve::new(id, Fingerprint::of(b""), nonce);
            let (answer, _) = shard.reserve(key, &ask, now, &fence, &room);
            let Reserved::Acquired { fence, .. } = answer else {
                panic!("{answer:?}")
            };
            let (settled, _) = shard.release(key, Token::new(id, fence, nonce), now, &room);
            assert_eq!(settled, Settled::Done);
            assert!(shard.queue.len() <= 18, "{} are queued", shard.queue.len());
        }
    }
}
