//! Digests of a body that stand in its head (RFC 9530).

use sha2::{Digest, Sha256, Sha512};

/// Is what a head says about the bytes of its body: SHA-256, SHA-512, or both, which then must
/// both hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContentDigest {
    sha256: Option<[u8; 32]>,
    sha512: Option<[u8; 64]>,
}

impl ContentDigest {
    /// Expects a SHA-256.
    #[must_use]
    pub const fn sha256(digest: [u8; 32]) -> Self {
        Self {
            sha256: Some(digest),
            sha512: None,
        }
    }

    /// Expects a SHA-512.
    #[must_use]
    pub const fn sha512(digest: [u8; 64]) -> Self {
        Self {
            sha256: None,
            sha512: Some(digest),
        }
    }

    /// Expects what both expect, `other` in the place of an equal algorithm.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            sha256: other.sha256.or(self.sha256),
            sha512: other.sha512.or(self.sha512),
        }
    }

    /// Computes the SHA-256 of a body.
    #[must_use]
    pub fn of(body: &[u8]) -> Self {
        Self::sha256(Sha256::digest(body).into())
    }

    /// Returns whether the body is the one that was meant.
    #[must_use]
    pub fn matches(&self, body: &[u8]) -> bool {
        let mut check = self.check();
        check.update(body);
        check.finish()
    }

    pub(crate) fn check(&self) -> Check {
        Check {
            expected: *self,
            sha256: self.sha256.map(|_| Sha256::new()),
            sha512: self.sha512.map(|_| Sha512::new()),
        }
    }
}

/// Compares a body that comes in pieces.
#[derive(Clone)]
pub(crate) struct Check {
    expected: ContentDigest,
    sha256: Option<Sha256>,
    sha512: Option<Sha512>,
}

impl Check {
    pub(crate) fn update(&mut self, chunk: &[u8]) {
        if let Some(hash) = &mut self.sha256 {
            hash.update(chunk);
        }
        if let Some(hash) = &mut self.sha512 {
            hash.update(chunk);
        }
    }

    /// Tells whether every digest holds. Digests are public, so this need not take constant time.
    pub(crate) fn finish(self) -> bool {
        let found = ContentDigest {
            sha256: self.sha256.map(|hash| hash.finalize().into()),
            sha512: self.sha512.map(|hash| hash.finalize().into()),
        };
        found == self.expected && (found.sha256.is_some() || found.sha512.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_digest_must_hold() {
        let right = ContentDigest::of(b"abc");
        let long = ContentDigest::sha512(Sha512::digest(b"abc").into());
        assert!(right.matches(b"abc") && long.matches(b"abc") && right.and(long).matches(b"abc"));
        assert!(!right.matches(b"abd") && !long.matches(b"abd"));
        assert!(!ContentDigest::of(b"abd").and(long).matches(b"abc"));
        assert!(!right.and(ContentDigest::sha512([0; 64])).matches(b"abc"));
    }
}
