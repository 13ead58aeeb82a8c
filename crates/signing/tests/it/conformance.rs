//! The memory store against the laws of stores, and the laws against stores that break them.

use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;

use seawall_signing::conformance::{TimeOf, laws, lives_until_it_expires, never_evicts};
use seawall_signing::{BoxNonceStore, Claim, MemoryNonceStore, Nonce, NonceStore, UnixTime};

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
struct Racy(Mutex<std::collections::HashSet<[u8; 32]>>);

impl NonceStore for Racy {
    type Error = Infallible;

    async fn claim(&self, nonce: Nonce<'_>) -> Result<Claim, Infallible> {
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
        Ok(if known { Claim::Replayed } else { Claim::Fresh })
    }
}

#[test]
#[should_panic(expected = "of claims that overlap exactly one is fresh")]
fn a_store_in_two_steps_is_found_out() {
    block_on(laws(&Racy::default(), NOW, TimeOf::Caller));
}

#[test]
#[should_panic(expected = "a clock ten minutes off is refused")]
fn a_store_that_believes_any_clock_is_found_out() {
    let believes = MemoryNonceStore::with_capacity(1000);
    block_on(laws(&believes, NOW, TimeOf::Store));
}

/// Is what one store does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Nothing,
    RemembersNothing,
    TakesLateClaims,
    LimitsScopes,
    ClaimsUnpolled,
    ClaimsAndSaysItWaits,
    ForgetsASecondEarly,
    Evicts,
}

/// Is a list of what was claimed, with a fault.
struct Listed {
    fault: Fault,
    capacity: usize,
    held: Mutex<Vec<([u8; 32], UnixTime)>>,
}

impl Listed {
    fn new(fault: Fault, capacity: usize) -> Self {
        let held = Mutex::default();
        Self {
            fault,
            capacity,
            held,
        }
    }

    fn take(&self, nonce: Nonce<'_>) -> Claim {
        let mut held = self.held.lock().unwrap();
        let early = self.fault == Fault::ForgetsASecondEarly;
        held.retain(|(_, until)| *until > nonce.now || *until == nonce.now && !early);
        let known = held.iter().any(|(digest, _)| digest == nonce.digest);
        if known && self.fault != Fault::RemembersNothing {
            return Claim::Replayed;
        }
        if nonce.expires < nonce.now && self.fault != Fault::TakesLateClaims {
            return Claim::Expired;
        }
        if nonce.scope.len() > 255 && self.fault == Fault::LimitsScopes {
            return Claim::Full;
        }
        if held.len() == self.capacity {
            if self.fault != Fault::Evicts {
                return Claim::Full;
            }
            held.remove(0);
        }
        held.push((*nonce.digest, nonce.expires));
        Claim::Fresh
    }
}

impl NonceStore for Listed {
    type Error = Infallible;

    fn claim(&self, nonce: Nonce<'_>) -> impl Future<Output = Result<Claim, Infallible>> + Send {
        let unpolled = (self.fault == Fault::ClaimsUnpolled).then(|| self.take(nonce));
        async move { Ok(unpolled.unwrap_or_else(|| self.take(nonce))) }
    }

    fn claim_now(&self, nonce: Nonce<'_>) -> Option<Result<Claim, Infallible>> {
        if self.fault == Fault::ClaimsAndSaysItWaits {
            self.take(nonce);
        }
        None
    }
}

/// Returns what all laws say of a store with this fault: the empty text where they are kept.
fn found(fault: Fault) -> String {
    let all = || {
        let store = Listed::new(fault, 1000);
        block_on(laws(&store, NOW, TimeOf::Caller));
        block_on(lives_until_it_expires(&store, NOW, |_| ()));
        block_on(never_evicts(&Listed::new(fault, 32), NOW, 32));
    };
    match catch_unwind(AssertUnwindSafe(all)) {
        Ok(()) => String::new(),
        Err(panic) => *panic.downcast::<String>().unwrap(),
    }
}

#[test]
fn every_law_finds_the_store_that_breaks_it() {
    assert_eq!(found(Fault::Nothing), "");
    for (fault, law) in [
        (
            Fault::RemembersNothing,
            "the same message again is a replay",
        ),
        (Fault::TakesLateClaims, "a claim past its expiry is refused"),
        (Fault::LimitsScopes, "fresh in scope"),
        (
            Fault::ClaimsUnpolled,
            "a claim that was never polled has claimed nothing",
        ),
        (
            Fault::ClaimsAndSaysItWaits,
            "a claim that did not answer at once has done nothing",
        ),
        (
            Fault::ForgetsASecondEarly,
            "an entry lives in the second in which it expires",
        ),
        (Fault::Evicts, "with no room left a claim is refused"),
    ] {
        let told = found(fault);
        assert!(told.contains(law), "{fault:?}: {told}");
    }
}
