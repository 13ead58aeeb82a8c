//! Records of `seawall-idempotency`, and their completion within a transaction of the user's.

mod complete_in;
mod row;
mod schema;
mod step;

use std::time::Duration;

use seawall_idempotency::{
    Caps, Completion, Durability, Reach, Reserve, Reserved, Settled, Store, StoreFailure, Token,
};

use crate::error::SqliteStoreError;
use crate::store::SqliteStore;

pub use complete_in::{CompleteError, complete_in};
pub(crate) use schema::create;

/// Every step that writes is made in the transaction that whatever waits shares, and answered once
/// that is on disk. Duplicates are answered from what is committed, and wait for nobody's transaction.
///
/// # Cancel safety
///
/// A step whose future is dropped before the database's thread has come to it is not made; later, it
/// is.
impl Store for SqliteStore {
    type Error = SqliteStoreError;

    async fn reserve(&self, reserve: Reserve) -> Result<Reserved, Self::Error> {
        let (bounds, clock, reading) = (self.bounds(), self.clock(), self.clock());
        self.look_or_ask(
            move |transaction| step::look(transaction, &reserve, reading()),
            move |transaction| step::reserve(transaction, &reserve, bounds, clock()),
        )
        .await
    }

    async fn complete(&self, completion: &Completion) -> Result<Settled, Self::Error> {
        let (clock, completion) = (self.clock(), completion.clone());
        let most = self.bounds().record_bytes;
        self.ask(move |transaction| step::complete(transaction, &completion, most, clock()))
            .await
    }

    async fn release(&self, token: Token) -> Result<Settled, Self::Error> {
        let clock = self.clock();
        self.ask(move |transaction| step::release(transaction, token, clock()))
            .await
    }

    async fn renew(&self, token: Token, lease: Duration) -> Result<Settled, Self::Error> {
        let clock = self.clock();
        self.ask(move |transaction| step::renew(transaction, token, lease, clock()))
            .await
    }

    async fn sweep(&self, most: usize) -> Result<usize, Self::Error> {
        let clock = self.clock();
        self.ask(move |transaction| step::drop_expired(transaction, most, clock()))
            .await
    }

    fn caps(&self) -> Caps {
        let room = usize::try_from(self.bounds().record_bytes).unwrap_or(usize::MAX);
        Caps::new(Durability::Power, Reach::Host).largest(room.min(LARGEST))
    }
}

impl From<SqliteStoreError> for StoreFailure {
    fn from(error: SqliteStoreError) -> Self {
        if error.is_unavailable() {
            Self::unavailable(error)
        } else {
            Self::refused(error)
        }
    }
}

/// Half of what an SQLite blob can have.
const LARGEST: usize = 500_000_000;
