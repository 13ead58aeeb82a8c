//! The laws of a store of records, on a clock that is moved by hand.

use std::sync::Arc;
use std::time::Duration;

use seawall_idempotency::{BoxStore, conformance};
use seawall_postgres::PostgresStore;
use seawall_ratelimit::{Clock, ManualClock, Now};

use crate::support::{Server, patient};

struct Hand(Arc<ManualClock>);

impl Hand {
    fn advance(&self, by: Duration) {
        self.0.set(Now::at(self.0.now().unix() + by));
    }
}

/// On a server of its own: a clock that is ahead sweeps what others have.
async fn store(postgres: &Server) -> (PostgresStore, Hand) {
    let clock = Arc::new(ManualClock::new());
    clock.set(Now::at(Duration::from_secs(1_800_000_000)));
    let store = patient(postgres.url()).conformance_clock(Arc::clone(&clock));
    let store = store.connect().await.unwrap();
    store.migrate().await.unwrap();
    (store, Hand(clock))
}

#[tokio::test]
async fn one_database_keeps_every_law() {
    let Some(postgres) = Server::start() else {
        return;
    };
    let (store, clock) = store(&postgres).await;
    conformance::laws(&store, |by| clock.advance(by)).await;
    let boxed = BoxStore::new(Arc::new(store));
    conformance::laws(&boxed, |by| clock.advance(by)).await;
}

#[tokio::test]
async fn random_operations_agree_with_the_model() {
    let Some(postgres) = Server::start() else {
        return;
    };
    let (store, clock) = store(&postgres).await;
    for seed in 0..20 {
        conformance::random_operations(&store, seed, 200, |by| clock.advance(by)).await;
    }
}
