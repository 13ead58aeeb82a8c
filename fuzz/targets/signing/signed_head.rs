//! Heads of signed messages: lines of `name: value`, an empty line, a body. Nobody who feeds this knows
//! the secret, so no message may be accepted, and none may be judged by how its body was cut.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use seawall_signing::scheme::{self, HttpSignatures, Native, Scheme, StandardWebhooks};
use seawall_signing::{OwnedHead, RefusedKind, Secret, UnixTime, Verifier};

const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);

static VERIFIERS: LazyLock<Vec<Verifier>> = LazyLock::new(|| {
    vec![
        verifier(scheme::plain("x-signature")),
        verifier(scheme::plain_base64("x-signature")),
        verifier(scheme::github()),
        verifier(scheme::shopify()),
        verifier(scheme::square("https://shop.example/hooks")),
        verifier(scheme::stripe()),
        verifier(scheme::paddle()),
        verifier(scheme::slack()),
        verifier(StandardWebhooks::new()),
        verifier(StandardWebhooks::svix()),
        verifier(Native::new()),
        verifier(HttpSignatures::new()),
    ]
});

fn verifier(scheme: impl Scheme) -> Verifier {
    let secret = Secret::new("what no fuzzer will ever guess").expect("it is long enough");
    Verifier::new(scheme, secret).expect("the scheme takes shared secrets")
}

fuzz_target!(|message: &[u8]| {
    let (head, body) = parse(message);
    for verifier in VERIFIERS.iter() {
        let whole = verifier.attempt().at(NOW).verify_now(&head, body);
        let whole = whole.expect("a ring answers at once");
        let refused = whole.expect_err("nobody knows the secret").kind();
        assert_eq!(in_pieces(verifier, &head, body), refused);
    }
});

fn in_pieces(verifier: &Verifier, head: &OwnedHead, body: &[u8]) -> RefusedKind {
    let session = verifier.attempt().at(NOW).begin_now(head);
    let mut session = match session.expect("a ring answers at once") {
        Ok(session) => session,
        Err(refused) => return refused.kind(),
    };
    for piece in body.chunks(7) {
        if let Err(refused) = session.update(piece) {
            return refused.kind();
        }
    }
    let unclaimed = session.authenticate();
    unclaimed.expect_err("nobody knows the secret").kind()
}

fn parse(message: &[u8]) -> (OwnedHead, &[u8]) {
    let mut head = OwnedHead::request("POST", "https://shop.example/hooks?a=1");
    let mut rest = message;
    while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
        let line = &rest[..end];
        rest = &rest[end + 1..];
        let Some(colon) = line.windows(2).position(|pair| pair == b": ") else {
            break;
        };
        if let Ok(name) = std::str::from_utf8(&line[..colon]) {
            head = head.header(name, &line[colon + 2..]);
        }
    }
    (head, rest)
}
