//! Records that no other call uses, and calls that have to be answered.

use std::future::poll_fn;
use std::hash::{BuildHasher, RandomState};
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;

use crate::fingerprint::Fingerprint;
use crate::operation::RecordId;
use crate::store::{Completion, Nonce, OnLapse, Reserve, Reserved, Settled, Store, Token};

pub(super) const LEASE: Duration = Duration::from_secs(10);
pub(super) const RETENTION: Duration = Duration::from_secs(1000);
pub(super) const TICK: Duration = Duration::from_millis(1);

/// Asks for a record that nobody has asked for, with the lease and retention above.
pub(super) fn fresh() -> Reserve {
    let mut id = [0; 32];
    for (at, part) in id.chunks_mut(8).enumerate() {
        part.copy_from_slice(&random(at as u64).to_be_bytes());
    }
    Reserve::new(RecordId::from_bytes(id), fingerprint(1), nonce())
        .lease(LEASE)
        .retention(RETENTION)
}

/// The same question of another attempt.
pub(super) fn again(ask: Reserve) -> Reserve {
    Reserve {
        nonce: nonce(),
        ..ask
    }
}

pub(super) fn taking_over(ask: Reserve) -> Reserve {
    again(ask).on_lapse(OnLapse::TakeOver)
}

pub(super) fn nonce() -> Nonce {
    Nonce::from_u64(random(0))
}

pub(super) fn fingerprint(name: u8) -> Fingerprint {
    Fingerprint::from_bytes([name; 32])
}

fn random(salt: u64) -> u64 {
    RandomState::new().hash_one(salt)
}

pub(super) async fn reserve(store: &impl Store, ask: Reserve) -> Reserved {
    store
        .reserve(ask)
        .await
        .unwrap_or_else(|e| panic!("the store answers: {e}"))
}

/// Reserves what has to be had, and returns the token and the attempt.
pub(super) async fn acquire(store: &impl Store, ask: Reserve, why: &str) -> (Token, u32) {
    match reserve(store, ask).await {
        Reserved::Acquired { fence, attempt } => (Token::new(ask.id, fence, ask.nonce), attempt),
        other => panic!("{why}, but the answer is {other:?}"),
    }
}

pub(super) async fn complete(store: &impl Store, token: Token, payload: &[u8]) -> Settled {
    store
        .complete(&Completion::new(token, Bytes::copy_from_slice(payload)))
        .await
        .unwrap_or_else(|e| panic!("the store answers: {e}"))
}

pub(super) async fn release(store: &impl Store, token: Token) -> Settled {
    store
        .release(token)
        .await
        .unwrap_or_else(|e| panic!("the store answers: {e}"))
}

pub(super) async fn renew(store: &impl Store, token: Token, lease: Duration) -> Settled {
    store
        .renew(token, lease)
        .await
        .unwrap_or_else(|e| panic!("the store answers: {e}"))
}

pub(super) fn completed(payload: &[u8]) -> Reserved {
    Reserved::Completed(Bytes::copy_from_slice(payload))
}

/// Polls all futures in turn until each is done.
pub(super) async fn all<F: Future>(futures: Vec<F>) -> Vec<F::Output> {
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
