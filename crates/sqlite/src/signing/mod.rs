//! Accepted messages of `seawall-signing`, each remembered until it expires.

mod claim;
mod schema;

use seawall_signing::{Claim, Nonce, NonceStore, StoreFailure, UnixTime};

use crate::error::SqliteStoreError;
use crate::store::SqliteStore;

pub(crate) use schema::create;

use claim::Question;

impl NonceStore for SqliteStore {
    type Error = SqliteStoreError;

    /// Claims in the transaction that whatever waits shares, and answers once that is on disk.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future before the database's thread has come to it claims nothing; later, the
    /// message is remembered.
    async fn claim(&self, nonce: Nonce<'_>) -> Result<Claim, Self::Error> {
        let question = Question::of(&nonce);
        let (bounds, clock) = (self.bounds(), self.clock());
        self.ask(move |transaction| {
            let now = UnixTime::from_secs(clock().as_secs());
            claim::claim(transaction, &question, bounds, now)
        })
        .await
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
