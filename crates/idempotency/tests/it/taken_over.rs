//! Owners that come back after somebody has taken over.

use std::convert::Infallible;
use std::sync::Mutex;
use std::time::Duration;

use seawall_idempotency::{
    Begun, Caps, Claim, Completion, Fingerprint, Finished, Held, Idempotency, MemoryStore, Outcome,
    Policy, RecordId, Refused, Reserve, Reserved, Settled, Store, Token, Wait,
};

use crate::support::{front, key};

async fn begin<S: Store>(front: &Idempotency<S>, body: &[u8]) -> Begun<S> {
    let print = Fingerprint::of(body);
    front.begin(&key("k"), print).await.unwrap()
}

async fn claimed<S: Store>(front: &Idempotency<S>, body: &[u8]) -> Held<S> {
    let Begun::Claimed(held) = begin(front, body).await else {
        panic!("the record is free, or its lease has run out")
    };
    held
}

fn token(claim: &Claim) -> Token {
    claim.completion(&Outcome::new("")).unwrap().token()
}

/// As if its owner had been stopped for longer than its lease.
async fn lapse<S: Store>(front: &Idempotency<S>, held: &Held<S>) {
    let settled = front
        .store()
        .renew(token(held.claim()), Duration::ZERO)
        .await;
    assert_eq!(settled.unwrap(), Settled::Done);
}

async fn replays<S: Store>(front: &Idempotency<S>, expected: &str) {
    let Begun::Replay(outcome) = begin(front, b"").await else {
        panic!("`{expected}` is not replayed")
    };
    assert_eq!(outcome.bytes(), expected.as_bytes());
}

#[tokio::test]
async fn what_it_did_is_stored_when_the_rival_had_no_effect() {
    let front = front(Policy::at_least_once());
    let stale = claimed(&front, b"").await;
    lapse(&front, &stale).await;
    let rival = claimed(&front, b"").await;
    rival.claim().had_no_effect();
    assert_eq!(rival.fail().await, Finished::Released);
    let finished = stale.finish(&Outcome::new("done")).await;
    assert_eq!(finished, Finished::Stored, "its work was done");
    replays(&front, "done").await;
}

/// Releases a rival's record right after the stale owner has heard that it is the rival's.
struct LetsGo {
    store: MemoryStore,
    rival: Mutex<Option<Token>>,
}

impl Store for LetsGo {
    type Error = Infallible;

    async fn complete(&self, completion: &Completion) -> Result<Settled, Infallible> {
        let settled = self.store.complete(completion).await;
        let rival = self.rival.lock().unwrap().take();
        if let Some(rival) = rival {
            assert_eq!(self.store.release(rival).await, Ok(Settled::Done));
        }
        settled
    }

    async fn reserve(&self, reserve: Reserve) -> Result<Reserved, Infallible> {
        self.store.reserve(reserve).await
    }

    async fn release(&self, token: Token) -> Result<Settled, Infallible> {
        self.store.release(token).await
    }

    async fn renew(&self, token: Token, lease: Duration) -> Result<Settled, Infallible> {
        self.store.renew(token, lease).await
    }

    async fn changed(&self, id: RecordId, wait: Wait) {
        self.store.changed(id, wait).await;
    }

    async fn sweep(&self, most: usize) -> Result<usize, Infallible> {
        self.store.sweep(most).await
    }

    fn caps(&self) -> Caps {
        self.store.caps()
    }
}

#[tokio::test]
async fn what_it_did_is_stored_when_the_rival_lets_go_at_that_moment() {
    let store = LetsGo {
        store: MemoryStore::new(),
        rival: Mutex::default(),
    };
    let front = Idempotency::new(store, Policy::at_least_once()).unwrap();
    let stale = claimed(&front, b"").await;
    lapse(&front, &stale).await;
    let rival = claimed(&front, b"").await;
    *front.store().rival.lock().unwrap() = Some(token(rival.claim()));
    let finished = stale.finish(&Outcome::new("done")).await;
    assert_eq!(finished, Finished::Stored);
    replays(&front, "done").await;
    let late = rival.finish(&Outcome::new("mine")).await;
    assert_eq!(late, Finished::Superseded(Outcome::new("done")));
}

#[tokio::test]
async fn what_it_did_is_stored_when_the_rival_gives_no_sign_of_life_either() {
    let front = front(Policy::at_least_once());
    let stale = claimed(&front, b"").await;
    lapse(&front, &stale).await;
    let rival = claimed(&front, b"").await;
    lapse(&front, &rival).await;
    let finished = stale.finish(&Outcome::new("done")).await;
    assert_eq!(finished, Finished::Stored);
    replays(&front, "done").await;
    let late = rival.finish(&Outcome::new("mine")).await;
    assert_eq!(late, Finished::Superseded(Outcome::new("done")));
}

#[tokio::test]
async fn it_answers_what_the_rival_has_stored_whatever_became_of_it() {
    for status in [201, 429, 500] {
        let front = front(Policy::at_least_once());
        let stale = claimed(&front, b"").await;
        lapse(&front, &stale).await;
        let rival = claimed(&front, b"").await;
        assert_eq!(
            rival.finish(&Outcome::new("done")).await,
            Finished::Stored,
            "{status}"
        );
        let late = stale.finish(&Outcome::new("mine").status(status)).await;
        assert_eq!(late, Finished::Superseded(Outcome::new("done")), "{status}");
    }
}

#[tokio::test]
async fn its_own_transaction_is_told_from_a_rival() {
    let front = front(Policy::at_least_once());
    let held = claimed(&front, b"").await;
    let within = held.claim().completion(&Outcome::new("within")).unwrap();
    assert_eq!(front.store().complete(&within).await, Ok(Settled::Done));
    let finished = held.finish(&Outcome::new("after")).await;
    assert_eq!(finished, Finished::Completed(Outcome::new("within")));
}

#[tokio::test]
async fn a_record_that_the_store_has_lost_still_bars_whoever_comes_after_a_failure() {
    let front = front(Policy::at_most_once());
    let held = claimed(&front, b"").await;
    let lost = front.store().release(token(held.claim())).await;
    assert_eq!(lost, Ok(Settled::Done));
    assert_eq!(held.fail().await, Finished::Unknown);
    let Begun::Refused(Refused::OutcomeUnknown { .. }) = begin(&front, b"").await else {
        panic!("at most once")
    };
}

#[tokio::test]
async fn another_request_with_its_key_is_left_alone() {
    let front = front(Policy::at_least_once());
    let stale = claimed(&front, b"").await;
    lapse(&front, &stale).await;
    let rival = claimed(&front, b"").await;
    rival.claim().had_no_effect();
    assert_eq!(rival.fail().await, Finished::Released);
    let other = claimed(&front, b"another").await;
    let finished = stale.finish(&Outcome::new("done")).await;
    assert_eq!(
        finished,
        Finished::Unsaved,
        "it has its own answer, and no record"
    );
    assert_eq!(other.finish(&Outcome::new("x")).await, Finished::Stored);
}

#[tokio::test]
async fn with_nothing_to_store_it_takes_no_more_of_the_record_than_it_had() {
    let front = front(Policy::at_least_once());
    let stale = claimed(&front, b"").await;
    lapse(&front, &stale).await;
    let rival = claimed(&front, b"").await;
    lapse(&front, &rival).await;
    assert_eq!(stale.fail().await, Finished::Unknown);
    assert_eq!(rival.finish(&Outcome::new("done")).await, Finished::Stored);
    replays(&front, "done").await;
}
