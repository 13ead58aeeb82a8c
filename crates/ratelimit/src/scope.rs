//! Which policy counts: framed bytes, and their hash, which is taken once a policy.

use std::hash::{DefaultHasher, Hasher};

use crate::key::KeyBuf;

/// Namespace and name of a policy, ready for every store.
#[derive(Clone, Debug)]
pub(crate) struct Scope {
    bytes: KeyBuf,
    id: u64,
}

impl Scope {
    /// Every scope has these two parts, as [`Charge::new`](crate::Charge::new) demands.
    pub(crate) fn new(namespace: &str, policy: &str) -> Self {
        let bytes = KeyBuf::new().push(namespace).push(policy);
        let id = id_of(bytes.as_ref());
        Self { bytes, id }
    }

    #[inline]
    pub(crate) fn bytes(&self) -> &[u8] {
        self.bytes.as_ref()
    }

    #[inline]
    pub(crate) const fn id(&self) -> u64 {
        self.id
    }
}

/// Stands for the bytes of a scope within this process; never 0.
///
/// The hash has a fixed key, which is enough: the names of policies are the operator's, so nobody
/// chooses them to collide. What clients choose is hashed under the secret key of a store, beside
/// this.
pub(crate) fn id_of(scope: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(scope);
    hasher.finish().max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_its_framed_names_and_their_hash() {
        let login = Scope::new("shop", "login");
        let framed = KeyBuf::new().push("shop").push("login");
        assert_eq!(login.bytes(), framed.as_ref());
        assert_eq!(login.id(), id_of(framed.as_ref()));
        assert_ne!(login.id(), Scope::new("shoplogin", "").id());
    }
}
