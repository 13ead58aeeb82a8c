//! Settings of a front.

use std::fmt;
use std::sync::Arc;

use crate::cipher::Cipher;
use crate::config_error::ConfigError;
use crate::idempotency::Idempotency;
use crate::observer::{Observer, Unobserved};
use crate::operation::Pepper;
use crate::policy::Policy;
use crate::store::Store;

/// Collects the settings of an [`Idempotency`].
#[must_use]
pub struct IdempotencyBuilder<S> {
    pub(crate) store: S,
    pub(crate) policy: Policy,
    pub(crate) namespace: Box<str>,
    pub(crate) pepper: Option<Pepper>,
    pub(crate) cipher: Option<Arc<dyn Cipher>>,
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) waiters: usize,
    pub(crate) waiters_per_key: usize,
}

impl<S: Store> IdempotencyBuilder<S> {
    pub(crate) fn new(store: S, policy: Policy) -> Self {
        Self {
            store,
            policy,
            namespace: "".into(),
            pepper: None,
            cipher: None,
            observer: Arc::new(Unobserved),
            waiters: 1024,
            waiters_per_key: 256,
        }
    }

    /// Sets what tells this service from others on the same store. Default: the empty text.
    pub fn namespace(self, namespace: impl Into<Box<str>>) -> Self {
        Self {
            namespace: namespace.into(),
            ..self
        }
    }

    /// Sets a secret that names of records are keyed with. Default: none.
    pub fn pepper(self, pepper: Pepper) -> Self {
        Self {
            pepper: Some(pepper),
            ..self
        }
    }

    /// Sets what stored outcomes are encrypted with. Default: nothing.
    pub fn cipher(self, cipher: impl Cipher) -> Self {
        Self {
            cipher: Some(Arc::new(cipher)),
            ..self
        }
    }

    /// Sets who is told what happens. Default: nobody.
    pub fn observer(self, observer: impl Observer) -> Self {
        Self {
            observer: Arc::new(observer),
            ..self
        }
    }

    /// Sets how many duplicates may wait at once, of all keys and policies. Default: 1024. One more
    /// is refused as if it were not to wait.
    pub fn waiters(self, waiters: usize) -> Self {
        Self { waiters, ..self }
    }

    /// Sets how many duplicates of one operation may wait at once. Default: 256, so that it takes more
    /// than three hot keys to leave no place for others.
    pub fn waiters_per_key(self, waiters_per_key: usize) -> Self {
        Self {
            waiters_per_key,
            ..self
        }
    }

    /// Makes the front.
    ///
    /// # Errors
    ///
    /// Fails when the policy cannot work, or not over this store.
    pub fn build(self) -> Result<Idempotency<S>, ConfigError> {
        Idempotency::make(self)
    }
}

impl<S> fmt::Debug for IdempotencyBuilder<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdempotencyBuilder")
            .field("namespace", &self.namespace)
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}
