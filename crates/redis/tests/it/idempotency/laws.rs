//! The laws of the store trait, and the model, over one server and over a Cluster.

use std::sync::Arc;
use std::time::Duration;

use seawall_idempotency::{BoxStore, Store, conformance};
use seawall_ratelimit::ManualClock;
use seawall_redis::{RedisStore, RedisStoreBuilder};

use crate::support::{Cluster, Redis, patient};

async fn on_a_clock(builder: RedisStoreBuilder) -> (RedisStore, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::new());
    let store = builder.conformance_clock(Arc::clone(&clock));
    (store.connect().await.unwrap(), clock)
}

async fn keeps_the_laws(store: &impl Store, clock: &ManualClock) {
    conformance::laws(store, |by| clock.advance(by)).await;
    for seed in 0..8 {
        conformance::random_operations(store, seed, 200, |by| clock.advance(by)).await;
        clock.advance(Duration::from_secs(1));
    }
}

#[tokio::test]
async fn one_server_keeps_every_law_and_agrees_with_the_model() {
    let Some(redis) = Redis::find() else { return };
    let (store, clock) = on_a_clock(patient(redis.url())).await;
    keeps_the_laws(&store, &clock).await;
    keeps_the_laws(&BoxStore::new(store), &clock).await;
}

#[tokio::test]
async fn a_cluster_keeps_every_law_and_agrees_with_the_model() {
    let Some(cluster) = Cluster::start().await else {
        return;
    };
    let (store, clock) = on_a_clock(cluster.store()).await;
    keeps_the_laws(&store, &clock).await;
}
