//! Settings of a store.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;

use crate::clock;
use crate::error::OpenError;
use crate::store::{Bounds, SqliteStore};
use crate::worker::Worker;

/// Collects the settings of a [`SqliteStore`].
#[must_use]
pub struct SqliteStoreBuilder {
    path: PathBuf,
    busy: Duration,
    operation: Duration,
    waiting: usize,
    bounds: Bounds,
    clock: Arc<dyn Fn() -> Duration + Send + Sync>,
}

impl SqliteStoreBuilder {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self {
            path,
            busy: Duration::from_secs(1),
            operation: Duration::from_secs(3),
            waiting: 1024,
            bounds: Bounds {
                capacity: 1_000_000,
                quota: None,
                records: 1_000_000,
                record_bytes: 4 << 30,
            },
            clock: Arc::new(clock::system),
        }
    }

    /// Sets how long the database may be locked by another process. Default: one second.
    pub fn busy_timeout(mut self, busy: Duration) -> Self {
        self.busy = busy;
        self
    }

    /// Sets how long an operation may take in all, waiting included. Default: three seconds. One
    /// that took longer may still be carried out.
    pub fn operation_timeout(mut self, operation: Duration) -> Self {
        self.operation = operation;
        self
    }

    /// Sets how many operations may wait for the database; more are refused at once. Default: 1024.
    pub fn queue(mut self, waiting: usize) -> Self {
        self.waiting = waiting;
        self
    }

    /// Sets how many accepted messages are remembered at once, of all senders. Default: a million,
    /// about 150 MB on disk.
    pub fn nonces(mut self, capacity: u64) -> Self {
        self.bounds.capacity = capacity;
        self
    }

    /// Sets how many of them one scope, that is one tenant, may have. Default: all.
    pub fn nonces_per_scope(mut self, quota: u64) -> Self {
        self.bounds.quota = Some(quota);
        self
    }

    /// Sets how many records of operations are kept at once. Default: a million, each about 250 bytes
    /// on disk besides its payload. Beyond, new operations are refused.
    #[cfg(feature = "idempotency")]
    #[cfg_attr(docsrs, doc(cfg(feature = "idempotency")))]
    pub fn records(mut self, records: u64) -> Self {
        self.bounds.records = records;
        self
    }

    /// Sets how many bytes the payloads of all records may have together. Default: 4 GiB. A payload
    /// for which there is no more room is left out of its record, and beyond, new operations are
    /// refused. It is written to the file, for [`complete_in`](crate::complete_in): of several
    /// processes on it, the setting of the last that opened it counts there.
    #[cfg(feature = "idempotency")]
    #[cfg_attr(docsrs, doc(cfg(feature = "idempotency")))]
    pub fn record_bytes(mut self, bytes: u64) -> Self {
        self.bounds.record_bytes = bytes;
        self
    }

    /// Sets the clock, as the time since 1970: for tests. Default: the host's.
    pub fn clock(mut self, clock: impl Fn() -> Duration + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Opens the file, which is made if there is none, and the tables in it.
    ///
    /// It blocks for as long as the file takes: call it at the start of the program.
    ///
    /// # Errors
    ///
    /// Fails when the file cannot be opened or is not on a file system that supports WAL, when its
    /// tables are of another version, and when a setting is zero.
    pub fn open(self) -> Result<SqliteStore, OpenError> {
        let bounds = &self.bounds;
        if self.waiting == 0
            || self.operation.is_zero()
            || bounds.capacity == 0
            || bounds.records == 0
            || bounds.record_bytes == 0
        {
            return Err(OpenError::new(
                "queue, operation_timeout, nonces, records and record_bytes: expected more than zero",
            ));
        }
        let path = self.path.display().to_string();
        let failed = |error| OpenError::because(format!("`{path}` cannot be opened"), error);
        let connection = Connection::open(&self.path).map_err(failed)?;
        connection.busy_timeout(self.busy).map_err(failed)?;
        let mode: String = connection
            .pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))
            .map_err(failed)?;
        if mode != "wal" {
            return Err(OpenError::new(format!(
                "`{path}`: expected a file on a local disk, where journal_mode can be wal"
            )));
        }
        // Not NORMAL, which loses the last commits with the machine's power: what is forgotten can
        // be replayed, or done twice.
        connection
            .pragma_update(None, "synchronous", "full")
            .map_err(failed)?;
        #[cfg(feature = "signing")]
        crate::signing::create(&connection)?;
        #[cfg(feature = "idempotency")]
        crate::idempotency::create(&connection, self.bounds)?;
        let no_thread = |error| OpenError::new(format!("no thread for the database: {error}"));
        #[cfg(feature = "idempotency")]
        let reader = {
            let reader = Connection::open(&self.path).map_err(failed)?;
            reader.busy_timeout(self.busy).map_err(failed)?;
            // Not a connection of a file that is open for reading alone: that could not read a log
            // that another process has left behind.
            reader
                .pragma_update(None, "query_only", true)
                .map_err(failed)?;
            Worker::start_reading(reader, self.waiting).map_err(no_thread)?
        };
        let worker = Worker::start(connection, self.waiting).map_err(no_thread)?;
        Ok(SqliteStore::new(
            worker,
            #[cfg(feature = "idempotency")]
            reader,
            self.operation,
            self.bounds,
            self.clock,
        ))
    }
}

impl fmt::Debug for SqliteStoreBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStoreBuilder")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}
