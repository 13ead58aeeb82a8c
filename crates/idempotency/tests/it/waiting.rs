//! Duplicates in flight, leases, and renewal, on a paused clock.

use std::time::Duration;

use seawall_idempotency::{
    Begun, Fingerprint, Finished, Idempotency, InFlight, MemoryStore, Outcome, Policy, Refused,
    Run, Store,
};
use tokio::time::{Instant, sleep};

use crate::support::{Faulty, Log, Never, Work, front, key};

const SECOND: Duration = Duration::from_secs(1);

fn waiting(policy: Policy) -> Policy {
    policy.in_flight(InFlight::Wait { most: SECOND * 20 })
}

fn now() -> Instant {
    #[expect(
        clippy::disallowed_methods,
        reason = "the test's own clock, which is paused"
    )]
    Instant::now()
}

async fn slow<S: Store>(front: &Idempotency<S>, work: &Work, takes: Duration) -> Run {
    front
        .run(&key("k"), b"", |_| async {
            sleep(takes).await;
            Ok::<_, Never>(work.outcome())
        })
        .await
        .unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_duplicate_in_flight_is_told_when_the_lease_ends() {
    let (front, work) = (front(Policy::at_most_once()), Work::default());
    let duplicate = async {
        sleep(SECOND * 3).await;
        slow(&front, &work, SECOND).await
    };
    let (first, second) = tokio::join!(slow(&front, &work, SECOND * 5), duplicate);
    assert!(matches!(first, Run::Executed(_)));
    let left = Refused::InProgress {
        retry_after: SECOND * 27,
    };
    assert_eq!(second, Run::Refused(left));
}

#[tokio::test(start_paused = true)]
async fn duplicates_wait_and_all_get_the_same() {
    let (front, work) = (front(waiting(Policy::at_most_once())), Work::default());
    let start = now();
    let runs = (0..64).map(|_| slow(&front, &work, SECOND * 5));
    let runs: Vec<_> = runs.collect();
    let mut outcomes = Vec::new();
    for run in futures_all(runs).await {
        outcomes.push(run.outcome().cloned());
    }
    assert!(
        outcomes
            .iter()
            .all(|outcome| *outcome == outcomes[0] && outcome.is_some())
    );
    assert_eq!(work.done(), 1);
    assert_eq!(now() - start, SECOND * 5, "they are woken and do not poll");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_cannot_wake_is_asked_again() {
    let front = Idempotency::new(Faulty::new(), waiting(Policy::at_most_once())).unwrap();
    let work = Work::default();
    let (first, second) = tokio::join!(
        slow(&front, &work, SECOND * 5),
        slow(&front, &work, SECOND * 5)
    );
    assert_eq!(first.outcome(), second.outcome());
    assert_eq!(work.done(), 1);
}

#[tokio::test(start_paused = true)]
async fn patience_ends() {
    let (front, work) = (front(waiting(Policy::at_most_once())), Work::default());
    let start = now();
    let duplicate = async {
        let run = slow(&front, &work, SECOND).await;
        (run, now() - start)
    };
    let (_, (second, after)) = tokio::join!(slow(&front, &work, SECOND * 100), duplicate);
    assert!(
        matches!(second, Run::Refused(Refused::InProgress { .. })),
        "{second:?}"
    );
    assert_eq!(after, SECOND * 20);
}

#[tokio::test(start_paused = true)]
async fn waiters_are_capped() {
    let front = Idempotency::builder(MemoryStore::new(), waiting(Policy::at_most_once()))
        .waiters(2)
        .build()
        .unwrap();
    let work = Work::default();
    let runs = (0..6).map(|_| slow(&front, &work, SECOND)).collect();
    let runs = futures_all(runs).await;
    let refused = runs.iter().filter(|run| run.outcome().is_none()).count();
    assert_eq!(refused, 3, "one works, two wait: {runs:?}");
}

#[tokio::test(start_paused = true)]
async fn one_key_does_not_take_all_places() {
    let front = Idempotency::builder(MemoryStore::new(), waiting(Policy::at_most_once()))
        .waiters(8)
        .waiters_per_key(2)
        .build()
        .unwrap();
    let run = async |name: &'static str| {
        let key = key(name);
        let run = front.run(&key, b"", |_| async {
            sleep(SECOND).await;
            Ok::<_, Never>(Outcome::new(name))
        });
        run.await.unwrap()
    };
    let hot = futures_all((0..20).map(|_| run("hot")).collect());
    let other = futures_all((0..3).map(|_| run("other")).collect());
    let (hot, other) = tokio::join!(hot, other);
    let answered = |runs: &[Run]| runs.iter().filter(|run| run.outcome().is_some()).count();
    assert_eq!(answered(&hot), 3, "one works, two wait");
    assert_eq!(answered(&other), 3, "there is a place for each");
}

#[tokio::test(start_paused = true)]
async fn a_waiter_takes_over_what_its_owner_drops() {
    let (front, work) = (front(waiting(Policy::at_least_once())), Work::default());
    let start = now();
    let first = tokio::time::timeout(SECOND * 2, slow(&front, &work, SECOND * 100));
    let second = slow(&front, &work, SECOND);
    let (first, second) = tokio::join!(first, second);
    assert!(first.is_err() && matches!(second, Run::Executed(_)));
    assert_eq!(now() - start, SECOND * 3, "without waiting for the lease");
}

#[tokio::test(start_paused = true)]
async fn a_lease_is_renewed_while_work_goes_on_and_not_forever() {
    let policy = Policy::at_least_once()
        .lease(SECOND * 10)
        .longest(SECOND * 60);
    let (front, work) = (front(policy), Work::default());
    let long = slow(&front, &work, SECOND * 1000);
    let rivals = async {
        sleep(SECOND * 55).await;
        let early = slow(&front, &work, SECOND).await;
        sleep(SECOND * 10).await;
        (early, slow(&front, &work, SECOND).await)
    };
    let (long, (early, late)) = tokio::join!(long, rivals);
    assert!(
        matches!(early, Run::Refused(Refused::InProgress { .. })),
        "{early:?}"
    );
    assert!(matches!(late, Run::Executed(_)), "{late:?}");
    assert_eq!(
        long,
        Run::Replayed(late.outcome().unwrap().clone()),
        "the stale owner"
    );
}

#[tokio::test(start_paused = true)]
async fn work_that_takes_too_long_is_told_when_its_lease_ends() {
    let log = Log::default();
    let policy = Policy::at_least_once()
        .lease(SECOND * 9)
        .longest(SECOND * 61);
    let front = Idempotency::builder(MemoryStore::new(), policy)
        .observer(log.clone())
        .build()
        .unwrap();
    let start = now();
    let ran = front
        .run(&key("k"), b"", |claim| async move {
            assert!(!claim.is_lost());
            claim.lost().await;
            assert!(claim.is_lost());
            Ok::<_, Never>(Outcome::new("late"))
        })
        .await;
    assert_eq!(now() - start, SECOND * 61);
    let late = Run::Executed(Outcome::new("late"));
    assert_eq!(ran.unwrap(), late, "nobody has taken over");
    assert_eq!(log.words(), ["begun", "overdue", "finished"]);
    let again = slow(&front, &Work::default(), SECOND).await;
    assert_eq!(again, Run::Replayed(Outcome::new("late")));
}

#[tokio::test(start_paused = true)]
async fn a_claim_learns_that_it_was_lost() {
    let policy = Policy::at_least_once().lease(SECOND * 10);
    let front = front(policy);
    let key = key("k");
    let begin = || front.begin(&key, Fingerprint::of(b""));
    let (Begun::Claimed(mut first), rival) = (begin().await.unwrap(), begin) else {
        panic!("the first has it")
    };
    let claim = first.claim().clone();
    let rival = async {
        // As if the first had been stopped for longer than its lease.
        let token =
            seawall_idempotency::Token::new(claim.record_id(), claim.fence(), nonce_of(&claim));
        let _ = front.store().renew(token, Duration::ZERO).await;
        rival().await.unwrap()
    };
    let work = async {
        claim.lost().await;
        claim.is_lost()
    };
    let (lost, second) = tokio::join!(first.execute(work), rival);
    assert!(lost.unwrap());
    assert!(matches!(second, Begun::Claimed(_)));
    let finished = first.finish(&Outcome::new("late")).await;
    let Finished::Refused(Refused::InProgress { .. }) = finished else {
        panic!("the rival is at it, got {finished:?}")
    };
}

fn nonce_of(claim: &seawall_idempotency::Claim) -> seawall_idempotency::Nonce {
    claim.completion(&Outcome::new("")).unwrap().token().nonce
}

async fn futures_all<F: Future>(futures: Vec<F>) -> Vec<F::Output> {
    let mut futures: Vec<_> = futures.into_iter().map(Box::pin).collect();
    let mut done: Vec<Option<F::Output>> = futures.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        let mut all = true;
        for (future, done) in futures.iter_mut().zip(&mut done) {
            if done.is_none() {
                match future.as_mut().poll(context) {
                    std::task::Poll::Ready(output) => *done = Some(output),
                    std::task::Poll::Pending => all = false,
                }
            }
        }
        if all {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    done.into_iter().flatten().collect()
}
