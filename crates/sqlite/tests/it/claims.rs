//! The laws of a store of accepted messages, over a file.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use seawall_signing::conformance::{self, TimeOf};
use seawall_signing::{Claim, Nonce, NonceStore};
use seawall_sqlite::SqliteStore;

use crate::support::{File, claim, digest, now, t};

/// A store whose clock is moved by hand.
fn by_hand(file: &File, capacity: u64, start: u64) -> (SqliteStore, Arc<AtomicU64>) {
    let time = Arc::new(AtomicU64::new(start));
    let clock = Arc::clone(&time);
    let store = SqliteStore::builder(file.path())
        .nonces(capacity)
        .clock(move || Duration::from_secs(clock.load(SeqCst)))
        .open()
        .unwrap();
    (store, time)
}

async fn at(store: &SqliteStore, name: u8, expires: u64, now: u64) -> Claim {
    let digest = digest(name);
    let nonce = Nonce::new(&digest, t(expires), t(now));
    store.claim(nonce).await.unwrap()
}

#[tokio::test]
async fn keeps_the_laws() {
    let file = File::new();
    conformance::laws(&file.open(), now(), TimeOf::Store).await;
}

#[tokio::test]
async fn an_entry_lives_until_it_expires() {
    let file = File::new();
    let (store, time) = by_hand(&file, 1000, 1_800_000_000);
    let advance = |to: seawall_signing::UnixTime| time.store(to.as_secs(), SeqCst);
    conformance::lives_until_it_expires(&store, t(1_800_000_000), advance).await;
}

#[tokio::test]
async fn nothing_is_evicted() {
    let file = File::new();
    let store = SqliteStore::builder(file.path()).nonces(20).open().unwrap();
    conformance::never_evicts(&store, now(), 20).await;
}

#[tokio::test]
async fn room_comes_back_when_entries_expire() {
    let file = File::new();
    let (store, time) = by_hand(&file, 10, 1000);
    for name in 0..10 {
        assert_eq!(at(&store, name, 1010, 1000).await, Claim::Fresh);
    }
    assert_eq!(at(&store, 50, 1100, 1000).await, Claim::Full);
    time.store(1011, SeqCst);
    for name in 50..60 {
        assert_eq!(at(&store, name, 1100, 1011).await, Claim::Fresh);
    }
    assert_eq!(at(&store, 60, 1100, 1011).await, Claim::Full);
}

#[tokio::test]
async fn one_scope_cannot_fill_the_store() {
    let file = File::new();
    let builder = SqliteStore::builder(file.path()).nonces_per_scope(2);
    let store = builder.open().unwrap();
    let (now, until) = (now(), t(now().as_secs() + 60));
    let claim = async |scope, name| {
        let digest = digest(name);
        let nonce = Nonce::new(&digest, until, now).scope(scope);
        store.claim(nonce).await.unwrap()
    };
    assert_eq!(claim("a", 1).await, Claim::Fresh);
    assert_eq!(claim("a", 2).await, Claim::Fresh);
    assert_eq!(claim("a", 3).await, Claim::Full);
    assert_eq!(claim("a", 1).await, Claim::Replayed);
    assert_eq!(claim("b", 4).await, Claim::Fresh);
    assert_eq!(claim("", 5).await, Claim::Fresh);
}

#[tokio::test]
async fn a_clock_that_runs_backwards_revives_nothing_even_after_a_restart() {
    let file = File::new();
    let (store, time) = by_hand(&file, 100, 1000);
    assert_eq!(at(&store, 1, 1010, 1000).await, Claim::Fresh);
    time.store(5000, SeqCst);
    assert_eq!(at(&store, 2, 5100, 5000).await, Claim::Fresh);
    drop(store);
    let (store, _) = by_hand(&file, 100, 1000);
    assert_eq!(at(&store, 1, 1010, 1000).await, Claim::Expired);
    assert_eq!(at(&store, 3, 1011, 1000).await, Claim::Fresh);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_tasks_over_two_connections_have_one_winner_each() {
    let file = File::new();
    let stores = [file.open(), file.open()];
    let racers = (0..16).map(|racer| {
        let store = stores[racer % 2].clone();
        tokio::spawn(async move {
            let mut fresh = 0;
            for name in 0..30 {
                fresh += usize::from(claim(&store, name).await == Claim::Fresh);
            }
            fresh
        })
    });
    let racers: Vec<_> = racers.collect();
    let mut fresh = 0;
    for racer in racers {
        fresh += racer.await.unwrap();
    }
    assert_eq!(fresh, 30);
}

#[test]
fn a_store_is_shared_and_sent() {
    static_assertions::assert_impl_all!(SqliteStore: Clone, Send, Sync, std::fmt::Debug);
}
