//! Records that a transaction within the work has completed, encryption, and what cannot be read.

use std::error::Error;

use seawall_idempotency::{
    Begun, Cipher, Completion, Fingerprint, Finished, Idempotency, MemoryStore, Outcome, Pepper,
    Policy, RecordId, Reserve, Reserved, Run, RunError, Settled, Store,
};

use crate::support::{Failed, Never, front, key};

#[tokio::test]
async fn work_that_has_completed_its_record_is_not_completed_again() {
    for fails in [false, true] {
        let front = front(Policy::at_least_once());
        let within = Outcome::new("within").status(201);
        let ran = front
            .run(&key("k"), b"", |claim| async {
                let completion = claim.completion(&within).unwrap();
                drop(claim);
                let settled = front.store().complete(&completion).await.unwrap();
                assert_eq!(settled, Settled::Done);
                if fails {
                    Err(Failed)
                } else {
                    Ok(Outcome::new("after"))
                }
            })
            .await;
        assert_eq!(
            ran.unwrap(),
            Run::Executed(within.clone()),
            "fails: {fails}"
        );
    }
}

#[tokio::test]
async fn the_same_completion_within_and_after_is_one() {
    let front = front(Policy::at_least_once());
    let outcome = Outcome::new("one").status(201);
    let ran = front
        .run(&key("k"), b"", |claim| async {
            let completion = claim.completion(&outcome).unwrap();
            drop(claim);
            let _ = front.store().complete(&completion).await.unwrap();
            Ok::<_, Never>(outcome.clone())
        })
        .await;
    assert_eq!(ran.unwrap(), Run::Executed(outcome));
}

/// Reverses, and appends the id that it is bound to. No cipher, but it tells who has called it.
#[derive(Debug)]
struct Reversing;

impl Cipher for Reversing {
    fn seal(&self, id: &RecordId, plain: &[u8]) -> Result<Vec<u8>, Box<dyn Error + Send + Sync>> {
        let reversed = plain.iter().rev().copied();
        Ok(reversed.chain(*id.as_bytes()).collect())
    }

    fn open(&self, id: &RecordId, sealed: &[u8]) -> Result<Vec<u8>, Box<dyn Error + Send + Sync>> {
        let reversed = sealed
            .strip_suffix(id.as_bytes())
            .ok_or("of another record")?;
        Ok(reversed.iter().rev().copied().collect())
    }
}

fn encrypted(store: MemoryStore) -> Idempotency<MemoryStore> {
    Idempotency::builder(store, Policy::at_least_once())
        .cipher(Reversing)
        .pepper(Pepper::new([9; 32]).unwrap())
        .namespace("n")
        .build()
        .unwrap()
}

#[tokio::test]
async fn what_is_stored_is_encrypted() {
    let (front, key) = (encrypted(MemoryStore::new()), key("k"));
    let outcome = Outcome::new("plain text");
    let begun = front.begin(&key, Fingerprint::of(b"")).await.unwrap();
    let Begun::Claimed(held) = begun else {
        panic!("{begun:?}")
    };
    let (id, print) = (held.claim().record_id(), Fingerprint::of(b""));
    assert_eq!(held.finish(&outcome).await, Finished::Stored);
    let ask = Reserve::new(id, print, seawall_idempotency::Nonce::from_u64(1));
    let Reserved::Completed(payload) = front.store().reserve(ask).await.unwrap() else {
        panic!("completed")
    };
    assert!(!payload.windows(5).any(|window| window == b"plain"));
    let begun = front.begin(&key, print).await.unwrap();
    assert!(matches!(begun, Begun::Replay(replayed) if replayed == outcome));
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_and_does_not_run() {
    let front = encrypted(MemoryStore::new());
    let run = async |body: &'static str| {
        front
            .run(&key("k"), b"", |claim| async {
                let token = claim.completion(&Outcome::new("")).unwrap().token();
                drop(claim);
                let garbage = Completion::new(token, "garbage".into());
                let _ = front.store().complete(&garbage).await.unwrap();
                Ok::<_, Never>(Outcome::new(body))
            })
            .await
    };
    let first = run("mine").await.unwrap();
    assert_eq!(
        first.outcome().map(Outcome::bytes),
        Some(&b"mine"[..]),
        "the owner has its own"
    );
    assert!(matches!(run("again").await, Err(RunError::Store(_))));
}

#[tokio::test]
async fn a_record_of_another_key_is_refused_and_does_not_run() {
    let store = MemoryStore::new();
    let plain = Idempotency::builder(store.clone(), Policy::at_least_once())
        .pepper(Pepper::new([9; 32]).unwrap())
        .namespace("n")
        .build()
        .unwrap();
    let run = async |front: &Idempotency<MemoryStore>| {
        front
            .run(&key("k"), b"", |_| async {
                Ok::<_, Never>(Outcome::new("x"))
            })
            .await
    };
    assert!(matches!(run(&plain).await.unwrap(), Run::Executed(_)));
    let Err(RunError::Store(failure)) = run(&encrypted(store)).await else {
        panic!("it must not run")
    };
    assert!(!failure.is_unavailable());
}
