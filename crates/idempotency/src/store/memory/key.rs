//! An id as the table knows it, hashed once.

use std::hash::{Hash, Hasher};

use crate::operation::RecordId;

/// Is an id with its seeded hash, so that it is hashed once for the choice of a shard and of a
/// bucket in it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) hash: u64,
    pub(super) id: RecordId,
}

impl Key {
    /// The table takes its bits from both ends; these are from the middle.
    pub(super) fn shard(self, shards: usize) -> usize {
        usize::try_from((self.hash >> 32) & 0xffff_ffff).unwrap_or(0) % shards
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

/// Passes on the one number that it is given.
#[derive(Default)]
pub(super) struct Passed(u64);

impl Hasher for Passed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}
