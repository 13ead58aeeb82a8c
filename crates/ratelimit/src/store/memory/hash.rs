//! From keys to tags, by a hash that is seeded anew in every process.
//!
//! Tags stand for keys: whoever could make two keys collide could spend another's quota. So the seeds
//! come from the operating system (through the standard library), and no key is ever stored.

use std::hash::{BuildHasher, Hasher, RandomState};

use crate::quota::Algorithm;
use crate::store::Charge;

/// Makes tags; one in each store.
pub(in crate::store) struct Tags(ahash::RandomState);

impl Tags {
    pub(in crate::store) fn new() -> Self {
        let system = RandomState::new();
        let seed = |n: u8| system.hash_one(n);
        Self(ahash::RandomState::with_seeds(
            seed(0),
            seed(1),
            seed(2),
            seed(3),
        ))
    }

    /// The tag of a charge's counter.
    #[inline]
    pub(in crate::store) fn counter(&self, charge: &Charge<'_>) -> u64 {
        let period = charge.quota().period_us();
        match charge.quota().algorithm() {
            Algorithm::Gcra => self.tag(0, charge.scope(), charge.subject()),
            Algorithm::SlidingWindow => self.tag(period << 2 | 1, charge.scope(), charge.subject()),
            Algorithm::FixedWindow => self.tag(period << 2 | 2, charge.scope(), charge.subject()),
        }
    }

    /// The tag of a charge's block.
    #[inline]
    pub(super) fn block(&self, charge: &Charge<'_>) -> u64 {
        self.tag(3, charge.scope(), charge.subject())
    }

    /// The tag of the counter that a policy's new keys share when there is no room for them.
    #[cold]
    pub(super) fn overflow(&self, charge: &Charge<'_>) -> u64 {
        let period = charge.quota().period_us();
        self.tag(period << 3 | 7, charge.scope(), b"")
    }

    #[inline]
    fn tag(&self, kind: u64, scope: &[u8], subject: &[u8]) -> u64 {
        let mut hasher = self.0.build_hasher();
        hasher.write_u64(kind);
        hasher.write(scope);
        hasher.write(subject);
        // 0 marks a slot that was never used.
        hasher.finish().max(1)
    }
}
