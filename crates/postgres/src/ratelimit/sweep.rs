//! Keeps the table small, a few pages at a time.
//!
//! A thousand decisions fill some 170 pages if each brings ten new keys. Looking at three times as
//! many pages after them leaves a third of the table dead, and less with fewer keys. So no index on
//! the time is needed, which would make every charge dearer, and the whole table is never read at once.

use crate::error::Error;
use crate::link::Link;

pub(crate) async fn sweep(link: Link) -> Result<u64, Error> {
    let swept: i64 = link
        .call(async move |client| {
            let statement = client
                .prepare_cached("SELECT seawall_ratelimit_sweep($1)")
                .await?;
            Ok(client.query_one(&statement, &[&PAGES]).await?.try_get(0)?)
        })
        .await?;
    u64::try_from(swept).map_err(|_| Error::answer())
}

const PAGES: i64 = 512;
