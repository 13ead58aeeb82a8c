//! What a webhook pays for being verified, and a message for being signed.

use std::hint::black_box;

use http::{HeaderMap, HeaderName, HeaderValue, Request};
use seawall_signing::scheme::{self, Native, Scheme, StandardWebhooks};
use seawall_signing::{
    Clock, MemoryNonceStore, OwnedHead, Secret, SignedHeaders, Signer, SystemClock, Verifier,
};
use seawall_tower::HttpHead;
use seawall_web::request::SignedHead;

use crate::{
    area::{Area, Case},
    work::{Work, allocations, constant, figure, repeat},
};

/// The cases. Both sides read the same `http` headers and the same clock, and keep their keys.
#[must_use]
pub fn area() -> Area {
    Area::new("signing")
        .case(
            Case::new("verify-64b-standard-webhooks", || {
                verified(StandardWebhooks::new(), 64)
            })
            .peer("standardwebhooks", || standardwebhooks(64)),
        )
        .case(
            Case::new("verify-64b-stripe", || verified(scheme::stripe(), 64))
                .peer("webhook-verify", || webhook_verify(64)),
        )
        .case(
            Case::new("verify-16kib-standard-webhooks", || {
                verified(StandardWebhooks::new(), LONG)
            })
            .peer("standardwebhooks", || standardwebhooks(LONG)),
        )
        .case(
            Case::new("verify-16kib-stripe", || verified(scheme::stripe(), LONG))
                .peer("webhook-verify", || webhook_verify(LONG)),
        )
        .case(
            Case::new("verify-16kib-plain", || {
                verified(scheme::plain("x-signature"), LONG)
            })
            .peer("ring", || ring_verify(LONG)),
        )
        .case(
            Case::new("mac-bytes-1mib-8-candidates", || figure(|| mac_bytes(8)))
                .peer("itself-1-candidate", || figure(|| mac_bytes(1))),
        )
        .case(
            Case::heap("allocations-a-verification", remembered)
                // Fewer than one, that is none: nought cannot be divided by.
                .peer("bound", || constant(1.0)),
        )
        .case(Case::new("sign-1kib", sign).peer("ring", ring_sign))
}

const LONG: usize = 16 * 1024;
const SECRET: &str = "0123456789abcdef0123456789abcdef";

fn secret() -> Secret {
    Secret::new(SECRET).expect("32 bytes are enough")
}

/// Text, since not every peer takes other bytes.
fn body(length: usize) -> Vec<u8> {
    vec![b'x'; length]
}

fn head() -> OwnedHead {
    OwnedHead::request("POST", "https://shop.example/hooks")
}

fn signed(scheme: impl Scheme, body: &[u8]) -> SignedHeaders {
    let signer = Signer::new(scheme, secret());
    signer
        .sign(&head(), body)
        .expect("the message can be signed")
}

fn headers(signed: SignedHeaders) -> HeaderMap {
    signed
        .into_iter()
        .map(|(name, value)| {
            let name = HeaderName::from_bytes(name.as_bytes()).expect("a header's name");
            (name, HeaderValue::from_str(&value).expect("printable"))
        })
        .collect()
}

fn request(headers: HeaderMap) -> Request<()> {
    let mut request = Request::post("https://shop.example/hooks")
        .body(())
        .expect("a request");
    *request.headers_mut() = headers;
    request
}

fn verified(scheme: impl Scheme + Clone, length: usize) -> Work {
    let body = body(length);
    let request = request(headers(signed(scheme.clone(), &body)));
    let verifier = Verifier::new(scheme, secret()).expect("a verifier");
    repeat(move || {
        let head = HttpHead::of(&request);
        let verdict = verifier.verify_now(&SignedHead(&head), black_box(&body));
        assert!(verdict.is_some_and(|verdict| verdict.is_ok()));
    })
}

fn standardwebhooks(length: usize) -> Work {
    let body = body(length);
    let headers = headers(signed(StandardWebhooks::new(), &body));
    let peer = standardwebhooks::Webhook::from_bytes(SECRET.into()).expect("a key");
    repeat(move || assert!(peer.verify(black_box(&body), &headers).is_ok()))
}

fn webhook_verify(length: usize) -> Work {
    use webhook_verify::{Provider, VerifyOptions, verify};

    let body = body(length);
    let headers = headers(signed(scheme::stripe(), &body));
    let peer = webhook_verify::Secret::new(SECRET);
    repeat(move || {
        let options = VerifyOptions::default();
        let verdict = verify(Provider::Stripe, &headers, black_box(&body), &peer, options);
        assert!(verdict.is_ok());
    })
}

/// The least that a verification can be: decode, MAC, compare, with a kept key.
fn ring_verify(length: usize) -> Work {
    let body = body(length);
    let headers = headers(signed(scheme::plain("x-signature"), &body));
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, SECRET.as_bytes());
    repeat(move || {
        let text = headers["x-signature"].as_bytes();
        let mut mac = [0; 32];
        for (byte, pair) in mac.iter_mut().zip(text.chunks_exact(2)) {
            *byte = (digit(pair[0]) << 4) | digit(pair[1]);
        }
        assert!(ring::hmac::verify(&key, black_box(&body), &mac).is_ok());
    })
}

fn digit(text: u8) -> u8 {
    match text {
        b'0'..=b'9' => text - b'0',
        _ => text - b'a' + 10,
    }
}

#[expect(clippy::cast_precision_loss, reason = "a mebibyte is exact")]
fn mac_bytes(candidates: usize) -> f64 {
    let wrong = vec![format!("v1={}", "0".repeat(64)); candidates].join(",");
    let now = SystemClock.now().as_secs();
    let head = head().header("stripe-signature", format!("t={now},{wrong}"));
    let verifier = Verifier::new(scheme::stripe(), secret()).expect("a verifier");
    let mut session = match verifier.begin_now(&head) {
        Some(Ok(session)) => session,
        other => panic!("the head is fine: {other:?}"),
    };
    session
        .update(&body(1 << 20))
        .expect("the body is not too long");
    session.mac_bytes() as f64
}

/// Each verification is of a new message, and the memory of replays takes it in.
fn remembered() -> Work {
    const MESSAGES: usize = 8192;
    let body = body(64);
    let requests: Vec<_> = (0..MESSAGES)
        .map(|_| request(headers(signed(Native::new(), &body))))
        .collect();
    let verifier = Verifier::builder(Native::new(), secret())
        .replay(MemoryNonceStore::with_capacity(MESSAGES))
        .build()
        .expect("a verifier");
    let mut next = 0;
    allocations(move || {
        let head = HttpHead::of(&requests[next]);
        next += 1;
        let verdict = verifier.verify_now(&SignedHead(&head), &body);
        assert!(verdict.is_some_and(|verdict| verdict.is_ok()));
    })
}

/// A whole signed header, as text.
fn sign() -> Work {
    let body = body(1024);
    let head = head();
    let signer = Signer::new(scheme::plain("x-signature"), secret());
    repeat(move || signer.sign(&head, black_box(&body)))
}

/// The same text, from a kept key.
fn ring_sign() -> Work {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let body = body(1024);
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, SECRET.as_bytes());
    repeat(move || {
        let mac = ring::hmac::sign(&key, black_box(&body));
        let mut text = String::with_capacity(64);
        for byte in mac.as_ref() {
            text.push(char::from(DIGITS[usize::from(byte >> 4)]));
            text.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
        vec![("x-signature".to_owned(), text)]
    })
}
