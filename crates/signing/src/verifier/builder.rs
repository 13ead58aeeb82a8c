//! Settings of a verifier.

use std::sync::Arc;
use std::time::Duration;

use super::{Inner, Replay, Verifier};
use crate::clock::{Clock, SystemClock};
use crate::config_error::ConfigError;
use crate::keyring::{KeyQuery, KeyRing, Keys, MAX_ACTIVE_KEYS};
use crate::observer::{Observer, Unobserved};
use crate::replay::{BoxNonceStore, NonceStore, OnStoreError};
use crate::scheme::{Freshness, Scheme};
use crate::tolerance::Tolerance;

/// Collects the settings of a [`Verifier`].
#[must_use]
pub struct VerifierBuilder {
    scheme: Arc<dyn Scheme>,
    keys: Keys,
    tolerance: Tolerance,
    clock: Arc<dyn Clock>,
    max_body: usize,
    store: Option<BoxNonceStore>,
    on_error: OnStoreError,
    max_skew: Duration,
    namespace: Box<str>,
    observer: Arc<dyn Observer>,
}

impl std::fmt::Debug for VerifierBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VerifierBuilder")
            .field("scheme", &self.scheme)
            .finish_non_exhaustive()
    }
}

impl VerifierBuilder {
    pub(super) fn new(scheme: Arc<dyn Scheme>, keys: Keys) -> Self {
        Self {
            scheme,
            keys,
            tolerance: Tolerance::default(),
            clock: Arc::new(SystemClock),
            max_body: 1 << 20,
            store: None,
            on_error: OnStoreError::default(),
            max_skew: Duration::from_secs(30),
            namespace: "".into(),
            observer: Arc::new(Unobserved),
        }
    }

    /// Sets how far the signed time may be from now. Default: 300 seconds back, 60 ahead. Schemes
    /// that sign no time have nothing to compare.
    pub fn tolerance(mut self, tolerance: Tolerance) -> Self {
        self.tolerance = tolerance;
        self
    }

    /// Remembers accepted messages in `store`, and refuses them the second time. Default: no
    /// memory, so that a message can be replayed while it is fresh.
    pub fn replay(mut self, store: impl NonceStore) -> Self {
        self.store = Some(BoxNonceStore::new(store));
        self
    }

    /// Sets what happens when the store does not answer. Default: [`OnStoreError::FailClosed`].
    pub fn on_store_error(mut self, on_error: OnStoreError) -> Self {
        self.on_error = on_error;
        self
    }

    /// Sets how far the clocks of verifiers and store may be apart. Default: 30 seconds, which is
    /// generous for machines that keep time and small beside the tolerance. Entries are kept for
    /// that much longer.
    pub fn max_skew(mut self, max_skew: Duration) -> Self {
        self.max_skew = max_skew;
        self
    }

    /// Sets a name under which messages are remembered, so that two services which share a store
    /// may both accept one message. Default: the empty name.
    pub fn namespace(mut self, namespace: impl Into<Box<str>>) -> Self {
        self.namespace = namespace.into();
        self
    }

    /// Sets how many bytes a body may have. Default: 1 MiB, several times the largest webhook that
    /// the known senders make.
    pub fn max_body(mut self, bytes: usize) -> Self {
        self.max_body = bytes;
        self
    }

    /// Sets the clock. Default: the system's.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Sets who is told of decisions. Default: nobody.
    pub fn observer(mut self, observer: impl Observer) -> Self {
        self.observer = Arc::new(observer);
        self
    }

    /// Closes the settings.
    ///
    /// # Errors
    ///
    /// Refuses a store of replays where no time is signed or the time is not checked, since then
    /// nothing would ever leave it; a skew of less than a second or more than an hour; and a ring
    /// that has no key for the scheme, or more at a time than [`MAX_ACTIVE_KEYS`] where messages do
    /// not name theirs.
    pub fn build(self) -> Result<Verifier, ConfigError> {
        if self.store.is_some() {
            if self.scheme.freshness() != Freshness::Timestamp {
                return Err(ConfigError::new(
                    "replay",
                    "a scheme that signs the time of signing",
                ));
            }
            if self.tolerance.past().is_none() {
                return Err(ConfigError::new("replay", "a tolerance that is checked"));
            }
        }
        if !(Duration::from_secs(1)..=Duration::from_secs(3600)).contains(&self.max_skew) {
            return Err(ConfigError::new("max_skew", "one second to one hour"));
        }
        if let Some(Ok(ring)) = self.keys.now(KeyQuery::new(None, None)) {
            let algorithms = self.scheme.algorithms();
            let fits = ring
                .entries()
                .iter()
                .any(|entry| algorithms.contains(&entry.key.algorithm()));
            if !ring.is_empty() && !fits {
                return Err(ConfigError::new(
                    "keys",
                    format!("a key for one of {algorithms:?}"),
                ));
            }
            if !self.scheme.names_key() && ring.peak(algorithms) > MAX_ACTIVE_KEYS {
                let expected = format!(
                    "at most {MAX_ACTIVE_KEYS} keys at a time for a scheme without key ids"
                );
                return Err(ConfigError::new("keys", expected));
            }
        }
        // Prepared here, so that the first unknown key takes no longer than the next.
        let _ = KeyRing::decoy();
        let (on_error, max_skew, namespace) = (self.on_error, self.max_skew, self.namespace);
        let replay = self.store.map(|store| Replay {
            store,
            on_error,
            max_skew,
            namespace,
        });
        Ok(Verifier(Arc::new(Inner {
            scheme: self.scheme,
            keys: self.keys,
            tolerance: self.tolerance,
            clock: self.clock,
            max_body: self.max_body,
            replay,
            observer: self.observer,
        })))
    }
}
