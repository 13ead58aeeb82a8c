//! Keys of rows: a version, and a hash of what is counted.

use sha2::{Digest, Sha256};

/// A byte of version and 16 bytes of SHA-256: as long for any input, and no byte is special in
/// `bytea`.
pub(crate) type Key = [u8; 17];

/// The key of what `parts` identify.
pub(crate) fn key(parts: impl FnOnce(&mut dyn FnMut(&[u8]))) -> Key {
    let mut hash = Sha256::new();
    parts(&mut |part| hash.update(part));
    let mut key = [VERSION; 17];
    key[1..].copy_from_slice(&hash.finalize()[..16]);
    key
}

const VERSION: u8 = 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_a_frozen_format() {
        let key = key(|put| {
            put(b"\x04shop\x05login");
            put(b"alice");
        });
        assert_eq!(key[..5], [1, 0xd4, 0xe1, 0x52, 0x98]);
    }
}
