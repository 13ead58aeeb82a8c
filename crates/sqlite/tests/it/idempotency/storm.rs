//! Several processes that pay for the same keys on one file.

use std::env;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use seawall_idempotency::{Idempotency, IdempotencyKey, InFlight, Policy, Refused, Run, RunError};
use seawall_sqlite::SqliteStore;

use super::history::History;
use super::other::{Other, PATH, WHAT, signal};
use crate::support::File;

/// Short, so that a stop beyond it does not take long.
const LEASE: Duration = Duration::from_millis(400);

const KEYS: usize = 30;

#[test]
fn a_storm_of_processes_with_stalls_beyond_the_lease_charges_each_key_once() {
    let file = File::new();
    drop(file.open());
    let history = History::open(&file.path());
    let start = |nth: usize| {
        let (test, what) = ("idempotency::storm::one_of_the_storm", nth.to_string());
        Other::start(test, &file.path(), &what)
    };
    let mut others = vec![start(0)];
    // The others come when the first is at work: else they might have done it all.
    while history.attempts() == 0 {
        thread::sleep(LEASE / 40);
    }
    others.extend([start(1), start(2)]);
    // The first stops itself at work, and goes on when somebody has taken over; or after a while, if
    // somebody had done so before it came to stop.
    let (mut seen, mut last) = (0, now());
    while !others[0].has_ended() {
        let takeovers = history.takeovers();
        if takeovers > seen || now().duration_since(last) > LEASE * 10 {
            others[0].signal("CONT");
            (seen, last) = (takeovers, now());
        }
        thread::sleep(LEASE / 8);
    }
    for other in &mut others {
        other.wait_for("all are done");
    }
    assert!(history.takeovers() > 0, "nobody was taken over");
    let keys: Vec<_> = (0..KEYS).map(name).collect();
    assert_eq!(history.violations(&keys, true), Vec::<String>::new());
}

fn name(nth: usize) -> String {
    format!("k{nth}")
}

fn now() -> Instant {
    #[expect(
        clippy::disallowed_methods,
        reason = "other processes have no paused clock"
    )]
    Instant::now()
}

#[tokio::test]
#[ignore = "one of the processes of the storm"]
async fn one_of_the_storm() {
    let (Some(path), Ok(which)) = (env::var_os(PATH), env::var(WHAT)) else {
        return;
    };
    let (path, which) = (Path::new(&path), which.parse::<usize>().unwrap());
    let policy = Policy::at_least_once()
        .lease(LEASE)
        .in_flight(InFlight::Wait {
            most: Duration::from_secs(30),
        });
    let store = SqliteStore::builder(path)
        .busy_timeout(Duration::from_secs(5))
        .operation_timeout(Duration::from_secs(10));
    let front = Idempotency::new(store.open().unwrap(), policy).unwrap();
    let (mut history, answers) = (History::open(path), History::open(path));
    let mut stops = if which == 0 { 2 } else { 0 };
    for nth in 0..KEYS {
        // Each begins elsewhere, so that each has work of its own.
        let name = name((nth + which * KEYS / 3) % KEYS);
        let key = IdempotencyKey::new(&*name).unwrap();
        loop {
            let run = front.run(&key, b"", |claim| {
                history.begun(&name, &claim);
                if stops > 0 {
                    stops -= 1;
                    signal(std::process::id(), "STOP");
                }
                let charged = history.charge(&name, &claim);
                async { charged }
            });
            match run.await {
                Ok(Run::Executed(outcome) | Run::Replayed(outcome)) => {
                    answers.answered(&name, &outcome);
                    break;
                }
                Ok(Run::Refused(Refused::InProgress { .. })) | Err(RunError::Work(_)) => {}
                other => panic!("{other:?}"),
            }
        }
    }
    println!("all are done");
}
