//! L7: a store that is full.

use std::time::Duration;

use super::support::{RETENTION, acquire, complete, completed, fresh, release, reserve};
use crate::store::{Reserved, Settled, Store};

/// Checks that a store with room for `capacity` records, now empty, refuses one too many, keeps all
/// it has (L7), and has room again once they were released or have expired.
///
/// # Panics
///
/// Panics where the store breaks the law, and with a capacity below 2.
pub async fn never_evicts(store: &impl Store, capacity: usize, mut advance: impl FnMut(Duration)) {
    assert!(capacity >= 2, "a capacity of at least 2 is expected");
    let mut held = Vec::with_capacity(capacity);
    for at in 0..capacity {
        let ask = fresh();
        let (token, _) = acquire(store, ask, "there is room").await;
        if at % 2 == 0 {
            assert_eq!(complete(store, token, b"kept").await, Settled::Done);
        }
        held.push((ask, token));
    }
    for _ in 0..4 {
        let answer = reserve(store, fresh()).await;
        assert_eq!(
            answer,
            Reserved::Full,
            "L7: with no room a record is refused"
        );
    }
    for (at, (ask, _)) in held.iter().enumerate() {
        let answer = reserve(store, super::support::again(*ask)).await;
        if at % 2 == 0 {
            assert_eq!(answer, completed(b"kept"), "L7: nothing was evicted");
        } else {
            let in_progress = matches!(answer, Reserved::InProgress { .. });
            assert!(in_progress, "L7: nothing was evicted, got {answer:?}");
        }
    }
    let (_, token) = held[1];
    assert_eq!(release(store, token).await, Settled::Done);
    acquire(store, fresh(), "what was released makes room").await;
    advance(RETENTION);
    for _ in 0..capacity {
        acquire(store, fresh(), "what has expired makes room").await;
    }
}
