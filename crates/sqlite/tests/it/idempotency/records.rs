//! The laws of a store of records, over a file, and its own promises.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use rusqlite::Connection;
use seawall_idempotency::{
    Completion, Fingerprint, Idempotency, IdempotencyKey, Nonce, Outcome, Policy, RecordId,
    Reserve, Reserved, Run, Settled, Store, StoreFailure, Token, conformance,
};
use seawall_sqlite::{SqliteStore, SqliteStoreBuilder};

use crate::support::File;

const START: Duration = Duration::from_secs(1_800_000_000);

/// A clock that is moved by hand.
#[derive(Clone)]
struct Hand(Arc<Mutex<Duration>>);

impl Hand {
    fn new() -> Self {
        Self(Arc::new(Mutex::new(START)))
    }

    fn open(&self, builder: SqliteStoreBuilder) -> SqliteStore {
        let time = Arc::clone(&self.0);
        builder.clock(move || *time.lock().unwrap()).open().unwrap()
    }

    fn advance(&self, by: Duration) {
        *self.0.lock().unwrap() += by;
    }

    fn set(&self, to: Duration) {
        *self.0.lock().unwrap() = to;
    }
}

fn ask(id: u8, nonce: u64) -> Reserve {
    let (id, print) = (RecordId::from_bytes([id; 32]), Fingerprint::of(b""));
    Reserve::new(id, print, Nonce::from_u64(nonce))
}

async fn token(store: &SqliteStore, ask: Reserve) -> Token {
    match store.reserve(ask).await.unwrap() {
        Reserved::Acquired { fence, .. } => Token::new(ask.id, fence, ask.nonce),
        other => panic!("{other:?}"),
    }
}

async fn complete(store: &SqliteStore, token: Token, len: usize) -> Settled {
    let completion = Completion::new(token, vec![7; len].into());
    store.complete(&completion).await.unwrap()
}

#[tokio::test]
async fn keeps_the_laws() {
    let (file, clock) = (File::new(), Hand::new());
    let store = clock.open(SqliteStore::builder(file.path()));
    conformance::laws(&store, |by| clock.advance(by)).await;
}

#[tokio::test]
async fn agrees_with_the_model() {
    let (file, clock) = (File::new(), Hand::new());
    let store = clock.open(SqliteStore::builder(file.path()));
    for seed in 0..4 {
        conformance::random_operations(&store, seed, 200, |by| clock.advance(by)).await;
    }
}

#[tokio::test]
async fn nothing_is_evicted() {
    let (file, clock) = (File::new(), Hand::new());
    let store = clock.open(SqliteStore::builder(file.path()).records(20));
    conformance::never_evicts(&store, 20, |by| clock.advance(by)).await;
}

#[tokio::test]
async fn payloads_are_bounded_and_deleting_by_hand_makes_room() {
    let file = File::new();
    let store = SqliteStore::builder(file.path())
        .record_bytes(1_000)
        .open()
        .unwrap();
    let (one, two) = (
        token(&store, ask(1, 1)).await,
        token(&store, ask(2, 1)).await,
    );
    assert_eq!(complete(&store, one, 900).await, Settled::Done);
    assert_eq!(complete(&store, two, 200).await, Settled::TooLarge);
    assert_eq!(
        complete(&store, two, 128).await,
        Settled::Done,
        "it always fits"
    );
    assert_eq!(store.reserve(ask(3, 1)).await.unwrap(), Reserved::Full);
    let other = Connection::open(file.path()).unwrap();
    other.execute("DELETE FROM seawall_record", []).unwrap();
    let three = token(&store, ask(3, 1)).await;
    assert_eq!(complete(&store, three, 1_000).await, Settled::Done);
}

#[tokio::test]
async fn a_clock_that_goes_back_leaves_nothing_stuck_and_fences_increase() {
    let (file, clock) = (File::new(), Hand::new());
    let store = clock.open(SqliteStore::builder(file.path()));
    let hour = Duration::from_secs(3600);
    let (left, done) = (
        token(&store, ask(1, 1)).await,
        token(&store, ask(2, 1)).await,
    );
    assert_eq!(complete(&store, done, 1).await, Settled::Done);
    clock.set(START - hour);
    let answer = store.reserve(ask(1, 2)).await.unwrap();
    let lease = Duration::from_secs(30);
    assert_eq!(
        answer,
        Reserved::InProgress { lease_left: lease },
        "a lease, and not an hour"
    );
    clock.set(START - hour + lease);
    assert_eq!(
        store.reserve(ask(1, 2)).await.unwrap(),
        Reserved::Unknown { attempt: 1 }
    );
    let answer = store.reserve(ask(2, 2)).await.unwrap();
    assert!(
        matches!(answer, Reserved::Completed(_)),
        "and nothing is forgotten: {answer:?}"
    );
    assert!(token(&store, ask(3, 1)).await.fence > left.fence.max(done.fence));
}

#[tokio::test]
async fn a_clock_that_jumps_ahead_lets_nobody_complete_twice() {
    let (file, clock) = (File::new(), Hand::new());
    let store = clock.open(SqliteStore::builder(file.path()));
    let first = token(&store, ask(1, 1)).await;
    clock.advance(Duration::from_secs(3600));
    let taking = ask(1, 2).on_lapse(seawall_idempotency::OnLapse::TakeOver);
    let second = token(&store, taking).await;
    let lost = Settled::Lost(seawall_idempotency::Lost::TakenOver);
    assert_eq!(complete(&store, first, 1).await, lost);
    assert_eq!(complete(&store, second, 1).await, Settled::Done);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_tasks_over_two_connections_run_once_each() {
    let file = File::new();
    let policy = Policy::at_most_once().in_flight(seawall_idempotency::InFlight::Wait {
        most: Duration::from_secs(30),
    });
    let fronts =
        [file.open(), file.open()].map(|store| Idempotency::new(store, policy.clone()).unwrap());
    let tasks: Vec<_> = (0..10 * 16)
        .map(|nth: usize| {
            let front = fronts[nth % 2].clone();
            tokio::spawn(async move {
                let key = IdempotencyKey::new(format!("k{}", nth / 16)).unwrap();
                let run = front.run(&key, b"", |_| async {
                    Ok::<_, std::io::Error>(Outcome::new(nth.to_string()))
                });
                match run.await.unwrap() {
                    Run::Executed(_) => 1,
                    Run::Replayed(_) => 0,
                    other => panic!("{other:?}"),
                }
            })
        })
        .collect();
    let mut executed = 0;
    for task in tasks {
        executed += task.await.unwrap();
    }
    assert_eq!(executed, 10);
}

#[tokio::test]
async fn tables_of_another_version_are_refused() {
    let file = File::new();
    drop(file.open());
    let connection = Connection::open(file.path()).unwrap();
    let newer = "UPDATE seawall_record_fact SET value = 2 WHERE name = 'version'";
    connection.execute(newer, []).unwrap();
    let error = SqliteStore::open(file.path()).unwrap_err();
    assert!(
        error.to_string().contains("records are of version 2"),
        "{error}"
    );
}

#[tokio::test]
async fn a_locked_file_is_unavailable_and_a_broken_one_refuses() {
    let file = File::new();
    let builder = SqliteStore::builder(file.path()).busy_timeout(Duration::from_millis(20));
    let store = builder.open().unwrap();
    let other = Connection::open(file.path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = store.reserve(ask(1, 1)).await.unwrap_err();
    assert!(StoreFailure::from(error).is_unavailable());
    other
        .execute_batch("ROLLBACK; DROP TABLE seawall_record")
        .unwrap();
    let error = store.reserve(ask(1, 1)).await.unwrap_err();
    assert!(!StoreFailure::from(error).is_unavailable());
}

#[test]
fn bounds_of_nothing_are_refused() {
    for builder in [
        SqliteStore::builder(File::new().path()).records(0),
        SqliteStore::builder(File::new().path()).record_bytes(0),
    ] {
        assert!(builder.open().unwrap_err().to_string().contains("record"));
    }
}
