//! Accepted messages of `seawall-signing`, each remembered until it expires.

use seawall_signing::{Claim, Nonce, NonceStore, StoreFailure};

use crate::error::Error;
use crate::link::Link;
use crate::store::PostgresStore;

/// The tables of accepted messages, as plain SQL for migrations of your own.
///
/// Run it in one transaction. It changes nothing that is there already.
pub const SCHEMA: &str = include_str!("schema.sql");

impl NonceStore for PostgresStore {
    type Error = Error;

    /// One round trip, and a wait for the disk.
    ///
    /// # Cancel safety
    ///
    /// A dropped call counts as perhaps claimed.
    async fn claim(&self, nonce: Nonce<'_>) -> Result<Claim, Error> {
        let inner = self.inner();
        let digest = &nonce.digest[..];
        let (expires, now) = (whole(nonce.expires.as_secs()), whole(nonce.now.as_secs()));
        // Rounded down: times have whole seconds, and a difference of those is over the limit or not.
        let skew = whole(nonce.max_skew.as_secs());
        let row = inner
            .link
            .call(async move |client| {
                let statement = client.prepare_cached(include_str!("claim.sql")).await?;
                Ok(client
                    .query_one(&statement, &[&digest, &expires, &now, &skew])
                    .await?)
            })
            .await?;
        inner.nonces.count(&inner.link, sweep);
        Ok(match row.try_get::<_, i32>(0)? {
            0 => Claim::Fresh,
            1 => Claim::Replayed,
            2 => Claim::Expired,
            3 => Claim::Skewed,
            _ => return Err(Error::answer()),
        })
    }
}

/// Deletes some of what has expired.
pub(crate) async fn sweep(link: Link) -> Result<u64, Error> {
    let swept: i64 = link
        .call(async move |client| {
            let statement = client.prepare_cached(include_str!("sweep.sql")).await?;
            Ok(client.query_one(&statement, &[&MOST]).await?.try_get(0)?)
        })
        .await?;
    u64::try_from(swept).map_err(|_| Error::answer())
}

/// Postgres has signed numbers, whose differences must fit as well: far enough for any message.
fn whole(seconds: u64) -> i64 {
    i64::try_from(seconds).unwrap_or(LAST).min(LAST)
}

const LAST: i64 = 1_000_000_000_000;

/// Four times what comes between two sweeps, so that what has expired goes faster than it came.
const MOST: i64 = 4_000;

impl From<Error> for StoreFailure {
    fn from(error: Error) -> Self {
        if error.is_unavailable() {
            Self::unavailable(error)
        } else {
            Self::refused(error)
        }
    }
}
