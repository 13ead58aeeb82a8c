//! What a request says, as a hash: a key that comes back with another one is refused.

use std::fmt;

use sha2::{Digest, Sha256};

use crate::operation::each_frame;

/// Is a SHA-256 of what was asked for.
///
/// # Examples
///
/// ```
/// use seawall_idempotency::Fingerprint;
///
/// let of = |body: &[u8]| Fingerprint::of_request("/payments", None, Some(b"application/json"), body);
/// assert_eq!(of(b"{}"), of(b"{}"));
/// assert_ne!(of(b"{}"), of(b"{ }"));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// Hashes a payload that is no HTTP request.
    #[must_use]
    pub fn of(payload: &[u8]) -> Self {
        Self::framed(b"seawall payload 1", &[Some(payload)])
    }

    /// Hashes the path and query that were requested, the content type and the body, byte for byte.
    #[must_use]
    pub fn of_request(
        path: &str,
        query: Option<&str>,
        content_type: Option<&[u8]>,
        body: &[u8],
    ) -> Self {
        let parts = [
            Some(path.as_bytes()),
            query.map(str::as_bytes),
            content_type,
            Some(body),
        ];
        Self::framed(b"seawall request 1", &parts)
    }

    /// Takes bytes as they are: for stores, and for hashes of one's own.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Returns the bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    pub(crate) fn framed(label: &[u8], parts: &[Option<&[u8]>]) -> Self {
        let mut hash = Sha256::new();
        each_frame(label, parts, |bytes| hash.update(bytes));
        Self(hash.finalize().into())
    }
}

impl fmt::Debug for Fingerprint {
    /// Shows the first bytes: all of them would confirm a guess of a short body.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fingerprint(")?;
        for byte in &self.0[..4] {
            write!(f, "{byte:02x}")?;
        }
        f.write_str("..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_run_into_each_other() {
        let of = Fingerprint::of_request;
        let all = [
            of("/a", None, None, b"bc"),
            of("/ab", None, None, b"c"),
            of("/a", Some(""), None, b"bc"),
            of("/a", None, Some(b""), b"bc"),
            of("/a", Some("b"), None, b"c"),
            of("/a", None, Some(b"b"), b"c"),
            Fingerprint::of(b"/abc"),
        ];
        let different: std::collections::HashSet<_> = all.iter().collect();
        assert_eq!(different.len(), all.len());
    }
}
