//! Names of keys in Redis: a version, a hash tag that decides the Cluster slot, and a hash.

#[cfg(feature = "ratelimit")]
use seawall_ratelimit::key_parts;
use sha2::{Digest, Sha256};

/// What decides in which slot of a Redis Cluster a counter lies.
///
/// Keys of one slot are charged all or none. Without a Cluster it makes no difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum HashTag {
    /// Who is counted: all policies that count one caller lie together, and callers are spread over
    /// the masters. The default.
    #[default]
    Subject,
    /// The namespace: all counters of a namespace lie together. Every decision is then all or none,
    /// but one master carries all of it; choose it where namespaces are tenants, many and small.
    Namespace,
}

/// `sw1:{tag}` and 16 bytes of SHA-256. As long for any input, so no client byte can end a hash tag
/// or outgrow a limit; the same on one server as in a Cluster, so that one can become the other.
pub(crate) type Key = [u8; 26];

#[cfg(feature = "ratelimit")]
impl HashTag {
    /// The key of what `parts` identify, where `scope` and `subject` decide on the slot.
    pub(crate) fn key<'a>(
        self,
        scope: &[u8],
        subject: &[u8],
        parts: impl FnOnce(&mut dyn FnMut(&[u8])) + 'a,
    ) -> Key {
        let mut hash = Sha256::new();
        parts(&mut |part| hash.update(part));
        let hash = hash.finalize();
        let mut key = [0; 26];
        key[..5].copy_from_slice(b"sw1:{");
        key[5..9].copy_from_slice(&self.tag(scope, subject));
        key[9] = b'}';
        key[10..].copy_from_slice(&hash[..16]);
        key
    }

    /// 24 bits are plenty for 16,384 slots.
    fn tag(self, scope: &[u8], subject: &[u8]) -> [u8; 4] {
        let hash = match self {
            Self::Subject => Sha256::digest(subject),
            Self::Namespace => Sha256::digest(key_parts(scope).next().unwrap_or_default()),
        };
        letters([hash[0], hash[1], hash[2]])
    }
}

/// The key of an accepted message, which lies wherever its digest says: namespace, tenant and scheme
/// are in that already.
#[cfg(feature = "signing")]
pub(crate) fn nonce_key(digest: &[u8; 32]) -> Key {
    digest_key(*b"nnnnnnnnn", digest)
}

/// The key of an operation's record, which lies wherever its id says: namespace, route, tenant and
/// principal are in that already.
#[cfg(feature = "idempotency")]
pub(crate) fn record_key(id: &[u8; 32]) -> Key {
    digest_key(*b"iiiiiiiii", id)
}

/// `kind` is as long as what the parts of a counter's key begin with, and unlike any of it.
#[cfg(any(feature = "idempotency", feature = "signing"))]
fn digest_key(kind: [u8; 9], digest: &[u8; 32]) -> Key {
    let hash = Sha256::new()
        .chain_update(kind)
        .chain_update(digest)
        .finalize();
    let mut key = [0; 26];
    key[..5].copy_from_slice(b"sw1:{");
    key[5..9].copy_from_slice(&letters([hash[16], hash[17], hash[18]]));
    key[9] = b'}';
    key[10..].copy_from_slice(&hash[..16]);
    key
}

fn letters(bits: [u8; 3]) -> [u8; 4] {
    let bits = u32::from_be_bytes([0, bits[0], bits[1], bits[2]]);
    [18, 12, 6, 0].map(|shift| BASE64[(bits >> shift & 63) as usize])
}

/// The part of a key that decides on its slot.
#[cfg(all(feature = "cluster", feature = "ratelimit"))]
pub(crate) fn slot_part(key: &Key) -> &[u8] {
    &key[5..9]
}

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

#[cfg(all(test, feature = "ratelimit"))]
mod tests {
    use super::*;
    use seawall_ratelimit::KeyBuf;

    fn key(tag: HashTag, scope: &KeyBuf, subject: &[u8]) -> Key {
        tag.key(scope.as_ref(), subject, |put| {
            put(scope.as_ref());
            put(subject);
        })
    }

    #[test]
    fn is_a_frozen_format() {
        let key = key(
            HashTag::Subject,
            &KeyBuf::new().push("shop").push("login"),
            b"alice",
        );
        assert_eq!(&key[..10], b"sw1:{K9gG}");
        assert_eq!(key[10..14], [0xd4, 0xe1, 0x52, 0x98]);
    }

    #[test]
    fn one_subject_lies_in_one_slot_whatever_counts_it() {
        let a = key(
            HashTag::Subject,
            &KeyBuf::new().push("shop").push("login"),
            b"alice",
        );
        let b = key(
            HashTag::Subject,
            &KeyBuf::new().push("shop").push("email"),
            b"alice",
        );
        assert_eq!(a[..10], b[..10]);
        assert_ne!(a, b);
    }

    #[test]
    fn a_namespace_can_lie_in_one_slot() {
        let scope = KeyBuf::new().push("tenant-7").push("login");
        let a = key(HashTag::Namespace, &scope, b"alice");
        let b = key(HashTag::Namespace, &scope, b"bob");
        assert_eq!(a[..10], b[..10]);
        assert_ne!(a, b);
        let other = KeyBuf::new().push("tenant-8").push("login");
        assert_ne!(key(HashTag::Namespace, &other, b"bob")[..10], b[..10]);
    }

    #[test]
    fn no_subject_can_break_the_hash_tag() {
        let scope = KeyBuf::new().push("shop").push("login");
        for subject in [&b"}"[..], b"{", b"", b"\0", &[b'x'; 100_000]] {
            let key = key(HashTag::Subject, &scope, subject);
            let ends = key[..10].iter().filter(|byte| **byte == b'}').count();
            assert_eq!((ends, key[9]), (1, b'}'), "{subject:?}");
        }
    }
}

#[cfg(all(test, feature = "idempotency", feature = "signing"))]
mod digest_tests {
    use super::*;

    #[test]
    fn is_a_frozen_format_in_which_records_and_messages_do_not_meet() {
        let (record, message) = (record_key(&[7; 32]), nonce_key(&[7; 32]));
        assert_eq!(&record[..10], b"sw1:{Mbc9}");
        assert_eq!(record[10..14], [0x6b, 0xe6, 0xe2, 0xa7]);
        assert_eq!(&message[..10], b"sw1:{c8TU}");
        assert_eq!(message[10..14], [0xb6, 0xa2, 0x68, 0x5a]);
    }
}
