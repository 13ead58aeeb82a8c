//! A ring that can be exchanged while verifiers use it.

use std::future::Future;
use std::sync::{Arc, PoisonError, RwLock};

use super::{KeyProvider, KeyProviderError, KeyQuery, KeyRing};
use crate::key::Key;
use crate::secret::Secret;

/// Holds the present [`KeyRing`] and lets it be replaced under running traffic.
///
/// Clones share the ring. A verification uses one snapshot from its start to its end: a message
/// whose body is being read while the ring changes is judged by the ring it began with.
///
/// # Examples
///
/// ```
/// use seawall_signing::{KeyRing, Secret, SharedKeyRing};
///
/// let keys = SharedKeyRing::new(KeyRing::single(Secret::new("the secret of last year")?));
/// let former = keys.replace(KeyRing::single(Secret::new("the secret of this year")?));
/// assert_eq!((former.len(), keys.current().len()), (1, 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct SharedKeyRing(Arc<RwLock<KeyRing>>);

impl SharedKeyRing {
    /// Starts with `ring`.
    #[must_use]
    pub fn new(ring: impl Into<KeyRing>) -> Self {
        Self(Arc::new(RwLock::new(ring.into())))
    }

    /// Puts `ring` in the place of the present one, and returns that.
    pub fn replace(&self, ring: impl Into<KeyRing>) -> KeyRing {
        // The lock is only ever held for a move or a clone, so a poisoned one still holds a ring.
        let mut present = self.0.write().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut present, ring.into())
    }

    /// Returns the present ring.
    #[must_use]
    pub fn current(&self) -> KeyRing {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl From<KeyRing> for SharedKeyRing {
    fn from(ring: KeyRing) -> Self {
        Self::new(ring)
    }
}

impl From<Key> for SharedKeyRing {
    fn from(key: Key) -> Self {
        Self::new(key)
    }
}

impl From<Secret> for SharedKeyRing {
    fn from(secret: Secret) -> Self {
        Self::new(secret)
    }
}

impl KeyProvider for SharedKeyRing {
    fn keys(
        &self,
        _: KeyQuery<'_>,
    ) -> impl Future<Output = Result<KeyRing, KeyProviderError>> + Send {
        std::future::ready(Ok(self.current()))
    }

    fn keys_now(&self, _: KeyQuery<'_>) -> Option<Result<KeyRing, KeyProviderError>> {
        Some(Ok(self.current()))
    }
}
