//! The laws, over memory.

use std::sync::Arc;
use std::time::Duration;

use seawall_idempotency::{BoxStore, ManualClock, MemoryStore, conformance};

fn store(entries: usize) -> (MemoryStore, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::new());
    let store = MemoryStore::builder()
        .clock(Arc::clone(&clock))
        .entries(entries)
        .build()
        .unwrap();
    (store, clock)
}

#[tokio::test]
async fn memory_keeps_the_laws() {
    let (store, clock) = store(1000);
    conformance::laws(&store, |by| clock.advance(by)).await;
}

#[tokio::test]
async fn a_box_keeps_the_laws() {
    let (store, clock) = store(1000);
    conformance::laws(&BoxStore::new(Arc::new(store)), |by| clock.advance(by)).await;
}

#[tokio::test]
async fn memory_never_evicts() {
    for capacity in [2, 7, 200] {
        let (store, clock) = store(capacity);
        conformance::never_evicts(&store, capacity, |by| clock.advance(by)).await;
    }
}

#[tokio::test]
async fn memory_agrees_with_the_model() {
    let (store, clock) = store(1000);
    for seed in 0..200 {
        conformance::random_operations(&store, seed, 200, |by| clock.advance(by)).await;
        clock.advance(Duration::from_secs(1));
    }
}
