//! The bounds of memory, its clock, and many threads.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use proptest::prelude::*;
use seawall_idempotency::{
    Completion, Fingerprint, Idempotency, ManualClock, MemoryStore, Nonce, Outcome, Policy,
    RecordId, Refused, Reserve, Reserved, Run, Settled, Store, Token,
};

use crate::support::{Never, Work, key};

fn ask(id: u8, nonce: u64) -> Reserve {
    let (id, print) = (RecordId::from_bytes([id; 32]), Fingerprint::of(b""));
    Reserve::new(id, print, Nonce::from_u64(nonce))
}

fn reserve(store: &MemoryStore, ask: Reserve) -> Reserved {
    let Some(Ok(answer)) = store.reserve_now(ask) else {
        panic!("memory answers at once")
    };
    answer
}

fn token(store: &MemoryStore, ask: Reserve) -> Token {
    match reserve(store, ask) {
        Reserved::Acquired { fence, .. } => Token::new(ask.id, fence, ask.nonce),
        other => panic!("{other:?}"),
    }
}

fn complete(store: &MemoryStore, token: Token, len: usize) -> Settled {
    let completion = Completion::new(token, vec![0; len].into());
    let Some(Ok(settled)) = store.complete_now(&completion) else {
        panic!("memory answers at once")
    };
    settled
}

#[test]
fn bytes_are_bounded_and_what_is_set_aside_always_fits() {
    let store = MemoryStore::builder()
        .bytes(10_000)
        .set_aside(1_000)
        .build()
        .unwrap();
    let tokens: Vec<_> = (0..10).map(|id| token(&store, ask(id, 1))).collect();
    assert_eq!(reserve(&store, ask(10, 1)), Reserved::Full);
    assert_eq!(complete(&store, tokens[0], 1_001), Settled::TooLarge);
    assert_eq!(complete(&store, tokens[0], 128), Settled::Done);
    assert_eq!(complete(&store, tokens[1], 1_872), Settled::Done);
    assert_eq!(store.bytes(), 10_000);
    for token in &tokens[2..] {
        assert_eq!(complete(&store, *token, 1_000), Settled::Done);
    }
    assert_eq!((store.bytes(), store.len()), (10_000, 10));
}

#[test]
fn what_cannot_hold_anything_is_refused_by_name() {
    let name =
        |builder: seawall_idempotency::MemoryStoreBuilder| builder.build().unwrap_err().setting();
    assert_eq!(name(MemoryStore::builder().entries(0)), "entries");
    assert_eq!(name(MemoryStore::builder().set_aside(127)), "set_aside");
    assert_eq!(name(MemoryStore::builder().bytes(1_000)), "bytes");
}

#[tokio::test]
async fn an_outcome_without_room_is_stored_bare_and_not_made_again() {
    let store = MemoryStore::builder().bytes(2_000).build().unwrap();
    let front = Idempotency::new(store, Policy::at_least_once()).unwrap();
    let work = Work::default();
    let run = async || {
        front
            .run(&key("k"), b"", |_| async {
                let _ = work.outcome();
                Ok::<_, Never>(Outcome::new(vec![0; 1_990]).status(201).header("a", "b"))
            })
            .await
            .unwrap()
    };
    // The encoding is larger than what the store takes; a second key leaves less room yet.
    assert!(matches!(run().await, Run::Executed(_)));
    let Run::Replayed(outcome) = run().await else {
        panic!("replayed")
    };
    assert!(outcome.is_omitted() && outcome.status_code() == 201);
    assert_eq!(work.done(), 1);
}

#[tokio::test]
async fn a_full_store_refuses_new_keys_and_replays_old_ones() {
    let store = MemoryStore::builder().entries(100).build().unwrap();
    let front = Idempotency::new(store, Policy::at_most_once()).unwrap();
    let run = async |nth: usize| {
        front
            .run(&key(&format!("k{nth}")), b"", |_| async {
                Ok::<_, Never>(Outcome::new(""))
            })
            .await
            .unwrap()
    };
    for nth in 0..100 {
        assert!(matches!(run(nth).await, Run::Executed(_)));
    }
    for nth in 0..300 {
        let expected = run(nth).await;
        if nth < 100 {
            assert!(matches!(expected, Run::Replayed(_)));
        } else {
            assert_eq!(expected, Run::Refused(Refused::Full));
        }
    }
}

#[test]
fn a_clock_that_runs_backwards_frees_nothing_early_and_panics_nowhere() {
    let clock = Arc::new(ManualClock::new());
    let store = MemoryStore::builder()
        .clock(Arc::clone(&clock))
        .build()
        .unwrap();
    clock.set(Duration::from_secs(1_000_000));
    let (open, done) = (token(&store, ask(1, 1)), token(&store, ask(2, 1)));
    assert_eq!(complete(&store, done, 1), Settled::Done);
    clock.set(Duration::ZERO);
    assert!(matches!(
        reserve(&store, ask(1, 2)),
        Reserved::InProgress { .. }
    ));
    assert!(matches!(reserve(&store, ask(2, 2)), Reserved::Completed(_)));
    let Some(Ok(settled)) = store.renew_now(open, Duration::from_secs(5)) else {
        panic!("memory answers at once")
    };
    assert_eq!(settled, Settled::Done);
    clock.set(Duration::from_secs(5));
    assert_eq!(reserve(&store, ask(1, 2)), Reserved::Unknown { attempt: 1 });
    clock.set(Duration::MAX);
    assert!(matches!(
        reserve(&store, ask(1, 2)),
        Reserved::Acquired { .. }
    ));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_duplicates_on_many_keys_run_once_each() {
    let front = Idempotency::builder(
        MemoryStore::new(),
        Policy::at_most_once().in_flight(seawall_idempotency::InFlight::Wait {
            most: Duration::from_secs(60),
        }),
    )
    .waiters(100_000)
    .build()
    .unwrap();
    let works: Arc<Vec<AtomicUsize>> = Arc::new((0..50).map(|_| AtomicUsize::new(0)).collect());
    let tasks: Vec<_> = (0..50 * 64)
        .map(|nth: usize| {
            let (front, works) = (front.clone(), Arc::clone(&works));
            tokio::spawn(async move {
                let which = nth % 50;
                let key = key(&format!("k{which}"));
                let run = front.run(&key, b"", |_| async {
                    let ran = works[which].fetch_add(1, SeqCst);
                    tokio::task::yield_now().await;
                    Ok::<_, Never>(Outcome::new(format!("{which}: {ran}")))
                });
                let run = run.await.unwrap();
                assert_eq!(
                    run.outcome().unwrap().bytes(),
                    format!("{which}: 0").as_bytes()
                );
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert!(works.iter().all(|work| work.load(SeqCst) == 1));
}

/// What is done with one of four records.
#[derive(Clone, Debug)]
enum Step {
    Reserve(u8, u64),
    Complete(u8, usize),
    Release(u8),
    Sweep(usize),
    Pass(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0_u8..8, 0_u64..3).prop_map(|(id, nonce)| Step::Reserve(id, nonce)),
        2 => (0_u8..8, 0_usize..600).prop_map(|(id, len)| Step::Complete(id, len)),
        1 => (0_u8..8).prop_map(Step::Release),
        1 => (0_usize..4).prop_map(Step::Sweep),
        1 => (0_u64..60).prop_map(Step::Pass),
    ];
    prop::collection::vec(step, 1..120)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Whatever is done: the bounds hold, what was answered as done is answered again, and once all
    /// has expired nothing is left of it.
    #[test]
    fn room_is_neither_lost_nor_overdrawn(steps in steps()) {
        let clock = Arc::new(ManualClock::new());
        let store = MemoryStore::builder()
            .clock(Arc::clone(&clock))
            .entries(5)
            .bytes(1_500)
            .set_aside(200)
            .build()
            .unwrap();
        let mut owners: Vec<Option<(Token, Duration)>> = vec![None; 8];
        let mut stored: Vec<Option<(usize, Duration)>> = vec![None; 8];
        let mut now = Duration::ZERO;
        let retention = Duration::from_secs(100);
        for step in steps {
            match step {
                Step::Reserve(id, nonce) => {
                    let (at, ask) = (usize::from(id), ask(id, nonce).retention(retention));
                    let kept = stored[at].filter(|(_, expires)| now < *expires);
                    match reserve(&store, ask) {
                        Reserved::Acquired { fence, .. } => {
                            prop_assert!(kept.is_none(), "{} was stored", id);
                            // The same token again, if it was only asked for again.
                            let token = Token::new(ask.id, fence, ask.nonce);
                            if owners[at].is_none_or(|(known, _)| known != token) {
                                owners[at] = Some((token, now + retention));
                            }
                        }
                        Reserved::Completed(payload) => {
                            prop_assert_eq!(Some(payload.len()), kept.map(|(len, _)| len));
                        }
                        _ => prop_assert!(kept.is_none(), "{} was stored", id),
                    }
                }
                Step::Complete(id, len) => {
                    let at = usize::from(id);
                    if let Some((token, expires)) = owners[at]
                        && complete(&store, token, len) == Settled::Done
                    {
                        stored[at] = Some((len, expires));
                    }
                }
                Step::Release(id) => {
                    if let Some((token, _)) = owners[usize::from(id)] {
                        let _ = store.release_now(token);
                    }
                }
                Step::Sweep(most) => {
                    prop_assert!(sweep(&store, most) <= most);
                }
                Step::Pass(secs) => {
                    now += Duration::from_secs(secs);
                    clock.set(now);
                }
            }
            prop_assert!(store.len() <= 5 && store.bytes() <= 1_500);
        }
        clock.set(now + retention);
        sweep(&store, 100);
        prop_assert_eq!((store.len(), store.bytes()), (0, 0));
    }
}

fn sweep(store: &MemoryStore, most: usize) -> usize {
    let mut swept = Box::pin(store.sweep(most));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match swept.as_mut().poll(&mut context) {
        std::task::Poll::Ready(Ok(swept)) => swept,
        std::task::Poll::Pending => panic!("memory answers at once"),
    }
}
