//! The storm for as long as one likes: processes that are stopped and killed at random, and stall by
//! themselves; after each round, its history is checked. What is done at random is seeded; how it
//! falls together is not.

use std::env;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use seawall_idempotency::{Idempotency, IdempotencyKey, InFlight, Policy, Refused, Run, RunError};
use seawall_sqlite::SqliteStore;

use super::history::History;
use super::other::{Other, PATH, WHAT};
use crate::support::File;

const LEASE: Duration = Duration::from_millis(200);
const KEYS: u64 = 12;
const PROCESSES: u64 = 3;

/// Of a round: enough, and an end of it.
const KILLS: usize = 4;

/// A round that takes longer than this is stuck.
const PATIENCE: Duration = Duration::from_secs(120);

#[test]
fn two_rounds_leave_nothing_wrong() {
    let mut counts = Counts::default();
    let file = File::new();
    for seed in 0..2 {
        round(&file, seed, &mut counts);
    }
}

#[test]
#[ignore = "goes on for SEAWALL_SOAK_SECONDS; `cargo xtask soak idempotency` runs it"]
fn soak() {
    let number = |name: &str| env::var(name).ok().and_then(|text| text.parse().ok());
    let until = now() + Duration::from_secs(number("SEAWALL_SOAK_SECONDS").unwrap_or(10));
    let first = number("SEAWALL_SOAK_SEED").unwrap_or(1);
    let (mut seed, mut counts, mut file) = (first, Counts::default(), File::new());
    while now() < until {
        round(&file, seed, &mut counts);
        seed += 1;
        // Rounds share a file for a while, and not until their histories are long.
        if (seed - first).is_multiple_of(16) {
            counts.add(&History::open(&file.path()));
            file = File::new();
        }
    }
    counts.add(&History::open(&file.path()));
    println!("sqlite: seeds {first} to {}, {counts:?}", seed - 1);
    let all = [counts.kills, counts.stops, counts.takeovers, counts.charges];
    assert!(!all.contains(&0), "{counts:?}");
}

fn now() -> Instant {
    #[expect(
        clippy::disallowed_methods,
        reason = "other processes have no paused clock"
    )]
    Instant::now()
}

#[derive(Debug, Default)]
struct Counts {
    kills: usize,
    stops: usize,
    attempts: usize,
    takeovers: usize,
    charges: usize,
}

impl Counts {
    fn add(&mut self, history: &History) {
        self.attempts += history.attempts();
        self.takeovers += history.takeovers();
        self.charges += history.charges();
    }
}

fn round(file: &File, seed: u64, counts: &mut Counts) {
    drop(file.open());
    let history = History::open(&file.path());
    let mut rng = Rng(seed);
    let mut start = |nth: u64| {
        let (test, what) = (
            "idempotency::soak::one_of_the_soak",
            format!("{seed} {nth} {}", rng.next()),
        );
        Other::start(test, &file.path(), &what)
    };
    let mut others: Vec<_> = (0..PROCESSES).map(&mut start).collect();
    let mut faults = Rng(seed ^ 0xfa17);
    let (mut kills, began) = (0, now());
    while !others.iter_mut().all(Other::has_ended) {
        assert!(
            now().duration_since(began) < PATIENCE,
            "seed {seed}: a key is stuck"
        );
        thread::sleep(Duration::from_millis(faults.below(100)));
        let nth = faults.below(PROCESSES);
        let other = &mut others[usize::try_from(nth).unwrap()];
        if other.has_ended() {
            continue;
        }
        match faults.below(4) {
            0 if kills < KILLS => {
                other.kill();
                kills += 1;
                *other = start(nth);
            }
            1 => {
                other.signal("STOP");
                thread::sleep(LEASE * 3 / 2);
                other.signal("CONT");
                counts.stops += 1;
            }
            _ => {}
        }
    }
    counts.kills += kills;
    for other in &mut others {
        other.wait_for("all are done");
    }
    let keys: Vec<_> = (0..KEYS).map(|nth| name(seed, nth)).collect();
    let wrong = history.violations(&keys, is_retried(seed));
    assert_eq!(wrong, Vec::<String>::new(), "seed {seed}");
}

fn name(seed: u64, nth: u64) -> String {
    format!("{seed}-{nth}")
}

/// Every other round is at most once.
fn is_retried(seed: u64) -> bool {
    seed.is_multiple_of(2)
}

/// `SplitMix64`.
struct Rng(u64);

impl Rng {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, most: u64) -> u64 {
        self.next() % most
    }
}

#[tokio::test]
#[ignore = "one of the processes of a round"]
async fn one_of_the_soak() {
    let (Some(path), Ok(what)) = (env::var_os(PATH), env::var(WHAT)) else {
        return;
    };
    let numbers: Vec<u64> = what.split(' ').map(|word| word.parse().unwrap()).collect();
    let [seed, which, random] = numbers[..] else {
        panic!("{what}")
    };
    let (path, mut rng) = (Path::new(&path), Rng(random));
    let policy = if is_retried(seed) {
        Policy::at_least_once()
    } else {
        Policy::at_most_once()
    };
    let policy = policy.lease(LEASE).in_flight(InFlight::Wait {
        most: Duration::from_secs(30),
    });
    let store = SqliteStore::builder(path)
        .busy_timeout(Duration::from_secs(20))
        .operation_timeout(Duration::from_secs(30));
    let front = Idempotency::new(store.open().unwrap(), policy).unwrap();
    let (mut history, answers) = (History::open(path), History::open(path));
    for nth in 0..KEYS {
        let name = name(seed, (nth + which * KEYS / PROCESSES) % KEYS);
        let key = IdempotencyKey::new(&*name).unwrap();
        loop {
            let (way, takes) = (rng.below(16), Duration::from_millis(rng.below(30)));
            let run = front.run(&key, b"", |claim| {
                history.begun(&name, &claim);
                // Without a sign of life, as nothing is awaited.
                thread::sleep(if way == 0 { LEASE * 3 / 2 } else { takes });
                let charged = match way {
                    1 => Err("failed before it was charged".into()),
                    _ => history.charge(&name, &claim),
                };
                let charged = match way {
                    2 => charged.and_then(|_| Err("failed after it was charged".into())),
                    _ => charged,
                };
                async { charged }
            });
            match run.await {
                Ok(Run::Executed(outcome) | Run::Replayed(outcome)) => {
                    answers.answered(&name, &outcome);
                    break;
                }
                Ok(Run::Refused(Refused::OutcomeUnknown { .. })) if !is_retried(seed) => break,
                Ok(Run::Refused(Refused::InProgress { .. })) | Err(RunError::Work(_)) => {}
                other => panic!("{other:?}"),
            }
        }
    }
    println!("all are done");
}
