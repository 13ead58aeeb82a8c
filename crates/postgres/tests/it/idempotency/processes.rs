//! Kills, stops beyond the lease, and a storm of duplicates from several processes. The test binary runs
//! itself as the other processes.

use std::env;
use std::io::{BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use seawall_idempotency::{Claim, Idempotency, InFlight, Outcome, Policy, Refused, Run, RunError};
use seawall_postgres::{CompleteError, PostgresStore, complete_in};
use tokio_postgres::Client;

use super::transactions::{Failure, charge, charges, ledger};
use super::{client, key};
use crate::support::{PATIENCE, Postgres, migrated, unique};

/// Short, so that a stop beyond it does not take long.
const LEASE: Duration = Duration::from_millis(400);

async fn front(url: &str, policy: Policy) -> Idempotency<PostgresStore> {
    let policy = policy
        .lease(LEASE)
        .in_flight(InFlight::Wait { most: PATIENCE });
    Idempotency::new(migrated(url).await, policy).unwrap()
}

async fn pay(url: &str, name: &str, policy: Policy) -> Run {
    let mut user = ledger(url).await;
    let (id, outcome) = (key(name), Outcome::new("paid by the test").status(201));
    let front = front(url, policy).await;
    let run = front.run(&id, b"", async |claim| {
        let charged = charge(&mut user, &claim, name, &outcome).await;
        charged.map(|()| outcome.clone())
    });
    run.await.unwrap()
}

async fn charged(url: &str, name: &str) -> i64 {
    charges(&client(url).await, name).await
}

#[tokio::test]
async fn killed_before_its_commit_it_has_done_nothing_and_a_retry_does_it() {
    let Some(postgres) = Postgres::find() else {
        return;
    };
    for moment in ["at-work", "before-commit"] {
        let (url, name) = (postgres.url(), unique());
        let mut other = Other::start(&url, &name, moment);
        other.wait_for(moment);
        other.kill();
        let run = pay(&url, &name, Policy::at_least_once()).await;
        assert!(matches!(run, Run::Executed(_)), "{moment}: {run:?}");
        assert_eq!(charged(&url, &name).await, 1, "{moment}");
    }
}

#[tokio::test]
async fn killed_after_its_commit_it_has_done_all_and_a_retry_replays_it() {
    let Some(postgres) = Postgres::find() else {
        return;
    };
    for policy in [Policy::at_least_once(), Policy::at_most_once()] {
        let (url, name) = (postgres.url(), unique());
        let mut other = Other::start(&url, &name, "after-commit");
        other.wait_for("after-commit");
        other.kill();
        let paid = Outcome::new("paid by the other").status(201);
        assert_eq!(pay(&url, &name, policy).await, Run::Replayed(paid));
        assert_eq!(charged(&url, &name).await, 1);
    }
}

#[tokio::test]
async fn killed_at_work_it_leaves_an_unknown_outcome_no_longer_than_its_lease() {
    let Some(postgres) = Postgres::find() else {
        return;
    };
    let (url, name) = (postgres.url(), unique());
    let mut other = Other::start(&url, &name, "at-work");
    other.wait_for("at-work");
    other.kill();
    let run = pay(&url, &name, Policy::at_most_once()).await;
    assert_eq!(run, Run::Refused(Refused::OutcomeUnknown { attempt: 1 }));
    assert_eq!(charged(&url, &name).await, 0);
}

#[tokio::test]
async fn stopped_beyond_its_lease_it_is_taken_over_and_its_charge_is_rolled_back() {
    let Some(postgres) = Postgres::find() else {
        return;
    };
    let (url, name) = (postgres.url(), unique());
    let mut other = Other::start(&url, &name, "upon-word");
    other.wait_for("upon-word");
    other.signal(Signal::STOP);
    // It waits for the lease to lapse, and takes over.
    let run = pay(&url, &name, Policy::at_least_once()).await;
    assert!(matches!(run, Run::Executed(_)), "{run:?}");
    other.signal(Signal::CONT);
    other.say_go();
    // It charges, and its commit is refused; it answers as the winner did.
    other.wait_for("refused: Some(TakenOver)");
    other.wait_for("replayed: paid by the test");
    assert_eq!(charged(&url, &name).await, 1);
}

/// Its transaction is open and has completed the record: nobody takes over, however long it is stopped.
#[tokio::test]
async fn stopped_before_its_commit_it_is_not_taken_over() {
    let Some(postgres) = Postgres::find() else {
        return;
    };
    let (url, name) = (postgres.url(), unique());
    let mut other = Other::start(&url, &name, "before-commit");
    other.wait_for("before-commit");
    other.signal(Signal::STOP);
    let impatient = front(&url, Policy::at_least_once()).await;
    let policy = Policy::at_least_once().lease(LEASE);
    let impatient = impatient
        .with_policy(policy.in_flight(InFlight::Wait { most: LEASE * 3 }))
        .unwrap();
    let id = key(&name);
    let run = impatient.run(&id, b"", async |_| {
        Ok::<_, std::io::Error>(Outcome::new("twice"))
    });
    let run = run.await.unwrap();
    let in_progress = matches!(run, Run::Refused(Refused::InProgress { .. }));
    assert!(in_progress, "{run:?}");
    other.signal(Signal::CONT);
    other.say_go();
    other.wait_for("refused: None");
    let paid = Outcome::new("paid by the other").status(201);
    let run = pay(&url, &name, Policy::at_least_once()).await;
    assert_eq!(run, Run::Replayed(paid));
    assert_eq!(charged(&url, &name).await, 1);
}

#[tokio::test]
async fn a_storm_of_processes_that_are_killed_and_stopped_charges_each_key_once() {
    let Some(postgres) = Postgres::find() else {
        return;
    };
    let (url, run) = (postgres.url(), unique());
    let user = ledger(&url).await;
    migrated(&url).await;
    // Some die at work whatever comes later, so there is something to take over.
    for nth in 0..3 {
        let mut other = Other::start(&url, &format!("{run}-{nth}"), "at-work");
        other.wait_for("at-work");
        other.kill();
    }
    let mut others: Vec<_> = (0..4).map(|_| Other::start(&url, &run, "storm")).collect();
    for other in &mut others {
        other.wait_for("storming");
    }
    for round in 0..8 {
        // One is stopped for longer than a lease, and meanwhile another is killed where it stands.
        others[0].signal(Signal::STOP);
        tokio::time::sleep(LEASE / 2).await;
        let victim = 1 + round % 3;
        others[victim].kill();
        others[victim] = Other::start(&url, &run, "storm");
        tokio::time::sleep(LEASE).await;
        others[0].signal(Signal::CONT);
        tokio::time::sleep(LEASE / 4).await;
    }
    for other in &mut others {
        other.wait_for("all are done");
    }
    let counts = "SELECT count(*) FROM ledger WHERE key LIKE $1 || '-%' GROUP BY key";
    let counts = user.query(counts, &[&run]).await.unwrap();
    let counts: Vec<i64> = counts.iter().map(|row| row.get(0)).collect();
    assert_eq!(counts, [1; STORM_KEYS]);
    // Without these there was no storm.
    let last =
        "SELECT count(*), max(attempt) FROM ledger WHERE key LIKE $1 || '-%' AND attempt > 1";
    let last = user.query_one(last, &[&run]).await.unwrap();
    let (again, most): (i64, Option<i64>) = (last.get(0), last.get(1));
    println!("{again} keys were charged by a later attempt, up to the {most:?}th");
    assert!(again >= 3, "work was taken over: {again}");
}

const STORM_KEYS: usize = 80;

/// Another process, which is killed when the test is done with it.
struct Other {
    child: Child,
    input: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Other {
    fn start(url: &str, name: &str, what: &str) -> Self {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["idempotency::processes::the_other_process", "--exact"])
            .args(["--ignored", "--nocapture"])
            .env("SEAWALL_POSTGRES_TEST_AT", url)
            .env("SEAWALL_POSTGRES_TEST_KEY", name)
            .env("SEAWALL_POSTGRES_TEST_WHAT", what)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let input = child.stdin.take().unwrap();
        Self {
            child,
            input,
            lines,
        }
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

    fn say_go(&mut self) {
        self.input.write_all(b"go\n").unwrap();
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
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
    let Ok(url) = env::var("SEAWALL_POSTGRES_TEST_AT") else {
        return;
    };
    let name = env::var("SEAWALL_POSTGRES_TEST_KEY").unwrap();
    let what = env::var("SEAWALL_POSTGRES_TEST_WHAT").unwrap();
    if what == "storm" {
        return storm(&url, &name).await;
    }
    let mut user = ledger(&url).await;
    let front = front(&url, Policy::at_least_once()).await;
    let id = key(&name);
    let run = front.run(&id, b"", async |claim| {
        let charged = charge_slowly(&mut user, &claim, &name, &what).await;
        let refused = charged
            .as_ref()
            .err()
            .and_then(|error| error.downcast_ref());
        println!("refused: {:?}", refused.and_then(CompleteError::lost));
        if what == "after-commit" {
            reached(&what).await;
        }
        charged
    });
    match run.await {
        Ok(Run::Replayed(outcome)) => {
            println!("replayed: {}", String::from_utf8_lossy(outcome.bytes()));
        }
        other => println!("{other:?}"),
    }
}

/// Charges as the tests do, but for a stop at the moment that is asked for.
async fn charge_slowly(
    user: &mut Client,
    claim: &Claim,
    name: &str,
    what: &str,
) -> Result<Outcome, Failure> {
    match what {
        "at-work" => reached(what).await,
        // The thread stands still, and no renewal is made: as if the whole process did.
        "upon-word" => wait_for_go(what),
        _ => {}
    }
    let outcome = Outcome::new("paid by the other").status(201);
    let transaction = user.transaction().await?;
    let row = "INSERT INTO ledger (key, attempt) VALUES ($1, $2)";
    let attempt = i64::from(claim.attempt());
    transaction.execute(row, &[&name, &attempt]).await?;
    complete_in(&transaction, &claim.completion(&outcome)?).await?;
    if what == "before-commit" {
        wait_for_go(what);
    }
    transaction.commit().await?;
    Ok(outcome)
}

/// Tells so, and goes on doing nothing until it is killed.
async fn reached(what: &str) {
    println!("{what}");
    std::future::pending::<()>().await;
}

fn wait_for_go(what: &str) {
    println!("{what}");
    std::io::stdin().lines().next().unwrap().unwrap();
}

/// Pays for every key until somebody has.
async fn storm(url: &str, run: &str) {
    let mut user = ledger(url).await;
    let front = front(url, Policy::at_least_once()).await;
    println!("storming");
    // Half of the processes begin in the middle: some meet at work, and some find it done.
    let first = usize::from(std::process::id().is_multiple_of(2)) * STORM_KEYS / 2;
    for nth in (first..STORM_KEYS).chain(0..first) {
        let (name, outcome) = (format!("{run}-{nth}"), Outcome::new("paid").status(201));
        let id = key(&name);
        loop {
            let run = front.run(&id, b"", async |claim| {
                // Work takes a moment, in which it can be killed or stopped.
                tokio::time::sleep(Duration::from_millis(60)).await;
                let charged = charge(&mut user, &claim, &name, &outcome).await;
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
