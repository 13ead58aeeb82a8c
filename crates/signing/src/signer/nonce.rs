//! Values that no two messages share.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest, Sha256};

use crate::clock::UnixTime;
use crate::encoding;

/// Makes nonces from a seed of this process, a counter and the time.
///
/// A nonce must be unlike every other and need not be a secret, so the seed comes from the hasher
/// keys that `std` draws from the operating system, and a nonce costs no system call.
pub(super) struct Nonces {
    seed: Sha256,
    count: AtomicU64,
}

impl Nonces {
    pub(super) fn new() -> Self {
        let mut seed = Sha256::new();
        for round in 0..4_u64 {
            seed.update(RandomState::new().hash_one(round).to_be_bytes());
        }
        Self {
            seed,
            count: AtomicU64::new(0),
        }
    }

    /// Returns 22 characters: 132 bits of a hash, of which no two agree.
    pub(super) fn next(&self, now: UnixTime) -> String {
        // Relaxed: only that no two callers get the same number matters.
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        let mut hash = self.seed.clone();
        hash.update(now.as_secs().to_be_bytes());
        hash.update(count.to_be_bytes());
        let mut text = encoding::base64_url(&hash.finalize());
        text.truncate(22);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_are_alike() {
        let (one, other) = (Nonces::new(), Nonces::new());
        let now = UnixTime::from_secs(1);
        let all: std::collections::HashSet<_> = (0..100)
            .flat_map(|_| [one.next(now), other.next(now)])
            .collect();
        assert_eq!(all.len(), 200);
        assert!(all.iter().all(|nonce| nonce.len() == 22));
    }
}
