//! The ledger in the Postgres that has the records, too.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{Manager, Object, Pool, Runtime};
use seawall_postgres::tokio_postgres::{Config, NoTls, Row};
use tokio::sync::OnceCell;

use super::{Entry, LedgerError, outcome, payment_id};
use crate::domain::{Charge, NewPayment, Payment, Stage};

#[derive(Clone)]
pub(super) struct PostgresLedger {
    pool: Pool,
    /// Whether the table is there: made at the first charge, since the server may come up later than
    /// the shop.
    table: Arc<OnceCell<()>>,
}

/// Under the advisory lock, since two replicas may come to it at once.
const TABLE: &str = "BEGIN;
SELECT pg_advisory_xact_lock(7236828);
CREATE TABLE IF NOT EXISTS shop_charges (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    operation text,
    amount bigint NOT NULL,
    currency text NOT NULL,
    customer text NOT NULL,
    executions bigint NOT NULL
);
COMMIT";

const CONNECTIONS: usize = 8;
const WITHIN: Duration = Duration::from_secs(2);

impl PostgresLedger {
    pub(super) fn new(url: &str) -> Result<Self, LedgerError> {
        let mut config = Config::from_str(url).map_err(LedgerError::failed)?;
        config
            .connect_timeout(WITHIN)
            .options("-c statement_timeout=2000 -c idle_in_transaction_session_timeout=30000");
        let pool = Pool::builder(Manager::new(config, NoTls))
            .max_size(CONNECTIONS)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(WITHIN))
            .create_timeout(Some(WITHIN))
            .recycle_timeout(Some(WITHIN))
            .build()
            .map_err(LedgerError::failed)?;
        Ok(Self {
            pool,
            table: Arc::default(),
        })
    }

    async fn client(&self) -> Result<Object, LedgerError> {
        let client = self.pool.get().await.map_err(LedgerError::failed)?;
        let made = self
            .table
            .get_or_try_init(|| client.batch_execute(TABLE))
            .await;
        made.map_err(LedgerError::failed)?;
        Ok(client)
    }

    pub(super) async fn enter(&self, entry: Entry) -> Result<Payment, LedgerError> {
        let NewPayment {
            amount,
            currency,
            customer,
        } = &entry.new;
        let in_ledger = i64::try_from(*amount).map_err(LedgerError::failed)?;
        let claim = entry.claim.as_ref();
        let operation = claim.map(|claim| claim.downstream_key("charge"));
        let attempt = claim.map_or(1, |claim| i64::from(claim.attempt()));

        let mut client = self.client().await?;
        let transaction = client.transaction().await.map_err(LedgerError::failed)?;
        let row = transaction
            .query_one(
                "INSERT INTO shop_charges (operation, amount, currency, customer, executions)
                 VALUES ($1, $2, $3, $4, $5) RETURNING number",
                &[&operation, &in_ledger, currency, customer, &attempt],
            )
            .await
            .map_err(LedgerError::failed)?;
        let payment = Payment {
            payment_id: payment_id(row.get(0)),
            amount: *amount,
            currency: currency.clone(),
            customer: customer.clone(),
        };
        let reaches = async |stage| {
            let reached = entry.shop.payment_reaches(stage).await;
            reached.map_err(LedgerError::Broken)
        };
        reaches(Stage::Charged).await?;
        if let Some(claim) = claim {
            let completion = claim.completion(&outcome(&payment)?);
            let completion = completion.map_err(LedgerError::failed)?;
            seawall_postgres::complete_in(&transaction, &completion)
                .await
                .map_err(|error| LedgerError::Lost(error.into()))?;
        }
        transaction.commit().await.map_err(LedgerError::failed)?;
        drop(client);
        reaches(Stage::Committed).await?;
        Ok(payment)
    }

    pub(super) async fn charges(&self, after: u32) -> Result<Vec<Charge>, LedgerError> {
        let rows = self
            .client()
            .await?
            .query(
                "SELECT number, amount, currency, customer, executions
                 FROM shop_charges WHERE number > $1 ORDER BY number",
                &[&i64::from(after)],
            )
            .await
            .map_err(LedgerError::failed)?;
        Ok(rows.iter().map(charge).collect())
    }
}

fn charge(row: &Row) -> Charge {
    Charge {
        payment: Payment {
            payment_id: payment_id(row.get(0)),
            amount: row.get::<_, i64>(1).unsigned_abs(),
            currency: row.get(2),
            customer: row.get(3),
        },
        executions: row.get::<_, i64>(4).unsigned_abs(),
    }
}

impl fmt::Debug for PostgresLedger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresLedger").finish_non_exhaustive()
    }
}
