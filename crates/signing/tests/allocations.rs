//! A verification with a ring, and the memory of replays, allocates nothing.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

use std::ops::ControlFlow;
use std::sync::Arc;

use seawall_signing::scheme::{self, Native, Scheme, StandardWebhooks};
use seawall_signing::{
    Head, KeyRing, MemoryNonceStore, NamedKey, OwnedHead, Secret, Signer, UnixTime, Verifier,
};

fn now() -> UnixTime {
    UnixTime::from_secs(1_700_000_000)
}

fn ring() -> KeyRing {
    let key =
        |name: &str| NamedKey::new(name, Secret::new(format!("{name}: a long secret")).unwrap());
    KeyRing::builder()
        .primary(key("new"))
        .key(key("old"))
        .build()
        .unwrap()
}

/// Is a head that itself allocates nothing.
struct Borrowed(OwnedHead);

impl Head for Borrowed {
    fn method(&self) -> &str {
        self.0.method()
    }

    fn path(&self) -> &str {
        self.0.path()
    }

    fn query(&self) -> Option<&str> {
        self.0.query()
    }

    fn scheme(&self) -> Option<&str> {
        self.0.scheme()
    }

    fn authority(&self) -> Option<&str> {
        self.0.authority()
    }

    fn each_header(&self, name: &str, visit: &mut dyn FnMut(&[u8]) -> ControlFlow<()>) {
        self.0.each_header(name, visit);
    }
}

fn schemes() -> Vec<Arc<dyn Scheme>> {
    vec![
        Arc::new(scheme::plain("x-signature")),
        Arc::new(scheme::github()),
        Arc::new(scheme::shopify()),
        Arc::new(scheme::stripe()),
        Arc::new(scheme::slack()),
        Arc::new(scheme::paddle()),
        Arc::new(StandardWebhooks::new()),
        Arc::new(Native::new().covering(["content-type"])),
    ]
}

#[test]
fn an_accepted_and_a_refused_message_allocate_nothing() {
    let target = || {
        OwnedHead::request("POST", "https://api.example.com/hooks?x=1")
            .header("content-type", "application/json")
    };
    for scheme in schemes() {
        let fresh = scheme.freshness() == scheme::Freshness::Timestamp;
        let builder = Verifier::builder(Arc::clone(&scheme), ring()).clock(now);
        let builder = if fresh {
            builder.replay(MemoryNonceStore::with_capacity(1000))
        } else {
            builder
        };
        let verifier = builder.build().unwrap();
        let signer = Signer::new(Arc::clone(&scheme), ring()).clock(now);
        let bodies: Vec<_> = (0..600).map(|n: u32| n.to_string().into_bytes()).collect();
        let heads: Vec<_> = bodies
            .iter()
            .map(|body| Borrowed(target().headers(signer.sign(&target(), body).unwrap())))
            .collect();
        let mut accepted = 0;
        let measured = allocation_counter::measure(|| {
            for (head, body) in heads.iter().zip(&bodies) {
                accepted += usize::from(verifier.verify_now(head, body).unwrap().is_ok());
                assert!(verifier.verify_now(head, b"forged").unwrap().is_err());
                if fresh {
                    assert!(verifier.verify_now(head, body).unwrap().is_err());
                }
            }
        });
        assert_eq!(accepted, 600, "{scheme:?}");
        assert_eq!(measured.count_total, 0, "{scheme:?}");
    }
}

#[test]
fn an_unknown_key_and_the_async_path_allocate_nothing_either() {
    let verifier = Verifier::builder(Native::new(), ring())
        .clock(now)
        .build()
        .unwrap();
    let other = KeyRing::builder()
        .key(NamedKey::new("unknown", Secret::new([1; 16]).unwrap()))
        .build()
        .unwrap();
    let signer = Signer::new(Native::new(), other).clock(now);
    let head = OwnedHead::request("POST", "/");
    let head = Borrowed(head.clone().headers(signer.sign(&head, b"{}").unwrap()));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(verifier.verify_now(&head, b"{}").unwrap().is_err());
    let measured = allocation_counter::measure(|| {
        let mut verify = std::pin::pin!(verifier.verify(&head, b"{}"));
        assert!(matches!(
            verify.as_mut().poll(&mut context),
            std::task::Poll::Ready(Err(_))
        ));
    });
    assert_eq!(measured.count_total, 0);
}
