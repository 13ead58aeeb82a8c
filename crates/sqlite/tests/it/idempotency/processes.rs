//! Kills, and stops beyond the lease, of another process on the file.

use std::env;
use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;
use seawall_idempotency::{Idempotency, IdempotencyKey, InFlight, Outcome, Policy, Refused, Run};
use seawall_sqlite::SqliteStore;

use super::other::{Other, PATH, WHAT};
use super::transactions::{charge, ledger};
use crate::support::File;

/// Short, so that a stop beyond it does not take long.
const LEASE: Duration = Duration::from_millis(400);

fn start(path: &Path, what: &str) -> Other {
    Other::start("idempotency::processes::the_other_process", path, what)
}

fn key(name: &str) -> IdempotencyKey {
    IdempotencyKey::new(name).unwrap()
}

fn front(path: &Path, policy: Policy) -> Idempotency<SqliteStore> {
    let policy = policy.lease(LEASE).in_flight(InFlight::Wait {
        most: Duration::from_secs(30),
    });
    let store = SqliteStore::builder(path).busy_timeout(Duration::from_secs(5));
    let store = store
        .operation_timeout(Duration::from_secs(10))
        .open()
        .unwrap();
    Idempotency::new(store, policy).unwrap()
}

async fn pay(path: &Path, policy: Policy) -> Run {
    let mut connection = ledger(path);
    let outcome = Outcome::new("paid by the test").status(201);
    front(path, policy)
        .run(&key("k"), b"", |claim| {
            let charged = charge(&mut connection, &claim, "k", &outcome);
            async { charged.map(|()| outcome.clone()) }
        })
        .await
        .unwrap()
}

fn charges_of_each_key(path: &Path) -> Vec<u32> {
    let connection = Connection::open(path).unwrap();
    let counts = "SELECT count(*) FROM ledger GROUP BY key";
    let mut counts = connection.prepare(counts).unwrap();
    let counts = counts.query_map([], |row| row.get(0)).unwrap();
    counts.map(Result::unwrap).collect()
}

#[tokio::test]
async fn killed_before_its_commit_it_has_done_nothing_and_a_retry_does_it() {
    let file = File::new();
    let mut other = start(&file.path(), "before-commit");
    other.wait_for("charging");
    other.kill();
    let run = pay(&file.path(), Policy::at_least_once()).await;
    assert!(matches!(run, Run::Executed(_)), "{run:?}");
    assert_eq!(charges_of_each_key(&file.path()), [1]);
}

#[tokio::test]
async fn killed_after_its_commit_it_has_done_all_and_a_retry_replays_it() {
    for policy in [Policy::at_least_once(), Policy::at_most_once()] {
        let file = File::new();
        let mut other = start(&file.path(), "after-commit");
        other.wait_for("charged");
        other.kill();
        let run = pay(&file.path(), policy).await;
        assert_eq!(
            run,
            Run::Replayed(Outcome::new("paid by the other").status(201))
        );
        assert_eq!(charges_of_each_key(&file.path()), [1]);
    }
}

#[tokio::test]
async fn killed_at_work_it_leaves_an_unknown_outcome_no_longer_than_its_lease() {
    let file = File::new();
    let mut other = start(&file.path(), "before-commit");
    other.wait_for("charging");
    other.kill();
    let run = pay(&file.path(), Policy::at_most_once()).await;
    assert_eq!(run, Run::Refused(Refused::OutcomeUnknown { attempt: 1 }));
    assert_eq!(charges_of_each_key(&file.path()), Vec::<u32>::new());
}

#[tokio::test]
async fn stopped_beyond_its_lease_it_is_taken_over_and_rolls_back() {
    let file = File::new();
    let mut other = start(&file.path(), "upon-word");
    other.wait_for("working");
    other.signal("STOP");
    // It waits for the lease to lapse, and takes over.
    let run = pay(&file.path(), Policy::at_least_once()).await;
    assert!(matches!(run, Run::Executed(_)), "{run:?}");
    other.signal("CONT");
    // It hears that it may charge, finds that it may not, and answers as the winner did.
    other.wait_for("replayed: paid by the test");
    assert_eq!(charges_of_each_key(&file.path()), [1]);
}

#[tokio::test]
#[ignore = "the other process of the tests above"]
async fn the_other_process() {
    let Some(path) = env::var_os(PATH) else {
        return;
    };
    let path = Path::new(&path);
    let what = env::var(WHAT).unwrap();
    let mut connection = ledger(path);
    let outcome = Outcome::new("paid by the other").status(201);
    let (front, key) = (front(path, Policy::at_least_once()), key("k"));
    let run = front.run(&key, b"", |claim| async {
        match what.as_str() {
            "before-commit" => {
                println!("charging");
                std::future::pending::<()>().await;
            }
            "upon-word" => {
                println!("working");
                // Whoever stops the process does so now, and for longer than this and the lease.
                std::thread::sleep(LEASE);
            }
            _ => {}
        }
        let charged = charge(&mut connection, &claim, "k", &outcome);
        drop(claim);
        println!("charged: {charged:?}");
        if what == "after-commit" {
            std::future::pending::<()>().await;
        }
        charged.map(|()| outcome.clone())
    });
    match run.await {
        Ok(Run::Replayed(outcome)) => {
            println!("replayed: {}", String::from_utf8_lossy(outcome.bytes()));
        }
        other => println!("{other:?}"),
    }
}
