//! The memory store against the laws of stores.

use seawall_signing::conformance::{TimeOf, laws, lives_until_it_expires, never_evicts};
use seawall_signing::{BoxNonceStore, MemoryNonceStore};

use crate::support::{NOW, block_on};

#[test]
fn memory_keeps_the_laws() {
    let store = MemoryNonceStore::with_capacity(1000);
    block_on(laws(&store, NOW, TimeOf::Caller));
    block_on(lives_until_it_expires(&store, NOW, |_| ()));
    block_on(never_evicts(&MemoryNonceStore::with_capacity(32), NOW, 32));
}

#[test]
fn a_box_changes_nothing() {
    let store = BoxNonceStore::new(MemoryNonceStore::with_capacity(1000));
    block_on(laws(&store, NOW, TimeOf::Caller));
}

/// Is a store that looks first and writes then.
#[derive(Default)]
struct Racy(std::sync::Mutex<std::collections::HashSet<[u8; 32]>>);

impl seawall_signing::NonceStore for Racy {
    type Error = std::convert::Infallible;

    async fn claim(
        &self,
        nonce: seawall_signing::Nonce<'_>,
    ) -> Result<seawall_signing::Claim, Self::Error> {
        let known = self.0.lock().unwrap().contains(nonce.digest);
        let mut waited = false;
        std::future::poll_fn(|_| {
            if std::mem::replace(&mut waited, true) {
                std::task::Poll::Ready(())
            } else {
                std::task::Poll::Pending
            }
        })
        .await;
        self.0.lock().unwrap().insert(*nonce.digest);
        Ok(if known {
            seawall_signing::Claim::Replayed
        } else {
            seawall_signing::Claim::Fresh
        })
    }
}

#[test]
#[should_panic(expected = "of claims that overlap exactly one is fresh")]
fn a_store_in_two_steps_is_found_out() {
    block_on(laws(&Racy::default(), NOW, TimeOf::Caller));
}
