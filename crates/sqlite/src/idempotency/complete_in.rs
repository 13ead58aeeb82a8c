//! Completing a record in the transaction that does the work.

use std::error::Error;
use std::fmt;

use rusqlite::Transaction;
use seawall_idempotency::{Completion, Lost, Settled};

use super::step;
use crate::clock;

/// Completes a record within a transaction on the store's own file: the work and its record are
/// committed together or not at all, so the work is done exactly once, whatever crashes.
///
/// Begin the transaction with `TransactionBehavior::Immediate`, else it can fail at its first write
/// when another one came in between, and keep it short: new operations wait for it, and replays do
/// not.
///
/// Record and work are committed with what the connection's `synchronous` promises, which is `FULL`
/// unless it was set. With `NORMAL`, a machine that loses power may forget the last transactions, each
/// as a whole: the work then is not done, and a retry does it, though somebody was told that it was.
///
/// Whether the record has expired is judged by the host's clock, whichever one the store was given.
///
/// # Errors
///
/// Fails when somebody else has taken over, when [there is no room](CompleteError::is_too_large), and
/// on an error of the database. Roll back: dropping the transaction does, so `?` is enough.
///
/// # Examples
///
/// ```
/// use rusqlite::{Connection, TransactionBehavior};
/// use seawall_idempotency::{Claim, Outcome};
///
/// fn charge(connection: &mut Connection, claim: &Claim) -> Result<Outcome, Box<dyn std::error::Error>> {
///     let outcome = Outcome::new("charged").status(201);
///     let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
///     transaction.execute("INSERT INTO ledger (cents) VALUES (100)", [])?;
///     seawall_sqlite::complete_in(&transaction, &claim.completion(&outcome)?)?;
///     transaction.commit()?;
///     Ok(outcome)
/// }
/// ```
pub fn complete_in(
    transaction: &Transaction<'_>,
    completion: &Completion,
) -> Result<(), CompleteError> {
    let settled = step::most_bytes(transaction)
        .and_then(|most| step::complete(transaction, completion, most, clock::system()));
    Err(CompleteError(match settled {
        Ok(Settled::Done) => return Ok(()),
        Ok(Settled::Lost(lost)) => Cause::Lost(lost),
        Ok(Settled::TooLarge) => Cause::TooLarge,
        Ok(_) => Cause::Lost(Lost::Gone),
        Err(error) => Cause::Database(error),
    }))
}

/// Says why a record was not completed. The transaction must not be committed.
#[derive(Debug)]
pub struct CompleteError(Cause);

#[derive(Debug)]
enum Cause {
    Lost(Lost),
    TooLarge,
    Database(rusqlite::Error),
}

impl CompleteError {
    /// Returns to what the record was lost, if that is why.
    #[must_use]
    pub const fn lost(&self) -> Option<Lost> {
        match self.0 {
            Cause::Lost(lost) => Some(lost),
            Cause::TooLarge | Cause::Database(_) => None,
        }
    }

    /// Returns whether the payload is larger than what is left of
    /// [`record_bytes`](crate::SqliteStoreBuilder::record_bytes). Nothing was written: the same
    /// transaction may complete the record with
    /// [less of an outcome](seawall_idempotency::Outcome::omitted), of which 128 bytes always fit.
    #[must_use]
    pub const fn is_too_large(&self) -> bool {
        matches!(self.0, Cause::TooLarge)
    }
}

impl fmt::Display for CompleteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Cause::Lost(Lost::Completed) => "the record was completed already",
            Cause::Lost(Lost::TakenOver) => "another attempt has the record",
            Cause::Lost(_) => "there is no such record any more",
            Cause::TooLarge => "there is no room for the outcome",
            Cause::Database(_) => "the database failed",
        })
    }
}

impl Error for CompleteError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.0 {
            Cause::Lost(_) | Cause::TooLarge => None,
            Cause::Database(error) => Some(error),
        }
    }
}
