//! Keeps the table small, a few pages at a time.
//!
//! A thousand decisions fill some 170 pages if each brings ten new keys. Looking at three times as
//! many pages after them leaves a third of the table dead, and less with fewer keys. So no index on
//! the time is needed, which would make every charge dearer, and the whole table is never read at once.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use crate::error::Error;
use crate::link::Link;

pub(crate) struct Sweeper {
    every: Option<NonZeroU32>,
    decisions: AtomicU32,
    /// At most one sweep of this process at a time.
    busy: Arc<AtomicBool>,
}

impl Sweeper {
    pub(crate) fn every(every: Option<NonZeroU32>) -> Self {
        Self {
            every,
            decisions: AtomicU32::new(0),
            busy: Arc::default(),
        }
    }

    /// Counts a decision, and sweeps in the background if it is time to.
    pub(super) fn count(&self, link: &Link) {
        let Some(every) = self.every else { return };
        // Relaxed: a counter that orders nothing; and a flag that guards no data.
        let decisions = self
            .decisions
            .fetch_add(1, Ordering::Relaxed)
            .wrapping_add(1);
        if !decisions.is_multiple_of(every.get()) || self.busy.swap(true, Ordering::Relaxed) {
            return;
        }
        let (link, busy) = (link.clone(), Busy(Arc::clone(&self.busy)));
        tokio::spawn(async move {
            // Whatever prevented it, the next one is not far.
            let _ = sweep(&link).await;
            drop(busy);
        });
    }
}

/// Not busy any more once dropped, even if the runtime drops it.
struct Busy(Arc<AtomicBool>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

pub(crate) async fn sweep(link: &Link) -> Result<u64, Error> {
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
