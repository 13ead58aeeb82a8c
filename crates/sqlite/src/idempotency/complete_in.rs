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
/// when another one came in between, and keep it short: the store waits for it. The payload is
/// stored whatever room it takes.
///
/// # Errors
///
/// Fails when somebody else has taken over, and on an error of the database. Roll back: dropping the
/// transaction does, so `?` is enough.
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
    match step::complete(transaction, completion, None, clock::system()) {
        Ok(Settled::Done) => Ok(()),
        Ok(Settled::Lost(lost)) => Err(CompleteError(Cause::Lost(lost))),
        Ok(_) => Err(CompleteError(Cause::Lost(Lost::Gone))),
        Err(error) => Err(CompleteError(Cause::Database(error))),
    }
}

/// Says why a record was not completed. The transaction must not be committed.
#[derive(Debug)]
pub struct CompleteError(Cause);

#[derive(Debug)]
enum Cause {
    Lost(Lost),
    Database(rusqlite::Error),
}

impl CompleteError {
    /// Returns to what the record was lost, if that is why.
    #[must_use]
    pub const fn lost(&self) -> Option<Lost> {
        match self.0 {
            Cause::Lost(lost) => Some(lost),
            Cause::Database(_) => None,
        }
    }
}

impl fmt::Display for CompleteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Cause::Lost(Lost::Completed) => "the record was completed already",
            Cause::Lost(Lost::TakenOver) => "another attempt has the record",
            Cause::Lost(_) => "there is no such record any more",
            Cause::Database(_) => "the database failed",
        })
    }
}

impl Error for CompleteError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.0 {
            Cause::Lost(_) => None,
            Cause::Database(error) => Some(error),
        }
    }
}
