//! When to look at which record.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::time::Duration;

use super::key::Key;

/// Is when a record is due, and which one.
type Due = (Duration, Key);

/// Gives records in the order in which they are due.
///
/// Records with one retention come in the order in which they go, so most are put behind the last and
/// taken from the front. A heap has the others, which are due before some that came earlier.
#[derive(Default)]
pub(super) struct Queue {
    in_order: VecDeque<Due>,
    others: BinaryHeap<Reverse<Due>>,
}

impl Queue {
    pub(super) fn len(&self) -> usize {
        self.in_order.len() + self.others.len()
    }

    pub(super) fn push(&mut self, due: Duration, key: Key) {
        match self.in_order.back() {
            Some((last, _)) if *last > due => self.others.push(Reverse((due, key))),
            _ => self.in_order.push_back((due, key)),
        }
    }

    /// Takes the first, if it is due.
    pub(super) fn pop(&mut self, now: Duration) -> Option<Key> {
        let front = self.in_order.front().map(|(due, _)| *due);
        let top = self.others.peek().map(|Reverse((due, _))| *due);
        match (front, top) {
            (Some(front), Some(top)) if top < front => self.pop_other(now, top),
            (None, Some(top)) => self.pop_other(now, top),
            (Some(front), _) if front <= now => self.in_order.pop_front().map(|(_, key)| key),
            _ => None,
        }
    }

    fn pop_other(&mut self, now: Duration, top: Duration) -> Option<Key> {
        if top > now {
            return None;
        }
        self.others.pop().map(|Reverse((_, key))| key)
    }

    /// Puts these in place of all.
    pub(super) fn replace(&mut self, all: impl Iterator<Item = Due>) {
        let mut all: Vec<_> = all.collect();
        all.sort_unstable();
        self.in_order = all.into();
        self.others.clear();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::operation::RecordId;

    fn key(nth: usize) -> Key {
        Key {
            hash: nth as u64,
            id: RecordId::from_bytes([0; 32]),
        }
    }

    proptest! {
        #[test]
        fn it_is_a_sorted_list(steps in prop::collection::vec((0..20_u64, any::<bool>()), 0..60)) {
            let (mut queue, mut model) = (Queue::default(), Vec::new());
            for (nth, (secs, is_pushed)) in steps.into_iter().enumerate() {
                let moment = Duration::from_secs(secs);
                if is_pushed {
                    queue.push(moment, key(nth));
                    model.push((moment, nth));
                    continue;
                }
                let first = model.iter().map(|(due, _)| *due).min().filter(|due| *due <= moment);
                let popped = queue.pop(moment).map(|key| key.hash);
                prop_assert_eq!(popped.is_some(), first.is_some());
                // Of those that are due at once, any may come.
                if let Some(popped) = popped {
                    let at = model.iter().position(|(_, nth)| *nth as u64 == popped).unwrap();
                    prop_assert_eq!(Some(model.swap_remove(at).0), first);
                }
                prop_assert_eq!(queue.len(), model.len());
            }
            queue.replace(model.iter().map(|(due, nth)| (*due, key(*nth))));
            let mut left: Vec<_> = model.into_iter().map(|(due, _)| due).collect();
            left.sort_unstable();
            for due in left {
                prop_assert!(due.is_zero() || queue.pop(due - Duration::from_nanos(1)).is_none());
                prop_assert!(queue.pop(due).is_some());
            }
        }
    }
}
