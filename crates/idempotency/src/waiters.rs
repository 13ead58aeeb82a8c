//! Places for duplicates that wait: so many in all, and so many for one record.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::operation::RecordId;

/// Counts who waits. It holds a number for each record that is waited for, and so no more of them
/// than there are places.
#[derive(Debug)]
pub(crate) struct Waiters {
    most: usize,
    most_of_one: usize,
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    all: usize,
    of: HashMap<RecordId, usize>,
}

/// A place that is taken, and given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Place<'w> {
    waiters: &'w Waiters,
    id: RecordId,
}

impl Waiters {
    pub(crate) fn new(most: usize, most_of_one: usize) -> Self {
        Self {
            most,
            most_of_one,
            waiting: Mutex::default(),
        }
    }

    /// Takes a place, if there is one in all and for the record.
    pub(crate) fn enter(&self, id: RecordId) -> Option<Place<'_>> {
        let mut waiting = self.lock();
        let of_one = waiting.of.get(&id).copied().unwrap_or(0);
        if waiting.all >= self.most || of_one >= self.most_of_one {
            return None;
        }
        waiting.all += 1;
        waiting.of.insert(id, of_one + 1);
        Some(Place { waiters: self, id })
    }

    fn leave(&self, id: RecordId) {
        let mut waiting = self.lock();
        waiting.all -= 1;
        if let Entry::Occupied(mut of_one) = waiting.of.entry(id) {
            *of_one.get_mut() -= 1;
            if *of_one.get() == 0 {
                of_one.remove();
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // Nothing panics while it holds the lock.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.waiters.leave(self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(byte: u8) -> RecordId {
        RecordId::from_bytes([byte; 32])
    }

    #[test]
    fn one_record_leaves_places_for_others() {
        let waiters = Waiters::new(5, 3);
        let hot: Vec<_> = (0..10).filter_map(|_| waiters.enter(id(1))).collect();
        assert_eq!(hot.len(), 3);
        let others: Vec<_> = (2..10).filter_map(|nth| waiters.enter(id(nth))).collect();
        assert_eq!(others.len(), 2, "no more than there are in all");
    }

    #[test]
    fn places_are_given_back_and_nothing_is_left_of_them() {
        let waiters = Waiters::new(2, 1);
        for nth in 0..100 {
            let (one, other) = (waiters.enter(id(nth)), waiters.enter(id(nth + 100)));
            assert!(one.is_some() && other.is_some());
            assert!(waiters.enter(id(250)).is_none());
        }
        let waiting = waiters.lock();
        assert!(waiting.all == 0 && waiting.of.is_empty());
    }
}
