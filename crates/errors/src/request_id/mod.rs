//! The id under which a request is known to caller and operators alike.

mod generator;

use std::{fmt, hash, str};

/// Identifies one request, in the `x-request-id` header, in the error body and in the log.
///
/// An id is stored inline: cloning copies 65 bytes, and nothing is allocated.
///
/// # Examples
///
/// ```
/// use seawall_errors::RequestId;
///
/// let id = RequestId::generate();
/// assert!(id.as_str().starts_with("req_"));
/// assert_eq!(RequestId::from_trusted(b"checkout-7"), RequestId::from_trusted(b"checkout-7"));
/// assert!(RequestId::from_trusted(b"x\r\nlevel=error").is_none());
/// ```
///
/// # Cost
///
/// [`generate`](Self::generate) reads the wall clock and hashes one counter: no system call, no
/// lock, no allocation. The first call on a thread seeds its generator.
#[derive(Clone)]
pub struct RequestId {
    bytes: [u8; MAX],
    len: u8,
}

impl RequestId {
    /// Makes a new id: `req_` and the 32 hexadecimal digits of a `UUIDv7` (RFC 9562).
    ///
    /// Ids of one thread ascend; those of several threads are in order to about a millisecond. An
    /// id cannot be guessed from others, and is no secret all the same.
    #[must_use]
    pub fn generate() -> Self {
        let uuid = generator::next(crate::clock::unix());
        let mut id = Self {
            bytes: [0; MAX],
            len: 36,
        };
        id.bytes[..4].copy_from_slice(b"req_");
        for (pair, byte) in id.bytes[4..36].chunks_exact_mut(2).zip(uuid.to_be_bytes()) {
            pair.copy_from_slice(&HEX[usize::from(byte)]);
        }
        id
    }

    /// Takes an id from a peer that is trusted to choose it, such as one's own proxy.
    ///
    /// `None` unless it is 1 to 64 characters of `[A-Za-z0-9._-]`. Ids from others are best
    /// ignored: they forge log lines and link requests that have nothing in common.
    #[must_use]
    pub fn from_trusted(id: &[u8]) -> Option<Self> {
        let plain = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
        if id.is_empty() || id.len() > MAX || !id.iter().all(plain) {
            return None;
        }
        let mut bytes = [0; MAX];
        bytes[..id.len()].copy_from_slice(id);
        Some(Self {
            bytes,
            len: u8::try_from(id.len()).ok()?,
        })
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // An id holds ASCII only, so the default is never taken.
        str::from_utf8(self.as_bytes()).unwrap_or_default()
    }

    /// The id as bytes, all of them `[A-Za-z0-9._-]`.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

impl AsRef<str> for RequestId {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RequestId({})", self.as_str())
    }
}

impl PartialEq for RequestId {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for RequestId {}

impl hash::Hash for RequestId {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

/// The digits of the UUID in an id of our own making.
pub(crate) fn uuid_digits(id: &str) -> Option<&str> {
    let digits = id.strip_prefix("req_")?;
    let hex = |b: u8| b.is_ascii_digit() || matches!(b, b'a'..=b'f');
    let is_uuid = digits.len() == 32
        && digits.bytes().all(hex)
        && digits.as_bytes()[12] == b'7'
        && matches!(digits.as_bytes()[16], b'8' | b'9' | b'a' | b'b');
    is_uuid.then_some(digits)
}

const MAX: usize = 64;

/// The two digits of each byte.
static HEX: [[u8; 2]; 256] = {
    let digits = b"0123456789abcdef";
    let mut pairs = [[0; 2]; 256];
    let mut byte = 0;
    while byte < pairs.len() {
        pairs[byte] = [digits[byte >> 4], digits[byte & 15]];
        byte += 1;
    }
    pairs
};
