//! Rotation, hot swap, providers.

use std::sync::Mutex;
use std::task::Poll;

use seawall_signing::scheme::{self, Native, StandardWebhooks};
use seawall_signing::{
    KeyProvider, KeyProviderError, KeyQuery, KeyRing, MAX_ACTIVE_KEYS, NamedKey, RefusedKind,
    SharedKeyRing, Signer, Verifier,
};

use crate::support::{NOW, after, block_on, check, check_at, key, post, secret};

fn rotating() -> KeyRing {
    KeyRing::builder()
        .primary(NamedKey::new("new", key("new")).not_before(after(-10)))
        .key(NamedKey::new("old", key("old")).not_after(after(100)))
        .build()
        .unwrap()
}

#[test]
fn both_keys_verify_until_the_old_one_ends() {
    let verifier = Verifier::builder(scheme::github(), rotating())
        .clock(|| NOW)
        .build()
        .unwrap();
    let old = post().headers(
        Signer::new(scheme::github(), key("old"))
            .sign(&post(), b"x")
            .unwrap(),
    );
    let new = post().headers(
        Signer::new(scheme::github(), key("new"))
            .sign(&post(), b"x")
            .unwrap(),
    );
    assert_eq!(check_at(&verifier, &old, b"x", after(100)), Ok(()));
    assert_eq!(
        check_at(&verifier, &old, b"x", after(101)),
        Err(RefusedKind::Mismatch)
    );
    assert_eq!(check_at(&verifier, &new, b"x", after(101)), Ok(()));
    assert_eq!(
        check_at(&verifier, &new, b"x", after(-11)),
        Err(RefusedKind::Mismatch)
    );
}

#[test]
fn the_key_that_fitted_is_named() {
    let verifier = Verifier::builder(scheme::stripe(), rotating())
        .clock(|| NOW)
        .build()
        .unwrap();
    for name in ["old", "new"] {
        let signer = Signer::new(scheme::stripe(), key(name)).clock(|| NOW);
        let head = post().headers(signer.sign(&post(), b"x").unwrap());
        let verified = verifier.verify_now(&head, b"x").unwrap().unwrap();
        assert_eq!(verified.key_id().as_str(), name);
    }
}

#[test]
fn each_byte_is_counted_once_for_each_key_that_may_fit() {
    let count = |keys: KeyRing, now| {
        let verifier = Verifier::new(scheme::github(), keys).unwrap();
        let signer = Signer::new(scheme::github(), key("new"));
        let head = post().headers(signer.sign(&post(), b"1234567").unwrap());
        let mut session = verifier
            .attempt()
            .at(now)
            .begin_now(&head)
            .unwrap()
            .unwrap();
        for piece in [&b"123"[..], b"", b"4567"] {
            session.update(piece).unwrap();
        }
        session.mac_bytes()
    };
    assert_eq!(count(key("new").into(), NOW), 7);
    assert_eq!(count(rotating(), NOW), 14);
    assert_eq!(count(rotating(), after(101)), 7);
}

#[test]
fn an_overlapping_signer_serves_receivers_of_either_key() {
    let signer = Signer::new(StandardWebhooks::new(), rotating())
        .clock(|| NOW)
        .overlapping();
    let head = post().headers(signer.sign(&post(), b"x").unwrap());
    for name in ["old", "new"] {
        let verifier = Verifier::builder(StandardWebhooks::new(), secret(name)).clock(|| NOW);
        assert_eq!(check(&verifier.build().unwrap(), &head, b"x"), Ok(()));
    }
    let alone = Signer::new(StandardWebhooks::new(), rotating()).clock(|| NOW);
    let head = post().headers(alone.sign(&post(), b"x").unwrap());
    let verifier = Verifier::builder(StandardWebhooks::new(), secret("old")).clock(|| NOW);
    assert_eq!(
        check(&verifier.build().unwrap(), &head, b"x"),
        Err(RefusedKind::Mismatch)
    );
}

#[test]
fn a_signer_refuses_a_key_that_is_out_of_date() {
    let ring = KeyRing::builder()
        .key(NamedKey::new("a", key("a")).not_after(after(-1)))
        .build()
        .unwrap();
    assert!(
        Signer::new(scheme::github(), ring)
            .clock(|| NOW)
            .sign(&post(), b"x")
            .is_err()
    );
    assert!(
        Signer::new(scheme::github(), KeyRing::empty())
            .sign(&post(), b"x")
            .is_err()
    );
}

#[test]
fn a_ring_is_exchanged_under_a_running_verifier() {
    let keys = SharedKeyRing::new(key("old"));
    let verifier = Verifier::builder(scheme::github(), keys.clone())
        .clock(|| NOW)
        .build()
        .unwrap();
    let signer = Signer::new(scheme::github(), keys.clone());
    let head = post().headers(signer.sign(&post(), b"x").unwrap());
    assert_eq!(check(&verifier, &head, b"x"), Ok(()));
    let mut begun = verifier.begin_now(&head).unwrap().unwrap();
    keys.replace(key("new"));
    assert_eq!(check(&verifier, &head, b"x"), Err(RefusedKind::Mismatch));
    begun.update(b"x").unwrap();
    assert!(
        block_on(begun.finish()).is_ok(),
        "a session keeps the ring that it began with"
    );
    let head = post().headers(signer.sign(&post(), b"x").unwrap());
    assert_eq!(check(&verifier, &head, b"x"), Ok(()));
}

#[test]
fn more_keys_than_are_tried_are_refused_at_the_start() {
    let ring = |count: usize| {
        let add = |ring: seawall_signing::KeyRingBuilder, n: usize| {
            ring.key(NamedKey::new(n.to_string(), key("a")))
        };
        (0..count).fold(KeyRing::builder(), add).build().unwrap()
    };
    assert!(Verifier::new(scheme::github(), ring(MAX_ACTIVE_KEYS)).is_ok());
    assert!(Verifier::new(scheme::github(), ring(MAX_ACTIVE_KEYS + 1)).is_err());
    assert!(Verifier::new(Native::new(), ring(MAX_ACTIVE_KEYS + 1)).is_ok());
    let keys = SharedKeyRing::new(ring(1));
    let verifier = Verifier::new(scheme::github(), keys.clone()).unwrap();
    keys.replace(ring(MAX_ACTIVE_KEYS + 1));
    let head = post().headers(
        Signer::new(scheme::github(), key("a"))
            .sign(&post(), b"x")
            .unwrap(),
    );
    assert_eq!(
        check(&verifier, &head, b"x"),
        Err(RefusedKind::KeysUnavailable)
    );
}

/// Is a provider that has to wait, and records what it is asked.
#[derive(Default)]
struct Tenants {
    asked: Mutex<Vec<(Option<String>, Option<String>)>>,
}

impl KeyProvider for Tenants {
    async fn keys(&self, query: KeyQuery<'_>) -> Result<KeyRing, KeyProviderError> {
        let mut waited = false;
        std::future::poll_fn(|_| {
            if std::mem::replace(&mut waited, true) {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
        let own = |text: Option<&str>| text.map(str::to_owned);
        self.asked
            .lock()
            .unwrap()
            .push((own(query.tenant), own(query.key_id)));
        match query.tenant {
            Some("down") => Err(KeyProviderError::new("no route to host")),
            Some("acme") => Ok(KeyRing::builder()
                .key(NamedKey::new("k7", key("acme")))
                .build()
                .unwrap()),
            _ => Ok(KeyRing::empty()),
        }
    }
}

#[test]
fn a_provider_is_asked_by_tenant_and_key_id() {
    let tenants = std::sync::Arc::new(Tenants::default());
    let verifier = Verifier::builder(Native::new(), std::sync::Arc::clone(&tenants))
        .clock(|| NOW)
        .build()
        .unwrap();
    let ring = KeyRing::builder()
        .key(NamedKey::new("k7", key("acme")))
        .build()
        .unwrap();
    let signer = Signer::new(Native::new(), ring).clock(|| NOW);
    let head = post().headers(signer.sign(&post(), b"x").unwrap());
    assert!(
        verifier.verify_now(&head, b"x").is_none(),
        "keys that are fetched take time"
    );
    let verify = |tenant| block_on(verifier.attempt().tenant(tenant).verify(&head, b"x"));
    let verified = verify("acme").unwrap();
    assert_eq!(
        (verified.tenant(), verified.key_id().as_str()),
        (Some("acme"), "k7")
    );
    assert_eq!(verify("other").unwrap_err().kind(), RefusedKind::UnknownKey);
    let down = verify("down").unwrap_err();
    assert_eq!(
        (down.kind(), down.status()),
        (RefusedKind::KeysUnavailable, 503)
    );
    assert_eq!(
        tenants.asked.lock().unwrap()[0],
        (Some("acme".into()), Some("k7".into()))
    );
}

#[cfg(feature = "ed25519")]
mod ed25519 {
    use super::*;
    use seawall_signing::Key;

    fn pair(seed: u8) -> Key {
        Key::ed25519_seed(&[seed; 32])
    }

    fn mixed() -> KeyRing {
        KeyRing::builder()
            .key(NamedKey::new("shared", key("a")))
            .key(NamedKey::new("one", pair(1)))
            .key(NamedKey::new("two", pair(2)).not_after(after(100)))
            .build()
            .unwrap()
    }

    #[test]
    fn the_pair_that_fitted_is_named() {
        let verifier = Verifier::builder(StandardWebhooks::new(), mixed())
            .clock(|| NOW)
            .build()
            .unwrap();
        for (name, key) in [("shared", key("a")), ("one", pair(1)), ("two", pair(2))] {
            let signer = Signer::new(StandardWebhooks::new(), key).clock(|| NOW);
            let head = post().headers(signer.sign(&post(), b"x").unwrap());
            let verified = verifier.verify_now(&head, b"x").unwrap().unwrap();
            assert_eq!(verified.key_id().as_str(), name);
        }
        let signer = Signer::new(StandardWebhooks::new(), pair(3)).clock(|| NOW);
        let head = post().headers(signer.sign(&post(), b"x").unwrap());
        assert_eq!(check(&verifier, &head, b"x"), Err(RefusedKind::Mismatch));
    }

    #[test]
    fn one_message_carries_both_versions() {
        let signer = Signer::new(StandardWebhooks::new(), mixed())
            .clock(|| NOW)
            .overlapping();
        let signed = signer.sign(&post(), b"x").unwrap();
        let list = signed.value("webhook-signature").unwrap();
        let versions: Vec<_> = list
            .split(' ')
            .map(|one| one.split(',').next().unwrap())
            .collect();
        assert_eq!(versions, ["v1", "v1a", "v1a"]);
        for key in [key("a"), pair(1), pair(2)] {
            let verifier = Verifier::builder(StandardWebhooks::new(), key)
                .clock(|| NOW)
                .build()
                .unwrap();
            assert_eq!(
                check(&verifier, &post().headers(signed.clone()), b"x"),
                Ok(())
            );
        }
    }

    #[cfg(feature = "http-signatures")]
    #[test]
    fn a_named_pair_is_unknown_inactive_or_wrong() {
        use seawall_signing::scheme::HttpSignatures;
        let verifier = Verifier::builder(HttpSignatures::new(), mixed())
            .build()
            .unwrap();
        let judge = |name: &str, seed: u8, now: i64| {
            let ring = KeyRing::builder()
                .key(NamedKey::new(name, pair(seed)))
                .build()
                .unwrap();
            let signer = Signer::new(HttpSignatures::new(), ring).clock(move || after(now));
            let head = post().headers(signer.sign(&post(), b"x").unwrap());
            check_at(&verifier, &head, b"x", after(now))
        };
        assert_eq!(judge("two", 2, 100), Ok(()));
        assert_eq!(judge("two", 2, 101), Err(RefusedKind::KeyInactive));
        assert_eq!(judge("two", 1, 101), Err(RefusedKind::Mismatch));
        assert_eq!(judge("two", 1, 0), Err(RefusedKind::Mismatch));
        assert_eq!(judge("three", 1, 0), Err(RefusedKind::UnknownKey));
        assert_eq!(judge("shared", 1, 0), Err(RefusedKind::Mismatch));
    }
}
