//! The ledger: which charges were really made. It is always SQL, so that it outlives the process.

mod postgres;
mod sqlite;

use std::error::Error;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use seawall_idempotency::{Claim, Outcome};

use crate::domain::{Charge, DomainError, NewPayment, Payment, Shop};

use postgres::PostgresLedger;
use sqlite::SqliteLedger;

/// Where charges are written. Clones are the same ledger.
#[derive(Clone, Debug)]
pub struct Ledger(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Sqlite(SqliteLedger),
    Postgres(PostgresLedger),
}

/// How a charge is made once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Once {
    /// The records of idempotency keys are in the same database: charge and record are committed
    /// together or not at all.
    Together,
    /// They are elsewhere: the ledger has one charge for each operation at most.
    Apart,
}

/// One charge that is to be made.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) shop: Arc<Shop>,
    pub(crate) new: NewPayment,
    /// The same for every attempt at one payment; nobody's where duplicates are not recognised.
    pub(crate) claim: Option<Claim>,
}

impl Ledger {
    /// Opens or makes one in this file.
    ///
    /// # Errors
    ///
    /// When the file cannot be used.
    pub fn sqlite(file: &Path, once: Once) -> Result<Self, LedgerError> {
        Ok(Self(Kind::Sqlite(SqliteLedger::open(file, once)?)))
    }

    /// One in the Postgres that has the records, too.
    ///
    /// # Errors
    ///
    /// When the address is unusable. Nobody is asked there yet.
    pub fn postgres(url: &str) -> Result<Self, LedgerError> {
        Ok(Self(Kind::Postgres(PostgresLedger::new(url)?)))
    }

    /// Charges, once for each operation.
    ///
    /// # Errors
    ///
    /// When the ledger fails, and when somebody else has taken over the operation. Nothing is charged
    /// then, or nobody knows.
    pub async fn charge(
        &self,
        shop: Arc<Shop>,
        new: NewPayment,
        claim: Claim,
    ) -> Result<Payment, LedgerError> {
        let claim = Some(claim);
        self.enter(Entry { shop, new, claim }).await
    }

    /// Charges, as often as it is told to.
    ///
    /// # Errors
    ///
    /// When the ledger fails.
    pub async fn charge_again(
        &self,
        shop: Arc<Shop>,
        new: NewPayment,
    ) -> Result<Payment, LedgerError> {
        let claim = None;
        self.enter(Entry { shop, new, claim }).await
    }

    async fn enter(&self, entry: Entry) -> Result<Payment, LedgerError> {
        match &self.0 {
            Kind::Sqlite(ledger) => ledger.enter(entry).await,
            Kind::Postgres(ledger) => ledger.enter(entry).await,
        }
    }

    /// Every charge really made after that of this number, oldest first.
    ///
    /// # Errors
    ///
    /// When the ledger fails.
    pub async fn charges(&self, after: u32) -> Result<Vec<Charge>, LedgerError> {
        match &self.0 {
            Kind::Sqlite(ledger) => ledger.charges(after).await,
            Kind::Postgres(ledger) => ledger.charges(after).await,
        }
    }
}

/// What a payment is answered with, as its record keeps it.
pub(crate) fn outcome(payment: &Payment) -> Result<Outcome, LedgerError> {
    let body = serde_json::to_vec(payment).map_err(LedgerError::failed)?;
    let outcome = Outcome::new(body).status(201);
    Ok(outcome.header("content-type", "application/json"))
}

/// The name of a payment.
pub(crate) fn payment_id(number: i64) -> String {
    format!("pay_{number}")
}

/// Why a charge was not made, or may not have been.
#[derive(Debug)]
pub enum LedgerError {
    /// The database failed.
    Failed(Box<dyn Error + Send + Sync>),
    /// Another attempt at the same payment has taken over.
    Lost(Box<dyn Error + Send + Sync>),
    /// The payment was told to fail half-way.
    Broken(DomainError),
}

impl LedgerError {
    pub(crate) fn failed(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Failed(error.into())
    }
}

impl fmt::Display for LedgerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(_) => f.write_str("the ledger failed"),
            Self::Lost(_) => f.write_str("another attempt has taken over"),
            Self::Broken(error) => error.fmt(f),
        }
    }
}

impl Error for LedgerError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Failed(error) | Self::Lost(error) => Some(&**error),
            Self::Broken(error) => error.source(),
        }
    }
}
