//! Stores that fail, and replies that are lost.

use seawall_idempotency::{Idempotency, OnOutage, Outcome, Policy, Run, RunError};

use crate::support::{Fault, Faulty, Never, Work, key};

async fn run(front: &Idempotency<Faulty>, work: &Work) -> Result<Run, RunError<Never>> {
    front
        .run(&key("k"), b"", |_| async { Ok(work.outcome()) })
        .await
}

#[tokio::test]
async fn a_store_that_is_down_closes_the_door_unless_told_otherwise() {
    let (store, work) = (Faulty::new(), Work::default());
    let closed = Idempotency::new(store.clone(), Policy::at_most_once()).unwrap();
    store.fail(Fault::Down, 100);
    let Err(RunError::Store(failure)) = run(&closed, &work).await else {
        panic!("closed")
    };
    assert!(failure.is_unavailable());
    assert_eq!(work.done(), 0);

    let open = closed
        .with_policy(Policy::at_most_once().on_outage(OnOutage::Open))
        .unwrap();
    let ran = open
        .run(&key("k"), b"", |claim| async move {
            assert!(!claim.is_protected());
            Ok::<_, Never>(Outcome::new("open"))
        })
        .await;
    assert!(matches!(ran.unwrap(), Run::Executed(_)));
    assert!(store.store.is_empty());
}

#[tokio::test]
async fn a_store_that_says_no_is_never_open() {
    let (store, work) = (Faulty::new(), Work::default());
    let policy = Policy::at_most_once().on_outage(OnOutage::Open);
    let front = Idempotency::new(store.clone(), policy).unwrap();
    store.fail(Fault::No, 1);
    let Err(RunError::Store(failure)) = run(&front, &work).await else {
        panic!("closed")
    };
    assert!(!failure.is_unavailable());
    assert_eq!(work.done(), 0);
}

#[tokio::test]
async fn a_lost_reply_to_a_reserve_is_harmless() {
    let (store, work) = (Faulty::new(), Work::default());
    let front = Idempotency::new(store.clone(), Policy::at_most_once()).unwrap();
    store.fail(Fault::ReplyLost, 1);
    assert!(matches!(
        run(&front, &work).await.unwrap(),
        Run::Executed(_)
    ));
    assert!(matches!(
        run(&front, &work).await.unwrap(),
        Run::Replayed(_)
    ));
    assert_eq!(work.done(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_lost_reply_to_a_complete_is_harmless() {
    for lost in 1..=2 {
        for fault in [Fault::ReplyLost, Fault::Down] {
            let (store, work) = (Faulty::new(), Work::default());
            let front = Idempotency::new(store.clone(), Policy::at_most_once()).unwrap();
            let first = front
                .run(&key("k"), b"", |_| async {
                    store.fail(fault, lost);
                    Ok::<_, Never>(work.outcome())
                })
                .await
                .unwrap();
            let again = run(&front, &work).await.unwrap();
            assert_eq!(again, Run::Replayed(first.outcome().unwrap().clone()));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_outcome_that_cannot_be_stored_is_still_answered_and_never_made_again() {
    let (store, work) = (Faulty::new(), Work::default());
    let front = Idempotency::new(store.clone(), Policy::at_most_once()).unwrap();
    let first = front
        .run(&key("k"), b"", |_| async {
            store.fail(Fault::Down, 3);
            Ok::<_, Never>(work.outcome())
        })
        .await;
    assert!(matches!(first.unwrap(), Run::Executed(_)));
    let again = run(&front, &work).await.unwrap();
    assert!(matches!(again, Run::Refused(_)), "{again:?}");
    assert_eq!(work.done(), 1);
}
