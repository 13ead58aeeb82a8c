//! Any store behind one type.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use super::store::{Claim, Nonce, NonceStore, StoreFailure};

/// Is any [`NonceStore`] behind one type. Clones share the store.
///
/// A claim is boxed only where `claim_now` has no answer, so the memory store costs no allocation
/// here.
#[derive(Clone)]
pub struct BoxNonceStore(Arc<dyn Erased>);

impl BoxNonceStore {
    /// Erases the type of a store.
    #[must_use]
    pub fn new(store: impl NonceStore) -> Self {
        Self(Arc::new(store))
    }
}

impl fmt::Debug for BoxNonceStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BoxNonceStore")
    }
}

impl NonceStore for BoxNonceStore {
    type Error = BoxNonceStoreError;

    async fn claim(&self, nonce: Nonce<'_>) -> Result<Claim, Self::Error> {
        self.0.erased(nonce).await
    }

    fn claim_now(&self, nonce: Nonce<'_>) -> Option<Result<Claim, Self::Error>> {
        self.0.erased_now(nonce)
    }
}

/// Is the failure of whichever store is in the box.
#[derive(Debug)]
pub struct BoxNonceStoreError(StoreFailure);

impl fmt::Display for BoxNonceStoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for BoxNonceStoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}

impl From<BoxNonceStoreError> for StoreFailure {
    fn from(error: BoxNonceStoreError) -> Self {
        error.0
    }
}

type Answer<'a> = Pin<Box<dyn Future<Output = Result<Claim, BoxNonceStoreError>> + Send + 'a>>;

trait Erased: Send + Sync {
    fn erased<'a>(&'a self, nonce: Nonce<'a>) -> Answer<'a>;
    fn erased_now(&self, nonce: Nonce<'_>) -> Option<Result<Claim, BoxNonceStoreError>>;
}

impl<N: NonceStore> Erased for N {
    fn erased<'a>(&'a self, nonce: Nonce<'a>) -> Answer<'a> {
        Box::pin(async move {
            self.claim(nonce)
                .await
                .map_err(|e| BoxNonceStoreError(e.into()))
        })
    }

    fn erased_now(&self, nonce: Nonce<'_>) -> Option<Result<Claim, BoxNonceStoreError>> {
        Some(
            self.claim_now(nonce)?
                .map_err(|e| BoxNonceStoreError(e.into())),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::MemoryNonceStore;

    #[test]
    fn a_failure_reads_as_that_of_the_store_in_the_box() {
        let failure = BoxNonceStoreError(StoreFailure::unavailable("connection refused"));
        assert_eq!(failure.to_string(), "the replay store did not answer");
        assert_eq!(failure.source().unwrap().to_string(), "connection refused");
        assert!(StoreFailure::from(failure).is_unavailable());
    }

    #[test]
    fn a_box_tells_nothing_of_what_is_in_it() {
        let store = BoxNonceStore::new(MemoryNonceStore::with_capacity(1));
        assert_eq!(format!("{store:?}"), "BoxNonceStore");
    }
}
