//! The laws of the store trait.

use std::sync::Arc;

use seawall_ratelimit::conformance::laws;
use seawall_ratelimit::{
    BoxStore, Charge, KeyBuf, ManualClock, Op, Quota, Store, StoreFailure, Verdict,
};

use crate::support::{Postgres, migrated, patient, unique};

#[tokio::test]
async fn every_law_is_kept() {
    let Some(postgres) = Postgres::find() else {
        return;
    };
    let clock = Arc::new(ManualClock::new());
    let store = patient(postgres.url())
        .conformance_clock(Arc::clone(&clock))
        .connect()
        .await
        .unwrap();
    store.migrate().await.unwrap();
    laws(&store, &clock, &unique()).await;
    laws(&BoxStore::new(store), &clock, &unique()).await;
}

#[tokio::test]
async fn too_many_charges_are_refused_before_anything_is_sent() {
    let Some(postgres) = Postgres::find() else {
        return;
    };
    let store = migrated(postgres.url()).await;
    let scope = KeyBuf::new().push(unique()).push("p");
    let charge = Charge::new(
        scope.as_ref(),
        b"a",
        Quota::per_hour(10_000),
        1.try_into().unwrap(),
    );
    let mut out = vec![Verdict::UNKNOWN; 1_000];
    store
        .decide(Op::Consume, &vec![charge; 1_000], &mut out)
        .await
        .unwrap();
    assert_eq!(out[999].remaining(), 9_000);
    out.push(Verdict::UNKNOWN);
    let error = store
        .decide(Op::Consume, &vec![charge; 1_001], &mut out)
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "expected at most 1000 charges in one decision, got 1001"
    );
    assert_eq!(StoreFailure::from(error), StoreFailure::Refused);
}
