//! Owners that are killed, or stopped beyond their lease, and storms of duplicates from several
//! processes. The test binary runs itself as the other processes.
//!
//! The ledger is on the same server, and knows executions and charges apart: whoever is charged
//! recognises an operation by its downstream key, as a good payment service does.

use std::collections::HashMap;
use std::env;
use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use redis::FromRedisValue;
use seawall_idempotency::{
    Claim, Idempotency, IdempotencyKey, InFlight, Outcome, Policy, Refused, Run,
};
use seawall_redis::RedisStore;

use crate::support::{Server, command, patient};

/// Short, so that a stop beyond it does not take long.
const LEASE: Duration = Duration::from_millis(400);

const KEYS: usize = 12;

fn key(name: &str) -> IdempotencyKey {
    IdempotencyKey::new(name).unwrap()
}

async fn front(url: &str, policy: Policy) -> Idempotency<RedisStore> {
    let policy = policy.lease(LEASE).in_flight(InFlight::Wait {
        most: Duration::from_secs(30),
    });
    let store = patient(url).connect().await.unwrap();
    Idempotency::new(store, policy).unwrap()
}

/// The work: it is counted whenever it is done, and charges whom it has not charged.
async fn charge(url: &str, claim: &Claim, name: &str) {
    let (step, attempt) = (claim.downstream_key("charge"), claim.attempt().to_string());
    let ledger = [
        ["HINCRBY", "executions", name, "1"],
        ["HINCRBY", "attempts", &attempt, "1"],
        ["HSETNX", "charges", &step, name],
    ];
    for words in ledger {
        command(url, &words).await.unwrap();
    }
}

async fn book(server: &Server, name: &str) -> HashMap<String, String> {
    let page = server.command(&["HGETALL", name]).await.unwrap();
    HashMap::from_redis_value(page).unwrap()
}

async fn executions(server: &Server) -> usize {
    let counts = book(server, "executions").await;
    counts.values().map(|n| n.parse::<usize>().unwrap()).sum()
}

async fn pay(server: &Server, policy: Policy) -> Run {
    let url = server.url();
    let (front, key) = (front(&url, policy).await, key("k"));
    let run = front.run(&key, b"", |claim| async move {
        charge(&url, &claim, "k").await;
        Ok::<_, std::io::Error>(Outcome::new("paid by the test"))
    });
    run.await.unwrap()
}

#[tokio::test]
async fn killed_at_work_it_leaves_what_the_policy_decides_on_after_its_lease() {
    for policy in [Policy::at_least_once(), Policy::at_most_once()] {
        let Some(server) = Server::start(&[]) else {
            return;
        };
        let is_retried = policy.unknown() == Policy::at_least_once().unknown();
        let mut other = Other::start(&server, "hang");
        other.wait_for("charged");
        other.kill();
        let run = pay(&server, policy).await;
        if is_retried {
            assert_eq!(run, Run::Executed(Outcome::new("paid by the test")));
            assert_eq!(executions(&server).await, 2);
        } else {
            assert_eq!(run, Run::Refused(Refused::OutcomeUnknown { attempt: 1 }));
            assert_eq!(executions(&server).await, 1);
        }
        assert_eq!(book(&server, "charges").await.len(), 1);
    }
}

#[tokio::test]
async fn stopped_beyond_its_lease_it_is_taken_over_and_its_completion_is_refused() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let mut other = Other::start(&server, "upon-word");
    other.wait_for("working");
    other.signal("STOP");
    // It waits for the lease to lapse, and takes over.
    let run = pay(&server, Policy::at_least_once()).await;
    assert_eq!(run, Run::Executed(Outcome::new("paid by the test")));
    other.signal("CONT");
    // It does its work to the end, and finds that nobody wants its answer.
    other.wait_for("charged");
    other.wait_for("replayed: paid by the test");
    assert_eq!(executions(&server).await, 2);
    assert_eq!(book(&server, "charges").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_with_stalls_beyond_the_lease_and_a_kill_charges_each_key_once() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let mut others: Vec<_> = (0..4).map(|_| Other::start(&server, "storm")).collect();
    for other in &mut others {
        other.wait_for("k0 ");
    }
    others.pop().unwrap().kill();
    // One of them is stopped from without, too.
    others[0].signal("STOP");
    tokio::time::sleep(LEASE * 2).await;
    others[0].signal("CONT");
    let mut answers = HashMap::<String, Vec<String>>::new();
    let mut superseded = 0;
    for other in &mut others {
        for line in other.wait_for("all are done") {
            let Some(said) = line.split_once("answer ").map(|(_, said)| said) else {
                continue;
            };
            let words: Vec<_> = said.split(' ').collect();
            let [name, answer, how] = words[..] else {
                panic!("{line}")
            };
            superseded += usize::from(how == "superseded");
            answers.entry(name.into()).or_default().push(answer.into());
        }
    }
    let (charges, attempts) = (
        book(&server, "charges").await,
        book(&server, "attempts").await,
    );
    let (ran, takeovers) = (executions(&server).await, attempts.len() - 1);
    println!("{KEYS} keys, {ran} executions, {superseded} superseded, by attempt: {attempts:?}");
    assert_eq!(charges.len(), KEYS, "each is charged once");
    assert!(takeovers > 0, "without a takeover this shows nothing");
    assert!(ran > KEYS, "without a second execution this shows nothing");
    assert!(superseded > 0, "nor if no stale owner was refused");
    // The first key was answered before this began to listen.
    assert_eq!(answers.len(), KEYS - 1);
    for (name, of_all) in answers {
        assert_eq!(of_all.len(), 3, "{name}");
        assert!(of_all.iter().all(|one| *one == of_all[0]), "{of_all:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_that_refuses_after_an_unknown_outcome_runs_each_key_at_most_once() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let what = "storm-at-most-once";
    let mut others: Vec<_> = (0..3).map(|_| Other::start(&server, what)).collect();
    let mut unknown = 0;
    for other in &mut others {
        let lines = other.wait_for("all are done");
        let is_unknown = |line: &&String| line.ends_with(" unknown");
        unknown += lines.iter().filter(is_unknown).count();
    }
    let counts = book(&server, "executions").await;
    println!("{KEYS} keys, {unknown} answers unknown, executions: {counts:?}");
    assert!(unknown > 0, "without an unknown outcome this shows nothing");
    assert!(counts.values().all(|count| count == "1"), "{counts:?}");
    assert_eq!(book(&server, "charges").await.len(), KEYS);
}

/// Another process, which is killed when the test is done with it.
struct Other {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Other {
    fn start(server: &Server, what: &str) -> Self {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["idempotency::processes::the_other_process", "--exact"])
            .args(["--ignored", "--nocapture"])
            .env("SEAWALL_REDIS_TEST", server.url())
            .env("SEAWALL_REDIS_TEST_WHAT", what)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// Reads until a line has the word in it, and returns what was read.
    fn wait_for(&mut self, word: &str) -> Vec<String> {
        let mut read = Vec::new();
        for line in &mut self.lines {
            read.push(line.unwrap());
            if read.last().unwrap().contains(word) {
                return read;
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
    let Ok(url) = env::var("SEAWALL_REDIS_TEST") else {
        return;
    };
    let what = env::var("SEAWALL_REDIS_TEST_WHAT").unwrap();
    match what.as_str() {
        "storm" => return storm(&url, Policy::at_least_once()).await,
        "storm-at-most-once" => return storm(&url, Policy::at_most_once()).await,
        _ => {}
    }
    let (front, key) = (front(&url, Policy::at_least_once()).await, key("k"));
    let run = front.run(&key, b"", |claim| async {
        if what == "upon-word" {
            println!("working");
            // Whoever stops the process does so now, and for longer than this and the lease.
            std::thread::sleep(LEASE);
        }
        charge(&url, &claim, "k").await;
        drop(claim);
        println!("charged");
        if what == "hang" {
            std::future::pending::<()>().await;
        }
        Ok::<_, std::io::Error>(Outcome::new("paid by the other"))
    });
    match run.await {
        Ok(Run::Replayed(outcome)) => {
            println!("replayed: {}", String::from_utf8_lossy(outcome.bytes()));
        }
        other => println!("{other:?}"),
    }
}

/// Pays for every key until somebody has, and tells the answers. The first attempt at every third
/// key stalls until its lease has run out and somebody has taken over; where nobody may, it charges
/// nonetheless, and what it did is unknown to the others.
async fn storm(url: &str, policy: Policy) {
    let front = front(url, policy).await;
    for nth in 0..KEYS {
        let (name, mut has_run) = (format!("k{nth}"), false);
        loop {
            let key = key(&name);
            let run = front.run(&key, b"", |claim| async {
                has_run = true;
                if nth % 3 == 1 && claim.attempt() == 1 {
                    // Blocks the runtime, so that nothing is renewed.
                    std::thread::sleep(LEASE * 2);
                }
                charge(url, &claim, &name).await;
                let answer = format!("{}-{}", std::process::id(), claim.attempt());
                drop(claim);
                Ok::<_, std::io::Error>(Outcome::new(answer))
            });
            let (answer, how) = match run.await.unwrap() {
                Run::Executed(outcome) => (outcome, "executed"),
                Run::Replayed(outcome) if has_run => (outcome, "superseded"),
                Run::Replayed(outcome) => (outcome, "replayed"),
                Run::Refused(Refused::InProgress { .. }) => continue,
                Run::Refused(Refused::OutcomeUnknown { .. }) => {
                    println!("{name} unknown");
                    break;
                }
                other => panic!("{other:?}"),
            };
            let answer = String::from_utf8_lossy(answer.bytes()).into_owned();
            println!("answer {name} {answer} {how}");
            break;
        }
    }
    println!("all are done");
}
