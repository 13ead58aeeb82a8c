//! Work that runs once, and duplicates of it.

use std::time::Duration;

use seawall_idempotency::{
    Idempotency, Keep, MemoryStore, Operation, Outcome, Policy, Refused, Run, RunError,
};

use crate::support::{Failed, Log, Never, Work, by_hand, front, key};

async fn run(
    front: &Idempotency<MemoryStore>,
    work: &Work,
    payload: &[u8],
) -> Result<Run, RunError<Never>> {
    front
        .run(&key("k"), payload, |_| async { Ok(work.outcome()) })
        .await
}

#[tokio::test]
async fn a_duplicate_is_answered_and_does_not_run() {
    let (front, work) = (front(Policy::at_most_once()), Work::default());
    let first = run(&front, &work, b"a").await.unwrap();
    assert!(matches!(first, Run::Executed(_)));
    for _ in 0..3 {
        let again = run(&front, &work, b"a").await.unwrap();
        assert_eq!(again, Run::Replayed(first.outcome().unwrap().clone()));
    }
    assert_eq!(work.done(), 1);
}

#[tokio::test]
async fn another_payload_is_refused_and_the_first_still_answers() {
    let (front, work) = (front(Policy::at_most_once()), Work::default());
    let _ = run(&front, &work, b"a").await.unwrap();
    let other = run(&front, &work, b"b").await.unwrap();
    assert_eq!(other, Run::Refused(Refused::Mismatch));
    assert!(matches!(
        run(&front, &work, b"a").await.unwrap(),
        Run::Replayed(_)
    ));
    assert_eq!(work.done(), 1);
}

#[tokio::test]
async fn other_operations_are_independent() {
    let (front, work, key) = (front(Policy::at_most_once()), Work::default(), key("k"));
    let base = Operation::new(&key)
        .method("POST")
        .route("/a")
        .principal("p")
        .tenant("t");
    let others = [
        base,
        base.method("PUT"),
        base.route("/b"),
        base.principal("q"),
        base.tenant("u"),
    ];
    for operation in others {
        let ran = front
            .run(operation, b"", |_| async { Ok::<_, Never>(work.outcome()) })
            .await;
        assert!(matches!(ran.unwrap(), Run::Executed(_)));
    }
    assert_eq!(work.done(), 5);
}

#[tokio::test]
async fn a_record_expires_with_its_retention() {
    let (front, clock) = by_hand(Policy::at_most_once().retention(Duration::from_secs(3600)));
    let work = Work::default();
    let _ = run(&front, &work, b"a").await.unwrap();
    clock.advance(Duration::from_secs(3599));
    assert!(matches!(
        run(&front, &work, b"a").await.unwrap(),
        Run::Replayed(_)
    ));
    clock.advance(Duration::from_secs(1));
    assert!(matches!(
        run(&front, &work, b"b").await.unwrap(),
        Run::Executed(_)
    ));
    assert_eq!(work.done(), 2);
}

#[tokio::test]
async fn after_a_failure_the_policy_decides() {
    let fail = async |front: &Idempotency<MemoryStore>, work: &Work| {
        front
            .run(&key("k"), b"a", |_| async {
                let _ = work.outcome();
                Err(Failed)
            })
            .await
    };
    let (once, work) = (front(Policy::at_most_once()), Work::default());
    assert!(matches!(
        fail(&once, &work).await,
        Err(RunError::Work(Failed))
    ));
    let unknown = Run::Refused(Refused::OutcomeUnknown { attempt: 1 });
    assert_eq!(run(&once, &work, b"a").await.unwrap(), unknown);
    assert_eq!(work.done(), 1, "at most once");

    let (least, work) = (front(Policy::at_least_once()), Work::default());
    assert!(fail(&least, &work).await.is_err());
    assert!(fail(&least, &work).await.is_err());
    let mismatch = run(&least, &work, b"b").await.unwrap();
    assert_eq!(
        mismatch,
        Run::Refused(Refused::Mismatch),
        "the key is still of that request"
    );
    assert!(matches!(
        run(&least, &work, b"a").await.unwrap(),
        Run::Executed(_)
    ));
    assert!(matches!(
        run(&least, &work, b"a").await.unwrap(),
        Run::Replayed(_)
    ));
    assert_eq!(work.done(), 3, "at least once");
}

#[tokio::test]
async fn statuses_are_kept_by_the_policy() {
    let answer = async |policy: Policy, status: u16| {
        let (front, work) = (front(policy), Work::default());
        for _ in 0..2 {
            let ran = front
                .run(&key("k"), b"", |_| async {
                    Ok::<_, Never>(work.outcome().status(status))
                })
                .await;
            assert!(ran.is_ok());
        }
        work.done()
    };
    assert_eq!(answer(Policy::at_least_once(), 404).await, 1);
    assert_eq!(answer(Policy::at_most_once(), 429).await, 2);
    assert_eq!(answer(Policy::at_most_once(), 500).await, 1, "refused");
    assert_eq!(answer(Policy::at_least_once(), 500).await, 2);
    assert_eq!(
        answer(Policy::replaying_failures(), 500).await,
        1,
        "replayed"
    );
    let released = Policy::at_most_once().keep_status(404, Keep::Release);
    assert_eq!(answer(released, 404).await, 2);
}

#[tokio::test]
async fn work_without_effect_leaves_nothing() {
    let (front, work) = (front(Policy::at_most_once()), Work::default());
    let failed = front
        .run(&key("k"), b"a", |claim| async move {
            claim.had_no_effect();
            Err::<Outcome, _>(Failed)
        })
        .await;
    assert!(failed.is_err());
    assert!(front.store().is_empty());
    assert!(matches!(
        run(&front, &work, b"b").await.unwrap(),
        Run::Executed(_)
    ));
}

#[tokio::test]
async fn a_panic_is_settled_and_goes_on() {
    for at_once in [true, false] {
        let front = front(Policy::at_most_once());
        let panicking = {
            let front = front.clone();
            tokio::spawn(async move {
                front
                    .run(&key("k"), b"a", |_| {
                        assert!(!at_once, "while the work is made");
                        async { panic!("while it is done") as Result<Outcome, Never> }
                    })
                    .await
            })
        };
        assert!(panicking.await.unwrap_err().is_panic());
        let unknown = Run::Refused(Refused::OutcomeUnknown { attempt: 1 });
        assert_eq!(run(&front, &Work::default(), b"a").await.unwrap(), unknown);
    }
}

#[tokio::test]
async fn an_outcome_that_is_too_large_is_answered_without_its_body_and_never_again_made() {
    let policy = Policy::at_least_once().largest(300);
    let (front, work) = (front(policy), Work::default());
    let run = async || {
        front
            .run(&key("k"), b"", |_| async {
                let outcome = Outcome::new(vec![b'x'; 1000]).status(201).header("a", "b");
                let _ = work.outcome();
                Ok::<_, Never>(outcome)
            })
            .await
            .unwrap()
    };
    assert_eq!(run().await.outcome().unwrap().bytes().len(), 1000);
    let again = run().await;
    let Run::Replayed(outcome) = again else {
        panic!("{again:?}")
    };
    assert!(outcome.is_omitted());
    assert_eq!((outcome.status_code(), outcome.headers().len()), (201, 1));
    assert_eq!(work.done(), 1);
}

#[tokio::test]
async fn headers_of_one_answer_are_not_stored() {
    let front = front(Policy::at_most_once());
    for _ in 0..2 {
        let ran = front
            .run(&key("k"), b"", |_| async {
                let outcome = Outcome::new("body")
                    .header("Location", "/1")
                    .header("Set-Cookie", "session=1")
                    .header("x-twice", "1")
                    .header("Connection", "x-hop")
                    .header("X-Hop", "1")
                    .header("x-twice", [0xff].to_vec());
                Ok::<_, Never>(outcome)
            })
            .await
            .unwrap();
        if let Run::Replayed(outcome) = ran {
            let headers = outcome.headers().iter();
            let headers: Vec<_> = headers.map(|(n, v)| (&n[..], &v[..])).collect();
            let kept: [(&[u8], &[u8]); 3] = [
                (b"Location", b"/1"),
                (b"x-twice", b"1"),
                (b"x-twice", &[0xff]),
            ];
            assert_eq!(headers, kept);
        }
    }
}

#[tokio::test]
async fn every_attempt_has_the_same_key_for_the_next_hop_and_a_higher_fence() {
    let front = front(Policy::at_least_once());
    let mut seen = Vec::new();
    for _ in 0..3 {
        let ran = front
            .run(&key("k"), b"", |claim| {
                seen.push((
                    claim.downstream_key("charge"),
                    claim.fence(),
                    claim.attempt(),
                ));
                assert_ne!(claim.downstream_key("charge"), claim.downstream_key("mail"));
                async { Err::<Outcome, _>(Failed) }
            })
            .await;
        assert!(ran.is_err());
    }
    assert!(
        seen.windows(2)
            .all(|two| two[0].0 == two[1].0 && two[0].1 < two[1].1)
    );
    assert_eq!(
        seen.iter()
            .map(|(_, _, attempt)| *attempt)
            .collect::<Vec<_>>(),
        [1, 2, 3]
    );
    let uuid = &seen[0].0;
    assert_eq!((uuid.len(), &uuid[14..15]), (36, "8"), "{uuid}");
}

#[tokio::test]
async fn what_happens_is_told() {
    let log = Log::default();
    let front = Idempotency::builder(MemoryStore::new(), Policy::at_most_once())
        .observer(log.clone())
        .build()
        .unwrap();
    let work = Work::default();
    let _ = run(&front, &work, b"a").await.unwrap();
    let _ = run(&front, &work, b"a").await.unwrap();
    let _ = run(&front, &work, b"b").await.unwrap();
    assert_eq!(log.words(), ["begun", "finished", "replayed", "refused"]);
}

#[tokio::test]
async fn a_route_has_a_policy_of_its_own_over_the_same_records() {
    let (front, work) = (front(Policy::at_most_once()), Work::default());
    let other = front.with_policy(Policy::at_least_once()).unwrap();
    let _ = run(&front, &work, b"a").await.unwrap();
    assert!(matches!(
        run(&other, &work, b"a").await.unwrap(),
        Run::Replayed(_)
    ));
    assert!(
        front
            .with_policy(Policy::at_least_once().lease(Duration::ZERO))
            .is_err()
    );
}
