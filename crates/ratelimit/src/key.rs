//! Keys as framed bytes, so that no byte a client sends can pass for another key.

use std::fmt;

use smallvec::SmallVec;

/// A key built from parts, each framed by its length.
///
/// `("ab", "c")` and `("a", "bc")` are different keys, whatever bytes the parts hold. Up to 64 bytes
/// are kept inline, without the heap. `Debug` shows the length only: keys hold addresses and names.
///
/// # Examples
///
/// ```
/// use seawall_ratelimit::KeyBuf;
///
/// let key = KeyBuf::new().push("tenant-7").push("alice");
/// assert_ne!(key, KeyBuf::new().push("tenant-7a").push("lice"));
/// assert_eq!(key.parts().collect::<Vec<_>>(), [&b"tenant-7"[..], &b"alice"[..]]);
/// ```
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct KeyBuf {
    bytes: SmallVec<[u8; 64]>,
}

impl KeyBuf {
    /// A key of no parts.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends a part.
    #[must_use]
    #[inline]
    pub fn push(mut self, part: impl AsRef<[u8]>) -> Self {
        self.append(part);
        self
    }

    /// Appends a part in place: for keys that are put together on the way of every request.
    #[inline]
    pub fn append(&mut self, part: impl AsRef<[u8]>) {
        let part = part.as_ref();
        match u8::try_from(part.len()) {
            Ok(short) if part.len() <= SHORT => {
                // Framed in one piece, and appended as one: most parts are addresses and kinds, whose
                // lengths the compiler knows.
                let mut framed = [0; 1 + SHORT];
                framed[0] = short;
                framed[1..=part.len()].copy_from_slice(part);
                self.bytes.extend_from_slice(&framed[..=part.len()]);
                return;
            }
            Ok(short) if short < LONG => self.bytes.push(short),
            _ => {
                self.bytes.push(LONG);
                self.bytes
                    .extend_from_slice(&(part.len() as u64).to_le_bytes());
            }
        }
        self.bytes.extend_from_slice(part);
    }

    /// The parts, in order.
    pub fn parts(&self) -> impl Iterator<Item = &[u8]> {
        parts(&self.bytes)
    }
}

impl AsRef<[u8]> for KeyBuf {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl fmt::Debug for KeyBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyBuf({} bytes)", self.bytes.len())
    }
}

/// The parts of the bytes of a [`KeyBuf`]; for [`Policy::quota_by_key`](crate::Policy::quota_by_key),
/// which is handed those bytes. Bytes that no `KeyBuf` wrote end the iteration.
pub fn parts(mut bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (&short, rest) = bytes.split_first()?;
        let (length, rest) = if short < LONG {
            (usize::from(short), rest)
        } else {
            let (length, rest) = rest.split_first_chunk()?;
            (usize::try_from(u64::from_le_bytes(*length)).ok()?, rest)
        };
        let (part, rest) = rest.split_at_checked(length)?;
        bytes = rest;
        Some(part)
    })
}

/// In place of a length: eight bytes of length follow.
const LONG: u8 = u8::MAX;

/// Addresses, numbers and kinds are no longer.
const SHORT: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_come_back_whatever_their_length() {
        for length in [0, 1, 15, 16, 17, 64, 254, 255, 256, 70_000] {
            let long = vec![b'x'; length];
            let key = KeyBuf::new().push(&long).push("tail");
            let parts: Vec<_> = key.parts().collect();
            assert_eq!(parts, [&long[..], b"tail"]);
        }
    }

    #[test]
    fn foreign_bytes_end_the_parts() {
        let check = |bytes: &[u8]| assert_eq!(parts(bytes).count(), 0, "{bytes:?}");
        check(b"");
        check(&[5, b'a']);
        check(&[255, 1, 2]);
        check(&[255; 12]);
    }

    #[test]
    fn short_keys_stay_off_the_heap() {
        assert!(!KeyBuf::new().push([b'x'; 63]).bytes.spilled());
    }

    #[test]
    fn debug_tells_no_content() {
        assert_eq!(
            format!("{:?}", KeyBuf::new().push("secret")),
            "KeyBuf(7 bytes)"
        );
    }
}
