//! The memory of accepted messages, seen through a verifier.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use seawall_signing::scheme::{self, Native};
use seawall_signing::{
    Claim, MemoryNonceStore, Nonce, NonceStore, OnStoreError, RefusedKind, StoreFailure, Tolerance,
    Verifier,
};

use crate::support::{DIALECTS, NOW, after, block_on, check, check_at, key, post};

#[test]
fn every_dialect_with_a_signed_time_remembers() {
    for dialect in &*DIALECTS {
        let builder = dialect
            .builder()
            .replay(MemoryNonceStore::with_capacity(16));
        if dialect.scheme.freshness() == scheme::Freshness::None {
            assert!(builder.build().is_err(), "{:?}", dialect.scheme);
            continue;
        }
        let verifier = builder.build().unwrap();
        let head = post().headers(dialect.sign(b"{}"));
        assert_eq!(check(&verifier, &head, b"{}"), Ok(()));
        assert_eq!(
            check(&verifier, &head, b"{}"),
            Err(RefusedKind::Replayed),
            "{:?}",
            dialect.scheme
        );
        let again = block_on(verifier.verify(&head, b"{}")).unwrap_err();
        assert_eq!((again.kind(), again.status()), (RefusedKind::Replayed, 401));
    }
}

#[test]
fn namespaces_and_tenants_remember_apart() {
    let dialect = &DIALECTS[5];
    let store = MemoryNonceStore::with_capacity(16);
    let build = |name: &str| {
        dialect
            .builder()
            .replay(store.clone())
            .namespace(name)
            .build()
            .unwrap()
    };
    let head = post().headers(dialect.sign(b"{}"));
    assert_eq!(check(&build("shop"), &head, b"{}"), Ok(()));
    assert_eq!(check(&build("billing"), &head, b"{}"), Ok(()));
    let shop = build("shop");
    let of = |tenant| {
        shop.attempt()
            .tenant(tenant)
            .verify_now(&head, b"{}")
            .unwrap()
    };
    assert!(of("acme").is_ok());
    assert_eq!(of("acme").unwrap_err().kind(), RefusedKind::Replayed);
    assert!(of("initech").is_ok());
}

#[test]
fn a_full_store_closes() {
    let dialect = &DIALECTS[5];
    let verifier = dialect
        .builder()
        .replay(MemoryNonceStore::with_capacity(1))
        .build()
        .unwrap();
    let head = |body| post().headers(dialect.sign(body));
    assert_eq!(check(&verifier, &head(b"1"), b"1"), Ok(()));
    let refused = verifier.verify_now(&head(b"2"), b"2").unwrap().unwrap_err();
    assert_eq!(
        (refused.kind(), refused.status()),
        (RefusedKind::ReplayStoreFull, 503)
    );
}

/// Is a store that is not well.
#[derive(Clone, Default)]
struct Ailing {
    refuses: bool,
    answer: Option<Claim>,
    seen: Arc<Mutex<Vec<(u64, u64)>>>,
}

#[derive(Debug)]
struct Down(bool);

impl fmt::Display for Down {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("connection refused")
    }
}

impl std::error::Error for Down {}

impl From<Down> for StoreFailure {
    fn from(down: Down) -> Self {
        if down.0 {
            Self::refused(down)
        } else {
            Self::unavailable(down)
        }
    }
}

impl NonceStore for Ailing {
    type Error = Down;

    async fn claim(&self, nonce: Nonce<'_>) -> Result<Claim, Down> {
        self.seen
            .lock()
            .unwrap()
            .push((nonce.expires.as_secs(), nonce.now.as_secs()));
        self.answer.ok_or(Down(self.refuses))
    }
}

#[test]
fn a_store_that_fails_closes_unless_told() {
    let dialect = &DIALECTS[5];
    let head = post().headers(dialect.sign(b"{}"));
    let verify = |store: Ailing, on_error| {
        let verifier = dialect
            .builder()
            .replay(store)
            .on_store_error(on_error)
            .build()
            .unwrap();
        block_on(verifier.verify(&head, b"{}"))
            .map(|_| ())
            .map_err(|refused| (refused.kind(), refused.status()))
    };
    let unavailable = (RefusedKind::StoreUnavailable, 503);
    assert_eq!(
        verify(Ailing::default(), OnStoreError::FailClosed),
        Err(unavailable)
    );
    assert_eq!(verify(Ailing::default(), OnStoreError::FailOpen), Ok(()));
    let refuses = Ailing {
        refuses: true,
        ..Ailing::default()
    };
    assert_eq!(verify(refuses, OnStoreError::FailOpen), Err(unavailable));
    for (answer, kind, status) in [
        (Claim::Expired, RefusedKind::ReplayWindowClosed, 401),
        (Claim::Skewed, RefusedKind::ClockSkew, 503),
        (Claim::Full, RefusedKind::ReplayStoreFull, 503),
        (Claim::Replayed, RefusedKind::Replayed, 401),
    ] {
        let store = Ailing {
            answer: Some(answer),
            ..Ailing::default()
        };
        assert_eq!(verify(store, OnStoreError::FailOpen), Err((kind, status)));
    }
}

#[test]
fn a_store_that_waits_has_no_answer_now() {
    let dialect = &DIALECTS[5];
    let store = Ailing {
        answer: Some(Claim::Fresh),
        ..Ailing::default()
    };
    let verifier = dialect.builder().replay(store.clone()).build().unwrap();
    let head = post().headers(dialect.sign(b"{}"));
    assert!(verifier.verify_now(&head, b"{}").is_none());
    assert!(store.seen.lock().unwrap().is_empty());
    assert!(block_on(verifier.verify(&head, b"{}")).is_ok());
}

#[test]
fn entries_are_kept_as_long_as_the_message_may_be_fresh() {
    let dialect = &DIALECTS[5];
    let store = Ailing {
        answer: Some(Claim::Fresh),
        ..Ailing::default()
    };
    let verifier = dialect
        .builder()
        .tolerance(Tolerance::new(
            Duration::from_secs(100),
            Duration::from_secs(40),
        ))
        .max_skew(Duration::from_secs(7))
        .replay(store.clone())
        .build()
        .unwrap();
    let ahead = dialect
        .signer()
        .draft()
        .at(after(40))
        .sign(&post(), b"{}")
        .unwrap();
    assert!(block_on(verifier.verify(&post().headers(ahead), b"{}")).is_ok());
    let signed = NOW.as_secs() + 40;
    assert_eq!(
        store.seen.lock().unwrap()[0],
        (signed + 100 + 7, NOW.as_secs())
    );
}

#[test]
fn a_session_that_outlives_the_window_is_refused() {
    static LATE: AtomicBool = AtomicBool::new(false);
    let clock = || {
        if LATE.load(Ordering::SeqCst) {
            after(331)
        } else {
            NOW
        }
    };
    let verifier = Verifier::builder(Native::new(), key("a"))
        .clock(clock)
        .replay(MemoryNonceStore::with_capacity(4))
        .build()
        .unwrap();
    let signer = seawall_signing::Signer::new(Native::new(), key("a")).clock(|| NOW);
    let head = post().headers(signer.sign(&post(), b"{}").unwrap());
    let mut slow = verifier.begin_now(&head).unwrap().unwrap();
    slow.update(b"{}").unwrap();
    assert_eq!(check(&verifier, &head, b"{}"), Ok(()));
    LATE.store(true, Ordering::SeqCst);
    assert_eq!(
        block_on(slow.finish()).unwrap_err().kind(),
        RefusedKind::ReplayWindowClosed
    );
}

#[test]
fn a_message_verified_as_of_its_receipt_is_claimed_as_of_then() {
    let dialect = &DIALECTS[5];
    let verifier = dialect
        .builder()
        .clock(|| after(90_000))
        .replay(MemoryNonceStore::new())
        .build()
        .unwrap();
    let head = post().headers(dialect.sign(b"{}"));
    assert_eq!(check(&verifier, &head, b"{}"), Err(RefusedKind::TooOld));
    assert_eq!(check_at(&verifier, &head, b"{}", after(5)), Ok(()));
    assert_eq!(
        check_at(&verifier, &head, b"{}", after(5)),
        Err(RefusedKind::Replayed)
    );
    assert!(block_on(verifier.verify_at(&head, b"{}", after(6))).is_err());
}
