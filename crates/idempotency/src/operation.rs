//! Which record a request belongs to.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::key::IdempotencyKey;

/// Is the name of a record: a hash of everything that tells operations apart.
///
/// Neither the client's key nor its principal can be read from it; with a [`Pepper`] they cannot be
/// guessed either.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordId([u8; 32]);

impl RecordId {
    /// Takes bytes as they are: for stores, which read them back.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Returns the bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for RecordId {
    /// Shows the first bytes, enough to find a record by.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecordId(")?;
        for byte in &self.0[..6] {
            write!(f, "{byte:02x}")?;
        }
        f.write_str("..)")
    }
}

/// Says what is done, for whom, and by which key. Records of operations that differ in anything are
/// independent: the same key at another endpoint, or from another principal, is another request.
///
/// # Examples
///
/// ```
/// use seawall_idempotency::{IdempotencyKey, Operation};
///
/// let key = IdempotencyKey::new("k-1")?;
/// let operation = Operation::new(&key).method("POST").route("/payments").principal("alice");
/// let id = operation.record_id("shop", None);
/// assert_ne!(id, operation.principal("bob").record_id("shop", None));
/// # Ok::<(), seawall_idempotency::KeyError>(())
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct Operation<'a> {
    key: &'a IdempotencyKey,
    method: &'a str,
    route: &'a str,
    tenant: Option<&'a [u8]>,
    principal: Option<&'a [u8]>,
}

impl<'a> Operation<'a> {
    /// Begins with the key; method and route are empty, tenant and principal are nobody.
    pub const fn new(key: &'a IdempotencyKey) -> Self {
        Self {
            key,
            method: "",
            route: "",
            tenant: None,
            principal: None,
        }
    }

    /// Sets the method, or another word for what is done.
    pub const fn method(self, method: &'a str) -> Self {
        Self { method, ..self }
    }

    /// Sets the route's template, as `/orders/{id}`. The path that was requested belongs to the
    /// [`Fingerprint`](crate::Fingerprint): a key that comes back with another path is a mistake of
    /// the client's, and no second operation.
    pub const fn route(self, route: &'a str) -> Self {
        Self { route, ..self }
    }

    /// Sets whose data it is about.
    pub fn tenant(self, tenant: &'a (impl AsRef<[u8]> + ?Sized)) -> Self {
        Self {
            tenant: Some(tenant.as_ref()),
            ..self
        }
    }

    /// Sets who asks. Nobody is not the same as an empty name.
    pub fn principal(self, principal: &'a (impl AsRef<[u8]> + ?Sized)) -> Self {
        Self {
            principal: Some(principal.as_ref()),
            ..self
        }
    }

    /// Returns the record's name. `namespace` tells apart the services that share a store.
    #[must_use]
    pub fn record_id(&self, namespace: &str, pepper: Option<&Pepper>) -> RecordId {
        let parts = [
            Some(namespace.as_bytes()),
            self.tenant,
            Some(self.method.as_bytes()),
            Some(self.route.as_bytes()),
            self.principal,
            Some(self.key.as_str().as_bytes()),
        ];
        RecordId(match pepper {
            None => {
                let mut hash = Sha256::new();
                each_frame(b"seawall record 1", &parts, |bytes| hash.update(bytes));
                hash.finalize().into()
            }
            Some(pepper) => {
                let mut mac = pepper.mac();
                each_frame(b"seawall record 1", &parts, |bytes| mac.update(bytes));
                mac.finalize().into_bytes().into()
            }
        })
    }
}

impl<'a> From<&'a IdempotencyKey> for Operation<'a> {
    fn from(key: &'a IdempotencyKey) -> Self {
        Self::new(key)
    }
}

/// Is a secret of the deployment that record names are keyed with, so that who reads the store
/// cannot try out whose keys are in it. It has 16 bytes or more, is wiped and shows nothing.
///
/// Changing it forgets every record: requests in flight then can run a second time.
#[derive(Clone)]
pub struct Pepper(Zeroizing<Vec<u8>>);

impl Pepper {
    /// Takes a secret.
    ///
    /// # Errors
    ///
    /// Fails with fewer than 16 bytes.
    pub fn new(secret: impl Into<Vec<u8>>) -> Result<Self, crate::ConfigError> {
        let secret = Zeroizing::new(secret.into());
        if secret.len() < 16 {
            return Err(crate::ConfigError::new("pepper", "16 bytes or more"));
        }
        Ok(Self(secret))
    }

    fn mac(&self) -> Hmac<Sha256> {
        Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of any length")
    }
}

impl fmt::Debug for Pepper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pepper(..)")
    }
}

/// Hands out `label` and `parts`, each with its length in front, so that nothing of one can be taken
/// for the next. What is absent has a length that nothing has.
pub(crate) fn each_frame(label: &[u8], parts: &[Option<&[u8]>], mut put: impl FnMut(&[u8])) {
    put(label);
    for part in parts {
        let len = part.map_or(u64::MAX, |part| part.len() as u64);
        put(&len.to_be_bytes());
        put(part.unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> IdempotencyKey {
        IdempotencyKey::new(text).unwrap()
    }

    #[test]
    fn every_part_makes_another_record() {
        let (key, other) = (key("k"), key("l"));
        let base = Operation::new(&key)
            .method("POST")
            .route("/a")
            .tenant("t")
            .principal("p");
        let pepper = Pepper::new([7; 16]).unwrap();
        let ids = [
            base.record_id("n", None),
            base.record_id("m", None),
            base.record_id("n", Some(&pepper)),
            base.method("PUT").record_id("n", None),
            base.route("/b").record_id("n", None),
            base.tenant("u").record_id("n", None),
            base.principal("q").record_id("n", None),
            Operation {
                key: &other,
                ..base
            }
            .record_id("n", None),
            Operation {
                principal: None,
                ..base
            }
            .record_id("n", None),
            base.principal("").record_id("n", None),
        ];
        let different: std::collections::HashSet<_> = ids.iter().collect();
        assert_eq!(different.len(), ids.len());
        assert_eq!(ids[0], base.record_id("n", None));
    }

    #[test]
    fn parts_do_not_run_into_each_other() {
        let key = key("k");
        let of = |method, route| Operation::new(&key).method(method).route(route);
        assert_ne!(
            of("ab", "c").record_id("", None),
            of("a", "bc").record_id("", None)
        );
        assert_ne!(
            Operation::new(&key).tenant("x").record_id("", None),
            Operation::new(&key).principal("x").record_id("", None)
        );
    }

    #[test]
    fn a_short_pepper_is_refused_and_none_is_shown() {
        assert!(
            Pepper::new(*b"fifteen bytes..")
                .unwrap_err()
                .to_string()
                .contains("pepper")
        );
        assert_eq!(
            format!("{:?}", Pepper::new(*b"sixteen bytes...").unwrap()),
            "Pepper(..)"
        );
    }
}
