//! What a signer writes, its verifier reads, however the body comes.

use seawall_signing::scheme::{Freshness, Scheme};
use seawall_signing::{MemoryNonceStore, OwnedHead, RefusedKind, VerifierBuilder};

use crate::support::{DIALECTS, NOW, after, block_on, check, check_at, post};

const BODIES: [&[u8]; 4] = [
    b"",
    br#"{"id":"evt_1"}"#,
    &[0xff, 0xfe, 0, b'\n'],
    &[b'x'; 5000],
];

#[test]
fn every_dialect_verifies_what_it_signed() {
    for dialect in &*DIALECTS {
        for body in BODIES {
            let head = post().headers(dialect.sign(body));
            let verifier = dialect.verifier();
            assert_eq!(
                check(&verifier, &head, body),
                Ok(()),
                "{:?}",
                dialect.scheme
            );
            assert!(
                block_on(verifier.verify(&head, body)).is_ok(),
                "{:?}",
                dialect.scheme
            );
        }
    }
}

#[test]
fn a_body_in_pieces_is_the_same_body() {
    for dialect in &*DIALECTS {
        let body = BODIES[3];
        let head = post().headers(dialect.sign(body));
        for size in [1, 63, 64, 65, 5000] {
            let mut session = block_on(dialect.verifier().begin(&head)).unwrap();
            for chunk in body.chunks(size) {
                session.update(chunk).unwrap();
            }
            assert_eq!(session.remaining(), (1 << 20) - body.len());
            assert!(
                block_on(session.finish()).is_ok(),
                "{:?} in pieces of {size}",
                dialect.scheme
            );
        }
    }
}

#[test]
fn another_body_is_refused() {
    for dialect in &*DIALECTS {
        let head = post().headers(dialect.sign(b"one"));
        for body in [&b"two"[..], b"", b"one ", b"on"] {
            let refused = check(&dialect.verifier(), &head, body).unwrap_err();
            let expected = [RefusedKind::Mismatch, RefusedKind::DigestMismatch];
            assert!(
                expected.contains(&refused),
                "{:?}: {refused:?}",
                dialect.scheme
            );
        }
    }
}

#[test]
fn a_signed_time_keeps_to_the_tolerance() {
    for dialect in &*DIALECTS {
        let head = post().headers(dialect.sign(b"{}"));
        let at = |secs| check_at(&dialect.verifier(), &head, b"{}", after(secs));
        if dialect.scheme.freshness() == Freshness::Timestamp {
            assert_eq!(at(300), Ok(()));
            assert_eq!(at(301), Err(RefusedKind::TooOld), "{:?}", dialect.scheme);
            assert_eq!(at(-60), Ok(()));
            assert_eq!(at(-61), Err(RefusedKind::TooNew), "{:?}", dialect.scheme);
        } else {
            assert_eq!(at(1_000_000), Ok(()));
        }
    }
}

#[test]
fn a_message_id_travels_where_there_is_a_place() {
    for dialect in &*DIALECTS {
        let named = dialect
            .signer()
            .draft()
            .message_id("msg_7")
            .sign(&post(), b"{}");
        if dialect.scheme.needs().message_id {
            let head = post().headers(named.unwrap());
            let verified = dialect
                .verifier()
                .verify_now(&head, b"{}")
                .unwrap()
                .unwrap();
            assert_eq!(verified.message_id(), Some("msg_7"));
        } else {
            assert!(named.is_err(), "{:?}", dialect.scheme);
        }
    }
}

#[test]
fn what_was_verified_tells_time_and_replay_key() {
    let dialect = DIALECTS
        .iter()
        .find(|dialect| dialect.scheme.name() == "stripe")
        .unwrap();
    let verified = |builder: VerifierBuilder, body: &[u8]| {
        let head = post().headers(dialect.sign(body));
        let verifier = builder.build().unwrap();
        verifier.verify_now(&head, body).unwrap().unwrap()
    };
    let plain = verified(dialect.builder(), b"1");
    assert_eq!((plain.timestamp(), plain.replay_key()), (Some(NOW), None));
    let key = |body| {
        let store = MemoryNonceStore::with_capacity(1);
        *verified(dialect.builder().replay(store), body)
            .replay_key()
            .unwrap()
    };
    assert_eq!(key(b"1"), key(b"1"));
    assert_ne!(key(b"1"), key(b"2"));
}

#[test]
fn a_message_without_its_headers_is_refused_as_such() {
    for dialect in &*DIALECTS {
        let kind = check(&dialect.verifier(), &OwnedHead::request("POST", "/"), b"").unwrap_err();
        assert_eq!(kind, RefusedKind::MissingSignature, "{:?}", dialect.scheme);
    }
}
