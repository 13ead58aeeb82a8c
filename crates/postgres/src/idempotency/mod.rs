//! Records of `seawall-idempotency`, and their completion within a transaction of the user's.

mod complete_in;
mod row;

use std::time::Duration;

use seawall_idempotency::{
    Caps, Completion, Durability, Reach, Reserve, Reserved, Settled, Store, StoreFailure, Token,
};
use tokio_postgres::types::ToSql;

use crate::error::Error;
use crate::link::Link;
use crate::store::{Inner, PostgresStore};
use row::micros;

pub use complete_in::{CompleteError, complete_in};

/// The tables and functions of records of operations, as plain SQL for migrations of your own.
///
/// Run it in one transaction. It changes nothing that is there already.
pub const SCHEMA: &str = include_str!("schema.sql");

impl Store for PostgresStore {
    type Error = Error;

    /// One round trip, and a wait for the disk if the record is taken; two for one that lost a race.
    /// Every other answer is a plain read.
    ///
    /// # Cancel safety
    ///
    /// A dropped call has perhaps reserved. Its nonce still acquires.
    async fn reserve(&self, ask: Reserve) -> Result<Reserved, Error> {
        let inner = self.inner();
        let (id, print) = (&ask.id.as_bytes()[..], &ask.fingerprint.as_bytes()[..]);
        let nonce = ask.nonce.as_u64().cast_signed();
        let (lease, retention) = (micros(ask.lease), micros(ask.retention));
        let (takes_over, now) = (row::takes_over(&ask), inner.given_us());
        let answer = inner
            .link
            .call(async move |client| {
                let statement = client.prepare_cached(include_str!("reserve.sql")).await?;
                for _ in 0..TRIES {
                    let row = client
                        .query_one(
                            &statement,
                            &[&id, &print, &nonce, &lease, &retention, &takes_over, &now],
                        )
                        .await?;
                    if let Some(answer) = row::reserved(&row)? {
                        return Ok(answer);
                    }
                }
                // The row is free and cannot be had, so somebody is at it.
                Ok(Reserved::InProgress {
                    lease_left: A_MOMENT,
                })
            })
            .await?;
        if matches!(answer, Reserved::Acquired { .. }) {
            inner
                .records
                .count(&inner.link, |link| sweep(link, MOST, None));
        }
        Ok(answer)
    }

    /// One round trip, and a wait for the disk.
    ///
    /// # Cancel safety
    ///
    /// A dropped call has perhaps completed; again, it is the same.
    async fn complete(&self, completion: &Completion) -> Result<Settled, Error> {
        if completion.payload().len() > LARGEST {
            return Ok(Settled::TooLarge);
        }
        let inner = self.inner();
        let (payload, now) = (&completion.payload()[..], inner.given_us());
        let statement = include_str!("complete.sql");
        settle(inner, statement, completion.token(), &[&payload, &now]).await
    }

    async fn release(&self, token: Token) -> Result<Settled, Error> {
        let inner = self.inner();
        let now = inner.given_us();
        settle(inner, include_str!("release.sql"), token, &[&now]).await
    }

    /// One round trip. It fails at once, as unavailable, while a transaction has the record locked.
    async fn renew(&self, token: Token, lease: Duration) -> Result<Settled, Error> {
        let inner = self.inner();
        let (lease, now) = (micros(lease), inner.given_us());
        settle(inner, include_str!("renew.sql"), token, &[&lease, &now]).await
    }

    async fn sweep(&self, most: usize) -> Result<usize, Error> {
        let inner = self.inner();
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let swept = sweep(inner.link.clone(), most, inner.given_us()).await?;
        usize::try_from(swept).map_err(|_| Error::answer())
    }

    fn caps(&self) -> Caps {
        Caps::new(Durability::Power, Reach::Network).largest(LARGEST)
    }
}

/// Has one conditional statement change the record of a token, `rest` being what comes after that.
async fn settle(
    inner: &Inner,
    statement: &'static str,
    token: Token,
    rest: &[&(dyn ToSql + Sync)],
) -> Result<Settled, Error> {
    let id = &token.id.as_bytes()[..];
    let (fence, nonce) = (
        token.fence.cast_signed(),
        token.nonce.as_u64().cast_signed(),
    );
    inner
        .link
        .call(async move |client| {
            let statement = client.prepare_cached(statement).await?;
            let mut all: Vec<&(dyn ToSql + Sync)> = vec![&id, &fence, &nonce];
            all.extend(rest);
            for _ in 0..TRIES {
                let row = client.query_one(&statement, &all).await?;
                if let Some(settled) = row::settled(&row)? {
                    return Ok(settled);
                }
            }
            Err(Error::locked())
        })
        .await
}

/// Deletes the oldest of what has expired, `most` rows or fewer.
pub(crate) async fn sweep(link: Link, most: i64, now: Option<i64>) -> Result<u64, Error> {
    let swept: i64 = link
        .call(async move |client| {
            let statement = client.prepare_cached(include_str!("sweep.sql")).await?;
            let row = client.query_one(&statement, &[&most, &now]).await?;
            Ok(row.try_get(0)?)
        })
        .await?;
    u64::try_from(swept).map_err(|_| Error::answer())
}

impl Inner {
    /// The time of a conformance run; `None` everywhere else, where the server tells it.
    #[cfg(feature = "conformance")]
    fn given_us(&self) -> Option<i64> {
        self.clock.as_ref().map(|clock| micros(clock.now().unix()))
    }

    #[cfg(not(feature = "conformance"))]
    #[expect(clippy::unused_self, reason = "as the one above")]
    const fn given_us(&self) -> Option<i64> {
        None
    }
}

impl From<Error> for StoreFailure {
    fn from(error: Error) -> Self {
        if error.is_unavailable() {
            Self::unavailable(error)
        } else {
            Self::refused(error)
        }
    }
}

/// A lost race shows what came of it when the record is read again, so a second is rare already.
const TRIES: usize = 4;

/// What is told to wait where nobody knows how long.
const A_MOMENT: Duration = Duration::from_secs(1);

/// Far below what a row can have, and far above what is sent within an operation timeout.
const LARGEST: usize = 64 << 20;

/// Four times what comes between two sweeps, so that what has expired goes faster than it came.
pub(crate) const MOST: i64 = 4_000;
