//! When to clear away what means nothing any more: every so many calls, in the background.

use std::future::Future;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use crate::error::Error;
use crate::link::Link;

pub(crate) struct Sweeper {
    every: Option<NonZeroU32>,
    calls: AtomicU32,
    /// At most one sweep of this process at a time.
    busy: Arc<AtomicBool>,
}

impl Sweeper {
    pub(crate) fn every(every: Option<NonZeroU32>) -> Self {
        Self {
            every,
            calls: AtomicU32::new(0),
            busy: Arc::default(),
        }
    }

    /// Counts a call, and sweeps in the background if it is time to.
    pub(crate) fn count<F>(&self, link: &Link, sweep: impl FnOnce(Link) -> F)
    where
        F: Future<Output = Result<u64, Error>> + Send + 'static,
    {
        let Some(every) = self.every else { return };
        // Relaxed: a counter that orders nothing; and a flag that guards no data.
        let calls = self.calls.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        if !calls.is_multiple_of(every.get()) || self.busy.swap(true, Ordering::Relaxed) {
            return;
        }
        let (sweeping, busy) = (sweep(link.clone()), Busy(Arc::clone(&self.busy)));
        tokio::spawn(async move {
            // Whatever prevented it, the next one is not far.
            let _ = sweeping.await;
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
