//! Any store behind one type.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use super::{Caps, Completion, Reserve, Reserved, Settled, Store, StoreFailure, Token, Wait};
use crate::operation::RecordId;

/// Is any [`Store`] behind one type, for programs that choose it at run time. Clones share the
/// store.
///
/// # Cost
///
/// One allocation a call where the store has to wait; none over memory.
#[derive(Clone)]
pub struct BoxStore(Arc<dyn Erased>);

impl BoxStore {
    /// Erases the type of a store.
    #[must_use]
    pub fn new(store: impl Store) -> Self {
        Self(Arc::new(store))
    }
}

impl fmt::Debug for BoxStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BoxStore")
    }
}

impl Store for BoxStore {
    type Error = BoxStoreError;

    async fn reserve(&self, reserve: Reserve) -> Result<Reserved, Self::Error> {
        match self.0.reserve_now(reserve) {
            Some(answer) => answer,
            None => self.0.reserve(reserve).await,
        }
    }

    async fn complete(&self, completion: &Completion) -> Result<Settled, Self::Error> {
        match self.0.complete_now(completion) {
            Some(answer) => answer,
            None => self.0.complete(completion).await,
        }
    }

    async fn release(&self, token: Token) -> Result<Settled, Self::Error> {
        match self.0.release_now(token) {
            Some(answer) => answer,
            None => self.0.release(token).await,
        }
    }

    async fn renew(&self, token: Token, lease: Duration) -> Result<Settled, Self::Error> {
        match self.0.renew_now(token, lease) {
            Some(answer) => answer,
            None => self.0.renew(token, lease).await,
        }
    }

    async fn changed(&self, id: RecordId, wait: Wait) {
        self.0.changed(id, wait).await;
    }

    async fn sweep(&self, most: usize) -> Result<usize, Self::Error> {
        self.0.sweep(most).await
    }

    fn caps(&self) -> Caps {
        self.0.caps()
    }

    fn reserve_now(&self, reserve: Reserve) -> Option<Result<Reserved, Self::Error>> {
        self.0.reserve_now(reserve)
    }

    fn complete_now(&self, completion: &Completion) -> Option<Result<Settled, Self::Error>> {
        self.0.complete_now(completion)
    }

    fn release_now(&self, token: Token) -> Option<Result<Settled, Self::Error>> {
        self.0.release_now(token)
    }

    fn renew_now(&self, token: Token, lease: Duration) -> Option<Result<Settled, Self::Error>> {
        self.0.renew_now(token, lease)
    }
}

/// Is the failure of whichever store is in the box.
#[derive(Debug)]
pub struct BoxStoreError(StoreFailure);

impl BoxStoreError {
    fn new(error: impl Into<StoreFailure>) -> Self {
        Self(error.into())
    }
}

impl fmt::Display for BoxStoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for BoxStoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}

impl From<BoxStoreError> for StoreFailure {
    fn from(error: BoxStoreError) -> Self {
        error.0
    }
}

type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, BoxStoreError>> + Send + 'a>>;

trait Erased: Send + Sync {
    fn reserve(&self, reserve: Reserve) -> Answer<'_, Reserved>;
    fn complete<'a>(&'a self, completion: &'a Completion) -> Answer<'a, Settled>;
    fn release(&self, token: Token) -> Answer<'_, Settled>;
    fn renew(&self, token: Token, lease: Duration) -> Answer<'_, Settled>;
    fn changed(&self, id: RecordId, wait: Wait) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
    fn sweep(&self, most: usize) -> Answer<'_, usize>;
    fn caps(&self) -> Caps;
    fn reserve_now(&self, reserve: Reserve) -> Option<Result<Reserved, BoxStoreError>>;
    fn complete_now(&self, completion: &Completion) -> Option<Result<Settled, BoxStoreError>>;
    fn release_now(&self, token: Token) -> Option<Result<Settled, BoxStoreError>>;
    fn renew_now(&self, token: Token, lease: Duration) -> Option<Result<Settled, BoxStoreError>>;
}

impl<S: Store> Erased for S {
    fn reserve(&self, reserve: Reserve) -> Answer<'_, Reserved> {
        Box::pin(async move {
            Store::reserve(self, reserve)
                .await
                .map_err(BoxStoreError::new)
        })
    }

    fn complete<'a>(&'a self, completion: &'a Completion) -> Answer<'a, Settled> {
        Box::pin(async move {
            Store::complete(self, completion)
                .await
                .map_err(BoxStoreError::new)
        })
    }

    fn release(&self, token: Token) -> Answer<'_, Settled> {
        Box::pin(async move {
            Store::release(self, token)
                .await
                .map_err(BoxStoreError::new)
        })
    }

    fn renew(&self, token: Token, lease: Duration) -> Answer<'_, Settled> {
        Box::pin(async move {
            Store::renew(self, token, lease)
                .await
                .map_err(BoxStoreError::new)
        })
    }

    fn changed(&self, id: RecordId, wait: Wait) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(Store::changed(self, id, wait))
    }

    fn sweep(&self, most: usize) -> Answer<'_, usize> {
        Box::pin(async move { Store::sweep(self, most).await.map_err(BoxStoreError::new) })
    }

    fn caps(&self) -> Caps {
        Store::caps(self)
    }

    fn reserve_now(&self, reserve: Reserve) -> Option<Result<Reserved, BoxStoreError>> {
        Some(Store::reserve_now(self, reserve)?.map_err(BoxStoreError::new))
    }

    fn complete_now(&self, completion: &Completion) -> Option<Result<Settled, BoxStoreError>> {
        Some(Store::complete_now(self, completion)?.map_err(BoxStoreError::new))
    }

    fn release_now(&self, token: Token) -> Option<Result<Settled, BoxStoreError>> {
        Some(Store::release_now(self, token)?.map_err(BoxStoreError::new))
    }

    fn renew_now(&self, token: Token, lease: Duration) -> Option<Result<Settled, BoxStoreError>> {
        Some(Store::renew_now(self, token, lease)?.map_err(BoxStoreError::new))
    }
}
