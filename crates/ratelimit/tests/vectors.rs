//! Replays exact traces over the memory store: a few facts kept here, and every file of
//! `$SEAWALL_VECTORS/ratelimit` if that is set.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    missing_docs,
    reason = "tests"
)]

use std::path::Path;
use std::sync::Arc;

use seawall_ratelimit::conformance::{Counts, laws, run_vectors};
use seawall_ratelimit::{BoxStore, ManualClock, MemoryStore};

async fn replay(dir: &Path) -> Counts {
    let clock = Arc::new(ManualClock::new());
    let store = MemoryStore::builder().clock(Arc::clone(&clock)).build();
    let counts = run_vectors(dir, &store, &clock, "plain").await;
    let boxed = BoxStore::new(store.clone());
    run_vectors(dir, &boxed, &clock, "boxed").await;
    assert_eq!(store.live_evictions(), 0);
    counts
}

#[tokio::test]
async fn traces_in_the_repository() {
    let counts = replay(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data")).await;
    println!("tests/data: {counts}");
    assert!(counts.steps > 20 && counts.skipped.is_empty(), "{counts}");
}

#[tokio::test]
async fn traces_from_outside() {
    let Some(dir) = std::env::var_os("SEAWALL_VECTORS") else {
        println!("SEAWALL_VECTORS is not set");
        return;
    };
    let dir = Path::new(&dir).join("ratelimit");
    if !dir.is_dir() {
        println!("{} does not exist", dir.display());
        return;
    }
    println!("{}: {}", dir.display(), replay(&dir).await);
}

#[tokio::test]
async fn laws_of_the_store() {
    let clock = Arc::new(ManualClock::new());
    let store = MemoryStore::builder().clock(Arc::clone(&clock)).build();
    laws(&store, &clock, "plain").await;
    laws(&BoxStore::new(store), &clock, "boxed").await;
}
