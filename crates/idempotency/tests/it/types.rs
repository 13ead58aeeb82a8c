//! What types promise.

use std::fmt::Debug;

use seawall_idempotency::{
    Begun, BoxStore, Claim, Completion, Fingerprint, Idempotency, IdempotencyKey, MemoryStore,
    Outcome, Policy, RecordId, Run, RunError, Store, StoreFailure,
};
use static_assertions::assert_impl_all;

use crate::support::{Never, key};

assert_impl_all!(Idempotency<MemoryStore>: Clone, Send, Sync, Debug);
assert_impl_all!(MemoryStore: Clone, Send, Sync, Debug);
assert_impl_all!(BoxStore: Clone, Send, Sync, Debug);
assert_impl_all!(Claim: Clone, Send, Sync, Debug);
assert_impl_all!(Completion: Clone, Send, Sync, Debug);
assert_impl_all!(Begun<MemoryStore>: Send, Sync, Debug);
assert_impl_all!(StoreFailure: Send, Sync, std::error::Error);
assert_impl_all!(RunError<Never>: Send, Sync, std::error::Error);
assert_impl_all!(IdempotencyKey: Clone, Send, Sync, Eq);
assert_impl_all!(RecordId: Copy, Send, Sync, Eq);
assert_impl_all!(Policy: Clone, Send, Sync, Eq);

/// As a layer does it: over any store, in a task of its own.
async fn in_a_task<S: Store>(front: Idempotency<S>, key: IdempotencyKey) -> Outcome {
    let task = tokio::spawn(async move {
        let begun = front.begin(&key, Fingerprint::of(b"")).await.unwrap();
        let Begun::Claimed(mut held) = begun else {
            panic!("it is new")
        };
        let outcome = held.execute(async { Outcome::new("done") }).await.unwrap();
        let _ = held.finish(&outcome).await;
        let again = front.run(&key, b"", |_| async { Ok::<_, Never>(Outcome::new("")) });
        match again.await.unwrap() {
            Run::Replayed(outcome) => outcome,
            other => panic!("{other:?}"),
        }
    });
    task.await.unwrap()
}

#[tokio::test]
async fn all_of_it_can_be_spawned_over_any_store() {
    let policy = Policy::at_most_once;
    let memory = Idempotency::new(MemoryStore::new(), policy()).unwrap();
    let boxed = Idempotency::new(BoxStore::new(MemoryStore::new()), policy()).unwrap();
    let (one, other) = (
        in_a_task(memory, key("k")).await,
        in_a_task(boxed, key("k")).await,
    );
    assert_eq!(one.bytes(), b"done");
    assert_eq!(one, other);
}
