//! From keys to tags, by a hash that is seeded anew in every process.
//!
//! Tags stand for keys: whoever could make two keys collide could spend another's quota. So the seeds
//! come from the operating system (through the standard library), and no key is ever stored.
//!
//! What an attacker would need is two keys whose tags agree under a key of 256 bits that never leaves
//! the process. ahash is made for maps under just that attack, and it mixes each block of input with
//! the secret before it multiplies, so that no difference in the input cancels without knowing it. A
//! map shows its collisions by how long it takes; a tag shows them only by being denied early, one
//! pair at a time, and all 64 bits have to agree rather than the dozen that choose a bucket. What is
//! left is chance, see [`MemoryStore`](crate::MemoryStore).

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

    /// The same tags in each run of a model.
    #[cfg(all(test, any(loom, shuttle)))]
    pub(super) fn fixed() -> Self {
        Self(ahash::RandomState::with_seeds(1, 2, 3, 4))
    }

    /// The tag of a charge's counter.
    #[inline]
    pub(in crate::store) fn counter(&self, charge: &Charge<'_>) -> u64 {
        let period = charge.quota().period_us();
        let kind = match charge.quota().algorithm() {
            Algorithm::Gcra => return self.gcra(charge.scope_id(), charge.subject()),
            Algorithm::SlidingWindow => period << 2 | 1,
            Algorithm::FixedWindow => period << 2 | 2,
        };
        self.of_kind(kind, charge, charge.subject())
    }

    /// The tag of a GCRA counter; `scope` is a [`Scope`](crate::scope::Scope)'s.
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "most of it is known where it is called"
    )]
    pub(super) fn gcra(&self, scope: u64, subject: &[u8]) -> u64 {
        let mut hasher = self.0.build_hasher();
        hasher.write_u64(scope);
        hasher.write(subject);
        // 0 marks a slot that was never used.
        hasher.finish().max(1)
    }

    /// The tag of a charge's block.
    #[inline]
    pub(super) fn block(&self, charge: &Charge<'_>) -> u64 {
        self.of_kind(3, charge, charge.subject())
    }

    /// The tag of the counter that a policy's new keys share when there is no room for them.
    #[cold]
    pub(super) fn overflow(&self, charge: &Charge<'_>) -> u64 {
        self.of_kind(charge.quota().period_us() << 3 | 7, charge, b"")
    }

    /// Another kind of counter is another scope: an odd multiple of its number apart, so that no two
    /// kinds of one scope meet. GCRA is kind 0.
    #[inline]
    fn of_kind(&self, kind: u64, charge: &Charge<'_>, subject: &[u8]) -> u64 {
        let apart = kind.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.gcra(charge.scope_id() ^ apart, subject)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use std::num::NonZeroU32;
    use std::time::Duration;

    use crate::quota::Quota;

    /// Two ids whose bits are all but equal to none and to all: where kinds were joined to the scope by
    /// anything but `^`, some would meet.
    #[test]
    fn no_two_counters_of_a_key_meet() {
        let tags = Tags::new();
        let mut seen = HashSet::new();
        let mut tell_apart = |tag| assert!(seen.insert(tag), "{tag}");
        for scope_id in [1, u64::MAX] {
            let charge = |period, algorithm| {
                let quota = Quota::new(1, Duration::from_micros(period)).unwrap();
                let quota = quota.with_algorithm(algorithm);
                Charge {
                    scope_id,
                    ..Charge::new(b"", b"a", quota, NonZeroU32::MIN)
                }
            };
            tell_apart(tags.counter(&charge(1, Algorithm::Gcra)));
            tell_apart(tags.block(&charge(1, Algorithm::Gcra)));
            for period in 1..20 {
                tell_apart(tags.counter(&charge(period, Algorithm::SlidingWindow)));
                tell_apart(tags.counter(&charge(period, Algorithm::FixedWindow)));
                tell_apart(tags.overflow(&charge(period, Algorithm::Gcra)));
            }
        }
    }

    #[test]
    fn a_gcra_counter_outlives_a_change_of_its_quota() {
        let tags = Tags::new();
        let tag = |quota| tags.counter(&Charge::new(b"", b"a", quota, NonZeroU32::MIN));
        assert_eq!(tag(Quota::per_second(1)), tag(Quota::per_hour(7)));
    }
}
