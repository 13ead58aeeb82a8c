//! The laws of [`NonceStore`], for the tests of every store.
//!
//! Each function panics with the law that was broken. They use digests of their own, so a store
//! that other tests use at the same time does not mind; they never sleep; and they need no
//! runtime but the one that the store needs.
//!
//! # Examples
//!
//! ```
//! use seawall_signing::{MemoryNonceStore, UnixTime, conformance};
//!
//! # fn block_on<F: Future>(future: F) -> F::Output {
//! #     let mut future = std::pin::pin!(future);
//! #     let mut context = std::task::Context::from_waker(std::task::Waker::noop());
//! #     loop {
//! #         if let std::task::Poll::Ready(output) = future.as_mut().poll(&mut context) { return output }
//! #     }
//! # }
//! let now = UnixTime::from_secs(1_800_000_000);
//! let store = MemoryNonceStore::with_capacity(200);
//! block_on(conformance::laws(&store, now, conformance::TimeOf::Caller));
//! block_on(conformance::lives_until_it_expires(&store, now, |_| ()));
//! block_on(conformance::never_evicts(&MemoryNonceStore::with_capacity(10), now, 10));
//! ```

use std::future::{Future, poll_fn};
use std::hash::{BuildHasher, RandomState};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::clock::UnixTime;
use crate::replay::{Claim, Nonce, NonceStore};

/// Says whose clock decides what has expired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TimeOf {
    /// The claim's `now`, as in memory.
    Caller,
    /// The store's own, which should be near the `now` that the test is given.
    Store,
}

/// Checks everything that needs no passing of time. `now` is the present time of the store.
///
/// # Panics
///
/// Panics where the store breaks a law.
pub async fn laws(store: &impl NonceStore, now: UnixTime, time: TimeOf) {
    a_message_is_new_once(store, now).await;
    overlapping_claims_have_one_winner(store, now).await;
    a_late_claim_is_never_fresh(store, now).await;
    any_scope_will_do(store, now).await;
    a_dropped_claim_is_safe(store, now).await;
    claim_now_is_the_same_claim(store, now).await;
    if time == TimeOf::Store {
        a_foreign_clock_is_refused(store, now).await;
    }
}

async fn a_message_is_new_once(store: &impl NonceStore, now: UnixTime) {
    let (one, other) = (digest(0), digest(1));
    let until = now.saturating_add(MINUTE);
    let [first, second, third] = [&one, &one, &other].map(|digest| Nonce::new(digest, until, now));
    assert_eq!(
        claim(store, first).await,
        Claim::Fresh,
        "a message not seen before is fresh"
    );
    assert_eq!(
        claim(store, second).await,
        Claim::Replayed,
        "the same message again is a replay"
    );
    assert_eq!(
        claim(store, third).await,
        Claim::Fresh,
        "another message is fresh"
    );
    let longer = Nonce::new(&one, until.saturating_add(MINUTE), now);
    assert_eq!(
        claim(store, longer).await,
        Claim::Replayed,
        "another expiry makes no new message"
    );
}

async fn overlapping_claims_have_one_winner(store: &impl NonceStore, now: UnixTime) {
    for round in 0..8 {
        let digest = digest(round);
        let nonce = Nonce::new(&digest, now.saturating_add(MINUTE), now);
        let answers = all((0..16).map(|_| claim(store, nonce)).collect()).await;
        let fresh = answers
            .iter()
            .filter(|claim| **claim == Claim::Fresh)
            .count();
        let replayed = answers
            .iter()
            .filter(|claim| **claim == Claim::Replayed)
            .count();
        assert_eq!(
            (fresh, replayed),
            (1, 15),
            "of claims that overlap exactly one is fresh: {answers:?}"
        );
    }
}

async fn a_late_claim_is_never_fresh(store: &impl NonceStore, now: UnixTime) {
    let digest = digest(0);
    let before = UnixTime::from_secs(now.as_secs().saturating_sub(20));
    for attempt in 0..2 {
        let answer = claim(store, Nonce::new(&digest, before, now)).await;
        assert_eq!(
            answer,
            Claim::Expired,
            "a claim past its expiry is refused, attempt {attempt}"
        );
    }
}

async fn any_scope_will_do(store: &impl NonceStore, now: UnixTime) {
    let long = "x".repeat(4096);
    for scope in ["", "\0", "{a}:*\r\n", "\u{1f600}", "'; --", &long] {
        let digest = digest(0);
        let nonce = Nonce::new(&digest, now.saturating_add(MINUTE), now).scope(scope);
        assert_eq!(
            claim(store, nonce).await,
            Claim::Fresh,
            "fresh in scope {scope:.20?}"
        );
        assert_eq!(
            claim(store, nonce).await,
            Claim::Replayed,
            "replayed in scope {scope:.20?}"
        );
    }
}

async fn a_dropped_claim_is_safe(store: &impl NonceStore, now: UnixTime) {
    let (unpolled, polled) = (digest(0), digest(1));
    let until = now.saturating_add(MINUTE);
    drop(store.claim(Nonce::new(&unpolled, until, now)));
    let answer = claim(store, Nonce::new(&unpolled, until, now)).await;
    assert_eq!(
        answer,
        Claim::Fresh,
        "a claim that was never polled has claimed nothing"
    );
    {
        let mut begun = pin!(store.claim(Nonce::new(&polled, until, now)));
        let _ = begun.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    }
    let answers = [
        claim(store, Nonce::new(&polled, until, now)).await,
        claim(store, Nonce::new(&polled, until, now)).await,
    ];
    assert!(
        matches!(answers[0], Claim::Fresh | Claim::Replayed),
        "a claim works after one was dropped"
    );
    assert_eq!(
        answers[1],
        Claim::Replayed,
        "a message is new at most once, claims dropped or not"
    );
}

async fn claim_now_is_the_same_claim(store: &impl NonceStore, now: UnixTime) {
    let digest = digest(0);
    let nonce = Nonce::new(&digest, now.saturating_add(MINUTE), now);
    let before = match store.claim_now(nonce) {
        Some(answer) => answer.unwrap_or_else(|e| panic!("the store answers: {e}")),
        None => claim(store, nonce).await,
    };
    assert_eq!(
        before,
        Claim::Fresh,
        "a claim that did not answer at once has done nothing"
    );
    assert_eq!(
        claim(store, nonce).await,
        Claim::Replayed,
        "both ways claim in one memory"
    );
}

async fn a_foreign_clock_is_refused(store: &impl NonceStore, now: UnixTime) {
    let ahead = now.saturating_add(Duration::from_secs(600));
    let behind = UnixTime::from_secs(now.as_secs().saturating_sub(600));
    for theirs in [ahead, behind] {
        let digest = digest(0);
        let until = now.saturating_add(Duration::from_secs(3600));
        let answer = claim(store, Nonce::new(&digest, until, theirs)).await;
        assert_eq!(answer, Claim::Skewed, "a clock ten minutes off is refused");
        let wide = Nonce::new(&digest, until, theirs).max_skew(Duration::from_secs(900));
        assert_eq!(
            claim(store, wide).await,
            Claim::Fresh,
            "the caller's max_skew decides"
        );
    }
}

/// Checks that an entry lives until its expiry and makes room after it.
///
/// `advance` moves the store's clock to a time, where it has one that can be moved.
///
/// # Panics
///
/// Panics where the store breaks the law.
pub async fn lives_until_it_expires(
    store: &impl NonceStore,
    now: UnixTime,
    mut advance: impl FnMut(UnixTime),
) {
    let digest = digest(0);
    let until = now.saturating_add(MINUTE);
    assert_eq!(
        claim(store, Nonce::new(&digest, until, now)).await,
        Claim::Fresh
    );
    advance(until);
    let answer = claim(store, Nonce::new(&digest, until, until)).await;
    assert_eq!(
        answer,
        Claim::Replayed,
        "an entry lives in the second in which it expires"
    );
    let after = until.saturating_add(Duration::from_secs(1));
    advance(after);
    let answer = claim(store, Nonce::new(&digest, until, after)).await;
    assert!(
        matches!(answer, Claim::Expired | Claim::Replayed),
        "never fresh again, got {answer:?}"
    );
}

/// Checks that a store of `capacity` entries, now empty, refuses what is one too many and keeps
/// all it has.
///
/// # Panics
///
/// Panics where the store breaks the law.
pub async fn never_evicts(store: &impl NonceStore, now: UnixTime, capacity: usize) {
    let until = now.saturating_add(MINUTE);
    let digests: Vec<_> = (0..capacity).map(|at| digest(at as u64)).collect();
    for digest in &digests {
        assert_eq!(
            claim(store, Nonce::new(digest, until, now)).await,
            Claim::Fresh,
            "there is room"
        );
    }
    for _ in 0..4 {
        let answer = claim(store, Nonce::new(&digest(0), until, now)).await;
        assert_eq!(answer, Claim::Full, "with no room left a claim is refused");
    }
    for digest in &digests {
        let answer = claim(store, Nonce::new(digest, until, now)).await;
        assert_eq!(answer, Claim::Replayed, "nothing was evicted to make room");
    }
}

const MINUTE: Duration = Duration::from_secs(60);

async fn claim<S: NonceStore>(store: &S, nonce: Nonce<'_>) -> Claim {
    store
        .claim(nonce)
        .await
        .unwrap_or_else(|e| panic!("the store answers: {e}"))
}

/// Returns a digest that no other call returns.
fn digest(salt: u64) -> [u8; 32] {
    let random = || RandomState::new().hash_one(salt).to_be_bytes();
    Sha256::new()
        .chain_update(random())
        .chain_update(random())
        .finalize()
        .into()
}

/// Polls all futures in turn until each is done.
async fn all<F: Future>(futures: Vec<F>) -> Vec<F::Output> {
    let mut futures: Vec<Pin<Box<F>>> = futures.into_iter().map(Box::pin).collect();
    let mut outputs: Vec<Option<F::Output>> = futures.iter().map(|_| None).collect();
    poll_fn(|context| {
        for (future, output) in futures.iter_mut().zip(&mut outputs) {
            if output.is_none()
                && let Poll::Ready(value) = future.as_mut().poll(context)
            {
                *output = Some(value);
            }
        }
        if outputs.iter().all(Option::is_some) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
    outputs.into_iter().flatten().collect()
}
