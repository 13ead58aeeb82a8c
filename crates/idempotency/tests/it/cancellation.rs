//! Callers who leave.

use std::future::pending;
use std::time::Duration;

use seawall_idempotency::{
    Begun, Fingerprint, Idempotency, MemoryStore, Outcome, Policy, Refused, Run,
};

use crate::support::{Never, Work, front, key};

/// Drops work of 10,000 keys at every stage.
async fn drop_many(front: &Idempotency<MemoryStore>) {
    for nth in 0..10_000 {
        let key = key(&format!("k{nth}"));
        let work = front.run(&key, b"", |_| async {
            if nth % 2 == 0 {
                tokio::task::yield_now().await;
            } else {
                pending::<()>().await;
            }
            Ok::<_, Never>(Outcome::new("done"))
        });
        let mut work = Box::pin(work);
        // As many polls as it takes to get there: none, to the work, and beyond its yield.
        for _ in 0..nth % 3 {
            let mut context = std::task::Context::from_waker(std::task::Waker::noop());
            let _ = work.as_mut().poll(&mut context);
        }
    }
}

#[tokio::test]
async fn ten_thousand_dropped_futures_leave_nothing_stuck() {
    let front = front(Policy::at_least_once());
    drop_many(&front).await;
    let work = Work::default();
    for nth in 0..10_000 {
        let ran = front
            .run(&key(&format!("k{nth}")), b"", |_| async {
                Ok::<_, Never>(work.outcome())
            })
            .await
            .unwrap();
        assert!(ran.outcome().is_some(), "key {nth}: {ran:?}");
    }
    assert!(work.done() > 5_000);
}

#[tokio::test]
async fn dropped_work_is_unknown_at_once_where_it_may_run_at_most_once() {
    let front = front(Policy::at_most_once());
    drop_many(&front).await;
    let mut unknown = 0;
    for nth in 0..10_000 {
        let ran = front
            .run(&key(&format!("k{nth}")), b"", |_| async {
                Ok::<_, Never>(Outcome::new(""))
            })
            .await
            .unwrap();
        match ran {
            Run::Executed(_) => assert_eq!(nth % 3, 0, "key {nth} had begun"),
            Run::Replayed(_) => assert!(nth % 2 == 0 && nth % 3 == 2, "key {nth}"),
            Run::Refused(Refused::OutcomeUnknown { attempt: 1 }) => unknown += 1,
            other => panic!("key {nth} is stuck: {other:?}"),
        }
    }
    assert_eq!(unknown, 3333 + 1666);
}

#[tokio::test]
async fn a_claim_that_was_never_worked_on_leaves_no_record() {
    let front = front(Policy::at_most_once());
    let key = key("k");
    let begun = front.begin(&key, Fingerprint::of(b"")).await.unwrap();
    let Begun::Claimed(held) = begun else {
        panic!("{begun:?}")
    };
    drop(held);
    assert!(front.store().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_duplicate_that_leaves_gives_its_place_to_another() {
    let policy = Policy::at_most_once().in_flight(seawall_idempotency::InFlight::Wait {
        most: Duration::from_secs(60),
    });
    let front = Idempotency::builder(MemoryStore::new(), policy)
        .waiters(1)
        .build()
        .unwrap();
    let key = key("k");
    let held = front.begin(&key, Fingerprint::of(b"")).await.unwrap();
    let wait = || front.begin(&key, Fingerprint::of(b""));
    let left = tokio::time::timeout(Duration::from_secs(1), wait()).await;
    assert!(left.is_err(), "it waits");
    let second = tokio::time::timeout(Duration::from_secs(1), wait()).await;
    assert!(
        second.is_err(),
        "so does the next, for the place is free again"
    );
    drop(held);
}
