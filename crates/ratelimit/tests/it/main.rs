//! What a user could write.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod allocations;
mod decisions;
mod headers;
mod limiter;
mod memory;
mod policies;
mod properties;
mod stores;
mod traits;
#[cfg(feature = "tokio")]
mod waiting;

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use seawall_ratelimit::{KeyBuf, ManualClock, MemoryStore, Now};

/// A store whose clock stands at the beginning of an hour until it is moved.
fn store() -> (MemoryStore, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::new());
    clock.set(Now::at(Duration::from_secs(1_700_002_800)));
    (
        MemoryStore::builder().clock(Arc::clone(&clock)).build(),
        clock,
    )
}

fn n(n: u32) -> NonZeroU32 {
    NonZeroU32::new(n).unwrap()
}

fn key(key: &str) -> Option<KeyBuf> {
    Some(KeyBuf::new().push(key))
}

fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}
