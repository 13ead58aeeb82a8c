//! The handle that everything is asked through.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Transaction;

use crate::builder::SqliteStoreBuilder;
use crate::error::{Kind, OpenError, SqliteStoreError};
use crate::worker::{Ask, Worker};

/// Keeps shared state in an SQLite file. Clones share the connections.
///
/// A thread owns the connection that writes, so no call blocks a runtime. What waits for it is
/// carried out in one transaction, so that the disk is waited for once; the answers come when that is
/// durable. Records of operations are first looked up by a second thread, which waits for nobody who
/// writes.
///
/// It needs a tokio runtime with time to be asked from, and none to be opened.
#[derive(Clone)]
pub struct SqliteStore(Arc<Inner>);

struct Inner {
    worker: Worker,
    #[cfg(feature = "idempotency")]
    reader: Worker,
    operation: Duration,
    bounds: Bounds,
    clock: Arc<dyn Fn() -> Duration + Send + Sync>,
}

/// How much is kept.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(
    not(all(feature = "signing", feature = "idempotency")),
    allow(dead_code, reason = "no table, no bounds")
)]
pub(crate) struct Bounds {
    pub(crate) capacity: u64,
    pub(crate) quota: Option<u64>,
    pub(crate) records: u64,
    /// Of all their payloads.
    pub(crate) record_bytes: u64,
}

impl SqliteStore {
    /// Opens or makes a file, with every setting at its default.
    ///
    /// # Errors
    ///
    /// As [`SqliteStoreBuilder::open`].
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, OpenError> {
        Self::builder(path).open()
    }

    /// Starts with the path of a file.
    pub fn builder(path: impl Into<PathBuf>) -> SqliteStoreBuilder {
        SqliteStoreBuilder::new(path.into())
    }

    pub(crate) fn new(
        worker: Worker,
        #[cfg(feature = "idempotency")] reader: Worker,
        operation: Duration,
        bounds: Bounds,
        clock: Arc<dyn Fn() -> Duration + Send + Sync>,
    ) -> Self {
        Self(Arc::new(Inner {
            worker,
            #[cfg(feature = "idempotency")]
            reader,
            operation,
            bounds,
            clock,
        }))
    }

    #[cfg_attr(
        not(any(feature = "signing", feature = "idempotency")),
        allow(dead_code, reason = "no table, no bounds")
    )]
    pub(crate) fn bounds(&self) -> Bounds {
        self.0.bounds
    }

    #[cfg_attr(
        not(any(feature = "signing", feature = "idempotency")),
        allow(dead_code, reason = "no table, no time")
    )]
    pub(crate) fn clock(&self) -> Arc<dyn Fn() -> Duration + Send + Sync> {
        Arc::clone(&self.0.clock)
    }

    /// Has the worker do something within a transaction, and waits until that is durable.
    ///
    /// Where the future is dropped before the worker has come to it, it is not done.
    #[cfg_attr(
        not(any(feature = "signing", feature = "idempotency")),
        allow(dead_code, reason = "nothing to ask for")
    )]
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        act: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, SqliteStoreError> {
        self.in_time(put(&self.0.worker, act)).await
    }

    /// Has the reader look first, and asks the worker only if there is no answer in what is committed.
    #[cfg(feature = "idempotency")]
    pub(crate) async fn look_or_ask<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<Option<T>> + Send + 'static,
        act: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, SqliteStoreError> {
        self.in_time(async {
            match put(&self.0.reader, look).await {
                Ok(Some(seen)) => Ok(seen),
                // Whatever ails the reader: the worker's word counts.
                Ok(None) | Err(_) => put(&self.0.worker, act).await,
            }
        })
        .await
    }

    #[cfg_attr(
        not(any(feature = "signing", feature = "idempotency")),
        allow(dead_code, reason = "nothing to ask for")
    )]
    async fn in_time<T>(
        &self,
        answer: impl Future<Output = Result<T, SqliteStoreError>>,
    ) -> Result<T, SqliteStoreError> {
        match tokio::time::timeout(self.0.operation, answer).await {
            Ok(answer) => answer,
            Err(_) => Err(SqliteStoreError::new(Kind::TimedOut)),
        }
    }
}

#[cfg_attr(
    not(any(feature = "signing", feature = "idempotency")),
    allow(dead_code, reason = "nothing to ask for")
)]
async fn put<T: Send + 'static>(
    worker: &Worker,
    act: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
) -> Result<T, SqliteStoreError> {
    let (ask, answer) = Ask::new(act);
    worker.put(ask)?;
    match answer.await {
        Ok(answer) => answer,
        Err(_) => Err(SqliteStoreError::new(Kind::Stopped)),
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore")
            .field("bounds", &self.0.bounds)
            .finish_non_exhaustive()
    }
}
