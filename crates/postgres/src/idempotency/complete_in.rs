//! Completing a record in the transaction that does the work.

use std::error::Error as StdError;
use std::fmt;

use seawall_idempotency::{Completion, Lost, Settled};
use tokio_postgres::Transaction;
use tokio_postgres::types::Type;

use super::{TRIES, row};
use crate::error::Error;

/// Completes a record within a transaction on the store's own database: the work and its record are
/// committed together or not at all, so the work is done exactly once, whatever crashes.
///
/// Call it last, right before the commit: from then on the record is locked, so nobody takes it over,
/// and its lease is not renewed either. It is one round trip, with no statement that outlives it; the
/// search path must lead to the store's tables. The payload is stored whatever room it takes.
///
/// Under READ COMMITTED, the default, nothing else is to be minded. A transaction under REPEATABLE READ
/// or SERIALIZABLE that had begun to read before the lease was last renewed fails here, as not
/// serializable: begin it within the work, and let it be shorter than a third of the lease.
///
/// # Errors
///
/// Fails when somebody else has taken over, and on an error of the database. Roll back: dropping the
/// transaction does, so `?` is enough.
///
/// # Cancel safety
///
/// A dropped call has perhaps completed the record within the transaction. Roll it back.
///
/// # Examples
///
/// ```no_run
/// use seawall_idempotency::{Claim, Outcome};
/// use seawall_postgres::tokio_postgres::Client;
///
/// async fn charge(client: &mut Client, claim: &Claim) -> Result<Outcome, Box<dyn std::error::Error>> {
///     let outcome = Outcome::new("charged").status(201);
///     let transaction = client.transaction().await?;
///     transaction.execute("INSERT INTO ledger (cents) VALUES (100)", &[]).await?;
///     seawall_postgres::complete_in(&transaction, &claim.completion(&outcome)?).await?;
///     transaction.commit().await?;
///     Ok(outcome)
/// }
/// ```
pub async fn complete_in(
    transaction: &Transaction<'_>,
    completion: &Completion,
) -> Result<(), CompleteError> {
    match complete(transaction, completion).await {
        Ok(Some(Settled::Done)) => Ok(()),
        Ok(Some(Settled::Lost(lost))) => Err(CompleteError(Cause::Lost(lost))),
        Ok(_) => Err(CompleteError(Cause::Store(Error::locked()))),
        Err(error) => Err(CompleteError(Cause::Store(error))),
    }
}

async fn complete(
    transaction: &Transaction<'_>,
    completion: &Completion,
) -> Result<Option<Settled>, Error> {
    let token = completion.token();
    let id = &token.id.as_bytes()[..];
    let (fence, nonce) = (
        token.fence.cast_signed(),
        token.nonce.as_u64().cast_signed(),
    );
    let (payload, now) = (&completion.payload()[..], None::<i64>);
    for _ in 0..TRIES {
        // Not prepared: a pool in front of the server may give the next transaction another session.
        let row = transaction
            .query_typed_one(
                include_str!("complete.sql"),
                &[
                    (&id, Type::BYTEA),
                    (&fence, Type::INT8),
                    (&nonce, Type::INT8),
                    (&payload, Type::BYTEA),
                    (&now, Type::INT8),
                ],
            )
            .await?;
        if let Some(settled) = row::settled(&row)? {
            return Ok(Some(settled));
        }
    }
    Ok(None)
}

/// Says why a record was not completed. The transaction must not be committed.
#[derive(Debug)]
pub struct CompleteError(Cause);

#[derive(Debug)]
enum Cause {
    Lost(Lost),
    Store(Error),
}

impl CompleteError {
    /// Returns to what the record was lost, if that is why.
    #[must_use]
    pub const fn lost(&self) -> Option<Lost> {
        match self.0 {
            Cause::Lost(lost) => Some(lost),
            Cause::Store(_) => None,
        }
    }
}

impl fmt::Display for CompleteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Cause::Lost(Lost::Completed) => "the record was completed already",
            Cause::Lost(Lost::TakenOver) => "another attempt has the record",
            Cause::Lost(_) => "there is no such record any more",
            Cause::Store(_) => "the record could not be completed",
        })
    }
}

impl StdError for CompleteError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match &self.0 {
            Cause::Lost(_) => None,
            Cause::Store(error) => Some(error),
        }
    }
}
