//! The ledger in an SQLite file, which may be that of the records.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use seawall_sqlite::rusqlite::{
    Connection, OptionalExtension, Transaction, TransactionBehavior, params,
};
use tokio::runtime::Handle;
use tokio::task;

use super::{Entry, LedgerError, Once, outcome, payment_id};
use crate::domain::{Charge, NewPayment, Payment, Stage};

#[derive(Clone)]
pub(super) struct SqliteLedger {
    connection: Arc<Mutex<Connection>>,
    once: Once,
}

/// Longer than any transaction of the records' store, which has the file for itself meanwhile.
const BUSY: Duration = Duration::from_secs(5);

const TABLE: &str = "CREATE TABLE IF NOT EXISTS shop_charges (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    operation TEXT,
    amount INTEGER NOT NULL,
    currency TEXT NOT NULL,
    customer TEXT NOT NULL,
    executions INTEGER NOT NULL
) STRICT";

/// Not where records are in the same file: those are to be what makes a charge unique.
const UNIQUE: &str =
    "CREATE UNIQUE INDEX IF NOT EXISTS shop_charges_once ON shop_charges (operation)";

impl SqliteLedger {
    pub(super) fn open(file: &Path, once: Once) -> Result<Self, LedgerError> {
        let connection = Connection::open(file).map_err(LedgerError::failed)?;
        Self::new(connection, once)
    }

    fn new(connection: Connection, once: Once) -> Result<Self, LedgerError> {
        let prepare = || {
            connection.busy_timeout(BUSY)?;
            connection.pragma_update(None, "journal_mode", "wal")?;
            // What is charged is charged, whatever becomes of the machine's power.
            connection.pragma_update(None, "synchronous", "full")?;
            connection.execute(TABLE, [])?;
            if once == Once::Apart {
                connection.execute(UNIQUE, [])?;
            }
            Ok(())
        };
        let prepared: Result<(), seawall_sqlite::rusqlite::Error> = prepare();
        prepared.map_err(LedgerError::failed)?;
        Ok(Self {
            connection: Arc::new(Mutex::new(connection)),
            once,
        })
    }

    pub(super) async fn enter(&self, entry: Entry) -> Result<Payment, LedgerError> {
        let (ledger, runtime) = (self.clone(), Handle::current());
        let entered = task::spawn_blocking(move || ledger.write(&entry, &runtime)).await;
        entered.map_err(LedgerError::failed)?
    }

    fn write(&self, entry: &Entry, runtime: &Handle) -> Result<Payment, LedgerError> {
        let mut connection = self.connection.lock();
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(LedgerError::failed)?;
        let payment = self.insert(&transaction, entry)?;
        let stage = |stage| {
            let reached = runtime.block_on(entry.shop.payment_reaches(stage));
            reached.map_err(LedgerError::Broken)
        };
        stage(Stage::Charged)?;
        if let Some(claim) = entry.claim.as_ref().filter(|_| self.once == Once::Together) {
            let completion = claim.completion(&outcome(&payment)?);
            let completion = completion.map_err(LedgerError::failed)?;
            seawall_sqlite::complete_in(&transaction, &completion)
                .map_err(|error| LedgerError::Lost(error.into()))?;
        }
        transaction.commit().map_err(LedgerError::failed)?;
        drop(connection);
        stage(Stage::Committed)?;
        Ok(payment)
    }

    fn insert(&self, transaction: &Transaction<'_>, entry: &Entry) -> Result<Payment, LedgerError> {
        let NewPayment {
            amount,
            currency,
            customer,
        } = &entry.new;
        let amount_in_ledger = i64::try_from(*amount).map_err(LedgerError::failed)?;
        let operation = entry
            .claim
            .as_ref()
            .map(|claim| claim.downstream_key("charge"));
        let attempt = entry.claim.as_ref().map_or(1, |claim| claim.attempt());
        let known = match (&operation, self.once) {
            (Some(operation), Once::Apart) => again(transaction, operation)?,
            _ => None,
        };
        let number = match known {
            Some(number) => number,
            None => {
                let values = params![operation, amount_in_ledger, currency, customer, attempt];
                transaction
                    .execute(
                        "INSERT INTO shop_charges (operation, amount, currency, customer, executions)
                         VALUES (?1, ?2, ?3, ?4, ?5)",
                        values,
                    )
                    .map_err(LedgerError::failed)?;
                transaction.last_insert_rowid()
            }
        };
        Ok(Payment {
            payment_id: payment_id(number),
            amount: *amount,
            currency: currency.clone(),
            customer: customer.clone(),
        })
    }

    pub(super) async fn charges(&self, after: u32) -> Result<Vec<Charge>, LedgerError> {
        let ledger = self.clone();
        let read = task::spawn_blocking(move || ledger.read(after)).await;
        let read = read.map_err(LedgerError::failed)?;
        read.map_err(LedgerError::failed)
    }

    fn read(&self, after: u32) -> seawall_sqlite::rusqlite::Result<Vec<Charge>> {
        let connection = self.connection.lock();
        let mut query = connection.prepare_cached(
            "SELECT number, amount, currency, customer, executions
             FROM shop_charges WHERE number > ?1 ORDER BY number",
        )?;
        let charges = query.query_map([after], |row| {
            let amount: i64 = row.get(1)?;
            Ok(Charge {
                payment: Payment {
                    payment_id: payment_id(row.get(0)?),
                    amount: amount.unsigned_abs(),
                    currency: row.get(2)?,
                    customer: row.get(3)?,
                },
                executions: row.get::<_, i64>(4)?.unsigned_abs(),
            })
        })?;
        charges.collect()
    }
}

/// Finds the charge of an operation that was made before, and counts this attempt.
fn again(transaction: &Transaction<'_>, operation: &str) -> Result<Option<i64>, LedgerError> {
    transaction
        .query_row(
            "UPDATE shop_charges SET executions = executions + 1
             WHERE operation = ?1 RETURNING number",
            [operation],
            |row| row.get(0),
        )
        .optional()
        .map_err(LedgerError::failed)
}

impl fmt::Debug for SqliteLedger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteLedger")
            .field("once", &self.once)
            .finish_non_exhaustive()
    }
}
