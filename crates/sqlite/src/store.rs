//! The handle that everything is asked through.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Transaction;

use crate::builder::SqliteStoreBuilder;
use crate::error::{Kind, OpenError, SqliteStoreError};
use crate::worker::{Ask, Worker};

/// Keeps shared state in an SQLite file. Clones share the connection.
///
/// One thread owns the connection, so no call blocks a runtime. What waits for it is carried out in
/// one transaction, so that the disk is waited for once; the answers come when that is durable.
///
/// It needs a tokio runtime with time to be asked from, and none to be opened.
#[derive(Clone)]
pub struct SqliteStore(Arc<Inner>);

struct Inner {
    worker: Worker,
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
        operation: Duration,
        bounds: Bounds,
        clock: Arc<dyn Fn() -> Duration + Send + Sync>,
    ) -> Self {
        Self(Arc::new(Inner {
            worker,
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
        let (ask, answer) = Ask::new(act);
        self.0.worker.put(ask)?;
        match tokio::time::timeout(self.0.operation, answer).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(SqliteStoreError::new(Kind::Stopped)),
            Err(_) => Err(SqliteStoreError::new(Kind::TimedOut)),
        }
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore")
            .field("bounds", &self.0.bounds)
            .finish_non_exhaustive()
    }
}
