//! What a message is recognised by: a hash of the bytes that were signed.

use sha2::{Digest, Sha256};

/// Hashes namespace, tenant, scheme and signed bytes.
///
/// Not the header's text: hexadecimal in the other case, or signatures in another order, would be
/// another message. Not the signature that fitted either: while keys are rotated a message carries
/// two, and who strips the one that fitted could send it again with the other.
#[derive(Clone)]
pub(crate) struct ReplayHash(Sha256);

impl ReplayHash {
    pub(crate) fn new(parts: [&str; 3]) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"seawall replay 1");
        for part in parts {
            // Lengths in front, so that nothing of one part can be taken for the next.
            hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            hash.update(part.as_bytes());
        }
        Self(hash)
    }

    pub(crate) fn update(&mut self, signed: &[u8]) {
        self.0.update(signed);
    }

    pub(crate) fn finish(self) -> [u8; 32] {
        self.0.finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_run_into_each_other() {
        let of = |parts| ReplayHash::new(parts).finish();
        assert_ne!(of(["ab", "c", ""]), of(["a", "bc", ""]));
        assert_ne!(of(["a", "", "b"]), of(["a", "b", ""]));
    }
}
