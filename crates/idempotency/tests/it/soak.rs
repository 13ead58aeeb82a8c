//! Clients that do everything wrong, for as long as one likes: seeded rounds on paused time, each
//! with a history that is checked. A seed gives the same round every time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use seawall_idempotency::{
    Begun, Claim, Fingerprint, Finished, Idempotency, InFlight, MemoryStore, Outcome, Policy,
    Refused, Run, Settled, Store,
};
use tokio::runtime::Builder;
use tokio::time::{sleep, timeout};

use crate::support::{Failed, Rng, key};

const LEASE: Duration = Duration::from_millis(100);

/// Short enough that some work is longer.
const LONGEST: Duration = Duration::from_millis(400);

const KEYS: usize = 8;
const CLIENTS: usize = 6;
const ASKS: usize = 4;

#[test]
fn a_hundred_rounds_leave_nothing_wrong() {
    let mut counts = Counts::default();
    for seed in 0..100 {
        round(seed, &mut counts);
    }
    counts.assert_that_something_happened();
}

#[test]
#[ignore = "goes on for SEAWALL_SOAK_SECONDS; `cargo xtask soak idempotency` runs it"]
fn soak() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let until = now() + Duration::from_secs(number("SEAWALL_SOAK_SECONDS").unwrap_or(10));
    let first = number("SEAWALL_SOAK_SEED").unwrap_or(1);
    let (mut seed, mut counts) = (first, Counts::default());
    while now() < until {
        round(seed, &mut counts);
        seed += 1;
    }
    println!("memory: seeds {first} to {}, {counts:?}", seed - 1);
    counts.assert_that_something_happened();
}

fn now() -> std::time::Instant {
    #[expect(clippy::disallowed_methods, reason = "how long it goes on")]
    std::time::Instant::now()
}

/// What happened, of all rounds.
#[derive(Debug, Default)]
struct Counts {
    attempts: usize,
    takeovers: usize,
    charges: usize,
    answers: usize,
    unknown: usize,
}

impl Counts {
    fn assert_that_something_happened(&self) {
        let all = [self.takeovers, self.charges, self.answers, self.unknown];
        assert!(!all.contains(&0), "{self:?}");
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Event {
    Begun { fence: u64, attempt: u32 },
    Harmless,
    Charged,
    Answered(Vec<u8>),
    Unknown,
}

type History = Arc<Mutex<HashMap<String, Vec<Event>>>>;

fn round(seed: u64, counts: &mut Counts) {
    let runtime = Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    let history = History::default();
    let retries = seed.is_multiple_of(2);
    runtime.block_on(all_clients(seed, retries, &history));
    for (key, events) in history.lock().unwrap().iter() {
        let wrong = wrong_with(events, retries);
        assert!(
            wrong.is_none(),
            "seed {seed}, {key}: {wrong:?} in {events:?}"
        );
        for event in events {
            match event {
                Event::Begun { attempt, .. } => {
                    counts.attempts += 1;
                    counts.takeovers += usize::from(*attempt > 1);
                }
                Event::Charged => counts.charges += 1,
                Event::Answered(_) => counts.answers += 1,
                Event::Unknown => counts.unknown += 1,
                Event::Harmless => {}
            }
        }
    }
}

fn wrong_with(events: &[Event], retries: bool) -> Option<&'static str> {
    let of = |wanted: fn(&Event) -> bool| events.iter().filter(|event| wanted(event)).count();
    let charges = of(|event| *event == Event::Charged);
    if charges > 1 {
        return Some("charged twice, L1");
    }
    if retries && charges == 0 {
        return Some("never charged: the key is stuck");
    }
    let begun = of(|event| matches!(event, Event::Begun { .. }));
    if !retries && begun > of(|event| *event == Event::Harmless) + 1 {
        return Some("begun again after an attempt that may have had an effect");
    }
    let (mut highest, mut answer, mut is_charged) = (0, None, false);
    for event in events {
        match event {
            Event::Begun { fence, .. } if *fence <= highest => {
                return Some("a fence is not higher than all before, L2");
            }
            Event::Begun { .. } if is_charged => return Some("begun after the end, L5"),
            Event::Begun { fence, .. } => highest = *fence,
            Event::Answered(_) if !is_charged => return Some("answered before it was charged"),
            Event::Answered(body) if *answer.get_or_insert(body) != body => {
                return Some("answered in two ways, L3");
            }
            Event::Charged => is_charged = true,
            _ => {}
        }
    }
    None
}

async fn all_clients(seed: u64, retries: bool, history: &History) {
    let mut rng = Rng::new(seed);
    let policy = if retries {
        Policy::at_least_once()
    } else {
        Policy::at_most_once()
    };
    let policy = match rng.below(2) {
        0 => policy,
        _ => policy.in_flight(InFlight::Wait { most: LEASE * 2 }),
    };
    let policy = policy.lease(LEASE).longest(LONGEST);
    let front = Idempotency::new(MemoryStore::new(), policy).unwrap();
    let clients: Vec<_> = (0..KEYS * CLIENTS)
        .map(|nth| {
            let client = Client {
                front: front.clone(),
                history: Arc::clone(history),
                name: format!("k{}", nth % KEYS),
            };
            let rng = Rng::new(rng.next());
            tokio::spawn(client.all(rng))
        })
        .collect();
    for client in clients {
        // Some panic at work, which is theirs to do.
        let _ = client.await;
    }
    for nth in 0..KEYS {
        let client = Client {
            front: front.clone(),
            history: Arc::clone(history),
            name: format!("k{nth}"),
        };
        sleep(LEASE * 2).await;
        client.ask(Way::Works, Duration::ZERO).await;
        client.ask_for_another_thing().await;
        client.ask(Way::Works, Duration::ZERO).await;
    }
}

/// How work ends.
#[derive(Clone, Copy)]
enum Way {
    Works,
    WorksWithoutTransaction,
    Fails,
    FailsAfterItsTransaction,
    FailsWithoutEffect,
    Panics,
}

#[derive(Clone)]
struct Client {
    front: Idempotency<MemoryStore>,
    history: History,
    name: String,
}

impl Client {
    async fn all(self, mut rng: Rng) {
        for _ in 0..ASKS {
            sleep(rng.millis(200)).await;
            let takes = rng.millis(600);
            match rng.below(10) {
                0 => drop(timeout(rng.millis(300), self.ask(Way::Works, takes)).await),
                1 => self.stall(takes + LEASE).await,
                2 => self.ask(Way::Fails, takes).await,
                3 => self.ask(Way::FailsWithoutEffect, takes).await,
                4 => self.ask(Way::FailsAfterItsTransaction, takes).await,
                5 => self.ask(Way::WorksWithoutTransaction, takes).await,
                6 => {
                    let client = self.clone();
                    let asking = async move { client.ask(Way::Panics, takes).await };
                    let _ = tokio::spawn(asking).await;
                }
                _ => self.ask(Way::Works, takes).await,
            }
        }
    }

    async fn ask(&self, way: Way, takes: Duration) {
        let key = key(&self.name);
        let run = self.front.run(&key, b"charge", |claim| async move {
            self.begun(&claim);
            sleep(takes).await;
            let outcome = outcome_of(&claim);
            match way {
                Way::Works => self.charge(&claim, &outcome).await?,
                Way::WorksWithoutTransaction => {}
                Way::Fails => return Err(Failed),
                Way::FailsAfterItsTransaction => {
                    self.charge(&claim, &outcome).await?;
                    return Err(Failed);
                }
                Way::FailsWithoutEffect => {
                    self.tell(Event::Harmless);
                    claim.had_no_effect();
                    return Err(Failed);
                }
                Way::Panics => std::panic::resume_unwind(Box::new("on purpose")),
            }
            Ok(outcome)
        });
        match run.await {
            Ok(Run::Executed(outcome)) => {
                self.charged_at_last(way);
                self.tell(Event::Answered(outcome.bytes().to_vec()));
            }
            Ok(Run::Replayed(outcome)) => self.tell(Event::Answered(outcome.bytes().to_vec())),
            Ok(Run::Refused(Refused::OutcomeUnknown { .. })) => self.tell(Event::Unknown),
            Ok(_) | Err(_) => {}
        }
    }

    /// Whoever works without a transaction has its record completed at its end.
    fn charged_at_last(&self, way: Way) {
        if matches!(way, Way::WorksWithoutTransaction) {
            self.tell(Event::Charged);
        }
    }

    /// Works without a sign of life, as a process does that was stopped.
    async fn stall(&self, takes: Duration) {
        let key = key(&self.name);
        let begun = self.front.begin(&key, Fingerprint::of(b"charge")).await;
        let Ok(Begun::Claimed(mut held)) = begun else {
            return;
        };
        let claim = held.claim().clone();
        self.begun(&claim);
        // It begins, and is not looked at while it stands still.
        assert!(held.execute(std::future::ready(())).await.is_ok());
        sleep(takes).await;
        let outcome = outcome_of(&claim);
        let charged = self.charge(&claim, &outcome).await;
        let finished = match charged {
            Ok(()) => held.finish(&outcome).await,
            Err(Failed) => held.fail().await,
        };
        match finished {
            Finished::Stored => self.tell(Event::Answered(outcome.bytes().to_vec())),
            Finished::Completed(outcome) | Finished::Superseded(outcome) => {
                self.tell(Event::Answered(outcome.bytes().to_vec()));
            }
            _ => {}
        }
    }

    async fn ask_for_another_thing(&self) {
        let key = key(&self.name);
        let run = self.front.run(&key, b"another thing", |_| async {
            Ok::<_, Failed>(Outcome::new("never"))
        });
        let refused = Run::Refused(Refused::Mismatch);
        assert_eq!(run.await.unwrap(), refused, "{}", self.name);
    }

    /// As a transaction does, with its effect.
    async fn charge(&self, claim: &Claim, outcome: &Outcome) -> Result<(), Failed> {
        let completion = claim.completion(outcome).unwrap();
        match self.front.store().complete(&completion).await {
            Ok(Settled::Done) => {
                self.tell(Event::Charged);
                Ok(())
            }
            Ok(_) => Err(Failed),
        }
    }

    fn begun(&self, claim: &Claim) {
        let (fence, attempt) = (claim.fence(), claim.attempt());
        self.tell(Event::Begun { fence, attempt });
    }

    fn tell(&self, event: Event) {
        let mut history = self.history.lock().unwrap();
        history.entry(self.name.clone()).or_default().push(event);
    }
}

fn outcome_of(claim: &Claim) -> Outcome {
    Outcome::new(format!("charged by {}", claim.fence())).status(201)
}

/// A check that finds nothing wrong with anything would pass every round.
#[test]
fn what_is_wrong_is_found() {
    let begun = |fence| Event::Begun { fence, attempt: 1 };
    let answered = |text: &str| Event::Answered(text.as_bytes().to_vec());
    let right = [begun(1), Event::Charged, answered("a"), answered("a")];
    assert_eq!(wrong_with(&right, true), None);
    let check = |events: &[Event], retries, expected: &str| {
        let wrong = wrong_with(events, retries).unwrap();
        assert!(wrong.contains(expected), "{wrong}");
    };
    let and = |more: Event| [&right[..], &[more]].concat();
    check(&and(Event::Charged), true, "L1");
    check(&and(begun(2)), true, "L5");
    check(&and(answered("b")), true, "L3");
    check(&[begun(2), begun(2), Event::Charged], true, "L2");
    check(&[begun(1)], true, "stuck");
    check(&[begun(1), begun(2)], false, "begun again");
    check(&[begun(1), answered("a")], false, "before");
}
