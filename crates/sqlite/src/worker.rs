//! A thread that owns a connection: what waits is done in one transaction.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;

use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::oneshot;

use crate::error::{Kind, SqliteStoreError};

/// The way to the thread. It ends when the last way to it is gone.
pub(crate) struct Worker(SyncSender<Box<dyn Job>>);

impl Worker {
    /// For steps that write.
    pub(crate) fn start(connection: Connection, waiting: usize) -> io::Result<Self> {
        // Immediate: a transaction that reads first and is overtaken by another process' write could
        // not go on.
        Self::spawn(
            "seawall-sqlite",
            connection,
            waiting,
            TransactionBehavior::Immediate,
        )
    }

    /// For steps that only read: they see what is committed, and wait for nobody who writes.
    #[cfg(feature = "idempotency")]
    pub(crate) fn start_reading(connection: Connection, waiting: usize) -> io::Result<Self> {
        Self::spawn(
            "seawall-sqlite-read",
            connection,
            waiting,
            TransactionBehavior::Deferred,
        )
    }

    fn spawn(
        name: &str,
        connection: Connection,
        waiting: usize,
        behavior: TransactionBehavior,
    ) -> io::Result<Self> {
        let (put, take) = sync_channel(waiting);
        thread::Builder::new()
            .name(name.into())
            .spawn(move || work(connection, &take, behavior))?;
        Ok(Self(put))
    }

    pub(crate) fn put(&self, job: Box<dyn Job>) -> Result<(), SqliteStoreError> {
        self.0.try_send(job).map_err(|error| {
            SqliteStoreError::new(match error {
                TrySendError::Full(_) => Kind::QueueFull,
                TrySendError::Disconnected(_) => Kind::Stopped,
            })
        })
    }
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Worker")
    }
}

/// How many operations share a commit: enough that the disk's wait is shared by many, and few enough
/// that nobody's answer is held up by more than some milliseconds of others'.
const BATCH: usize = 128;

fn work(mut connection: Connection, take: &Receiver<Box<dyn Job>>, behavior: TransactionBehavior) {
    while let Ok(first) = take.recv() {
        let mut jobs = vec![first];
        jobs.extend(take.try_iter().take(BATCH - 1));
        let done = together(&mut connection, &mut jobs, behavior).map_err(Arc::new);
        for job in jobs {
            job.answer(done.clone());
        }
    }
}

fn together(
    connection: &mut Connection,
    jobs: &mut [Box<dyn Job>],
    behavior: TransactionBehavior,
) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(behavior)?;
    for job in &mut *jobs {
        // Whoever has gone while the lock was waited for has asked for nothing.
        if !job.is_abandoned() {
            job.act(&transaction)?;
        }
    }
    transaction.commit()
}

/// Something to be done in a transaction, with somebody who waits for it.
pub(crate) trait Job: Send {
    fn is_abandoned(&self) -> bool;
    fn act(&mut self, transaction: &Transaction<'_>) -> rusqlite::Result<()>;
    /// Tells the outcome, once the transaction is durable or has failed.
    fn answer(self: Box<Self>, committed: Result<(), Arc<rusqlite::Error>>);
}

/// A job made of a closure.
pub(crate) struct Ask<A, T> {
    act: Option<A>,
    outcome: Option<T>,
    reply: oneshot::Sender<Result<T, SqliteStoreError>>,
}

impl<A, T> Ask<A, T>
where
    A: FnOnce(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    T: Send + 'static,
{
    #[expect(
        clippy::new_ret_no_self,
        reason = "it is used boxed, with the other end"
    )]
    pub(crate) fn new(act: A) -> (Box<dyn Job>, oneshot::Receiver<Result<T, SqliteStoreError>>) {
        let (reply, answer) = oneshot::channel();
        let ask = Self {
            act: Some(act),
            outcome: None,
            reply,
        };
        (Box::new(ask), answer)
    }
}

impl<A, T> Job for Ask<A, T>
where
    A: FnOnce(&Transaction<'_>) -> rusqlite::Result<T> + Send,
    T: Send,
{
    fn is_abandoned(&self) -> bool {
        self.reply.is_closed()
    }

    fn act(&mut self, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        if let Some(act) = self.act.take() {
            self.outcome = Some(act(transaction)?);
        }
        Ok(())
    }

    fn answer(self: Box<Self>, committed: Result<(), Arc<rusqlite::Error>>) {
        let answer = match (committed, self.outcome) {
            (Ok(()), Some(outcome)) => Ok(outcome),
            (Ok(()), None) => Err(SqliteStoreError::new(Kind::Stopped)),
            (Err(error), _) => Err(SqliteStoreError::new(Kind::Database(error))),
        };
        // Who no longer waits need not know.
        let _ = self.reply.send(answer);
    }
}
