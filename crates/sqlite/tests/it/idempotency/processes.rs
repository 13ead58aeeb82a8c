//! Kills, stops beyond the lease, and several processes on one file. The test binary runs itself as
//! the other processes.

use std::env;
use std::io::{BufRead, BufReader, Lines};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use rusqlite::Connection;
use seawall_idempotency::{
    Idempotency, IdempotencyKey, InFlight, Outcome, Policy, Refused, Run, RunError,
};
use seawall_sqlite::SqliteStore;

use super::transactions::{charge, ledger};
use crate::support::File;

/// Short, so that a stop beyond it does not take long.
const LEASE: Duration = Duration::from_millis(400);

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
    let mut other = Other::start(&file.path(), "before-commit");
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
        let mut other = Other::start(&file.path(), "after-commit");
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
    let mut other = Other::start(&file.path(), "before-commit");
    other.wait_for("charging");
    other.kill();
    let run = pay(&file.path(), Policy::at_most_once()).await;
    assert_eq!(run, Run::Refused(Refused::OutcomeUnknown { attempt: 1 }));
    assert_eq!(charges_of_each_key(&file.path()), Vec::<u32>::new());
}

#[tokio::test]
async fn stopped_beyond_its_lease_it_is_taken_over_and_rolls_back() {
    let file = File::new();
    let mut other = Other::start(&file.path(), "upon-word");
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

#[test]
fn a_storm_of_processes_with_stalls_beyond_the_lease_charges_each_key_once() {
    let file = File::new();
    drop(ledger(&file.path()));
    drop(file.open());
    let mut others: Vec<_> = (0..3)
        .map(|_| Other::start(&file.path(), "storm"))
        .collect();
    // One of them is stopped for longer than a lease, again and again.
    for _ in 0..3 {
        others[0].signal("STOP");
        std::thread::sleep(LEASE * 2);
        others[0].signal("CONT");
        std::thread::sleep(LEASE / 4);
    }
    for other in &mut others {
        other.wait_for("all are done");
    }
    assert_eq!(charges_of_each_key(&file.path()), [1; STORM_KEYS]);
}

const STORM_KEYS: usize = 30;

/// Another process, which is killed when the test is done with it.
struct Other {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Other {
    fn start(path: &Path, what: &str) -> Self {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["idempotency::processes::the_other_process", "--exact"])
            .args(["--ignored", "--nocapture"])
            .env("SEAWALL_SQLITE_TEST", path)
            .env("SEAWALL_SQLITE_TEST_WHAT", what)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    fn wait_for(&mut self, word: &str) {
        let mut read = Vec::new();
        for line in &mut self.lines {
            read.push(line.unwrap());
            if read.last().unwrap().contains(word) {
                return;
            }
        }
        panic!("the other process never said `{word}` but {read:?}");
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill")
            .args(["-s", name, &pid])
            .status()
            .unwrap();
        assert!(sent.success(), "kill -s {name} {pid}");
    }

    /// With SIGKILL, which nobody hears.
    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
#[ignore = "the other process of the tests above"]
async fn the_other_process() {
    let Some(path) = env::var_os("SEAWALL_SQLITE_TEST") else {
        return;
    };
    let path = Path::new(&path);
    let what = env::var("SEAWALL_SQLITE_TEST_WHAT").unwrap();
    if what == "storm" {
        return storm(path).await;
    }
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

/// Pays for every key until somebody has.
async fn storm(path: &Path) {
    let mut connection = ledger(path);
    let front = front(path, Policy::at_least_once());
    for nth in 0..STORM_KEYS {
        let (name, outcome) = (format!("k{nth}"), Outcome::new("paid").status(201));
        loop {
            let key = key(&name);
            let run = front.run(&key, b"", |claim| async {
                // Work takes a moment, in which it can be stopped.
                std::thread::sleep(Duration::from_millis(20));
                let charged = charge(&mut connection, &claim, &name, &outcome);
                drop(claim);
                charged.map(|()| outcome.clone())
            });
            match run.await {
                Ok(Run::Executed(_) | Run::Replayed(_)) => break,
                Ok(Run::Refused(Refused::InProgress { .. })) | Err(RunError::Work(_)) => {}
                other => panic!("{other:?}"),
            }
        }
    }
    println!("all are done");
}
