//! What must hold of every message.

use proptest::prelude::*;
use seawall_signing::scheme::{Native, Scheme};
use seawall_signing::{Envelope, Head, OwnedHead, UnixTime};

use crate::support::{DIALECTS, check, post};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// One byte of the body, changed, added or left out, refuses it.
    #[test]
    fn a_changed_body_is_refused(
        body in prop::collection::vec(any::<u8>(), 1..200),
        at in any::<prop::sample::Index>(),
        flip in 1_u8..,
        which in any::<prop::sample::Index>(),
    ) {
        let dialect = &DIALECTS[which.index(DIALECTS.len())];
        // Some dialects sign no body that begins like a time.
        prop_assume!(!dialect.scheme.refuses_body(&body[..body.len().min(16)]));
        let head = post().headers(dialect.sign(&body));
        let verifier = dialect.verifier();
        prop_assert!(check(&verifier, &head, &body).is_ok());
        let at = at.index(body.len());
        let mut changed = body.clone();
        changed[at] ^= flip;
        prop_assert!(check(&verifier, &head, &changed).is_err());
        let mut shorter = body.clone();
        shorter.remove(at);
        prop_assert!(check(&verifier, &head, &shorter).is_err());
        let mut longer = body;
        longer.insert(at, flip);
        prop_assert!(check(&verifier, &head, &longer).is_err());
    }

    /// One byte of a header refuses it, unless it only spells the same signature otherwise.
    #[test]
    fn a_changed_header_is_refused(
        line in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        which in any::<prop::sample::Index>(),
    ) {
        let dialect = &DIALECTS[which.index(DIALECTS.len())];
        let signed: Vec<_> = dialect.sign(b"{}").into_iter().collect();
        let line = line.index(signed.len());
        let mut lines: Vec<(String, Vec<u8>)> =
            signed.into_iter().map(|(name, value)| (name, value.into_bytes())).collect();
        let at = at.index(lines[line].1.len());
        let before = lines[line].1.clone();
        lines[line].1[at] = byte;
        let changed = lines[line].1.clone();
        let verdict = check(&dialect.verifier(), &post().headers(lines), b"{}");
        let respelt = changed.eq_ignore_ascii_case(&before) && byte.is_ascii_hexdigit();
        if changed != before && !respelt {
            prop_assert!(verdict.is_err(), "{:?}: {:?}", dialect.scheme, String::from_utf8_lossy(&changed));
        }
    }

    /// Header lines of any bytes are refused, and nothing panics.
    #[test]
    fn rubbish_is_refused(value in prop::collection::vec(any::<u8>(), 0..120)) {
        for dialect in &*DIALECTS {
            let head = dialect.names.iter().fold(post(), |head, name| head.header(name, value.clone()));
            let refused = check(&dialect.verifier(), &head, b"{}").is_err();
            prop_assert!(refused);
        }
    }

    /// Rubbish that looks like the real thing.
    #[test]
    fn plausible_rubbish_is_refused(value in "(t|v1|ts|h1|n|k|sig1|v0|v1a|sha256|msg)?[=,;: ()\"]{0,2}[a-z0-9=,;:() \"+/-]{0,100}") {
        for dialect in &*DIALECTS {
            let head = dialect.names.iter().fold(post(), |head, name| head.header(name, value.clone()));
            let refused = check(&dialect.verifier(), &head, b"{}").is_err();
            prop_assert!(refused);
        }
    }

    /// Two heads that differ in a signed part differ in what is signed.
    #[test]
    fn native_tells_all_messages_apart(one in message(), other in message()) {
        let native = Native::new().covering(["x-a", "x-b"]);
        let (first, second) = (native_base(&native, &one), native_base(&native, &other));
        prop_assert_eq!(one == other, first == second);
    }
}

type Message = (String, String, String, u64, Vec<String>, Vec<String>);

fn message() -> impl Strategy<Value = Message> {
    let text = "[ab:/?.]{0,3}";
    let values = || prop::collection::vec("[ab:]{0,2}", 0..3);
    (
        "[AB]{1,2}",
        text,
        "[ab:/.]{1,3}",
        0_u64..3,
        values(),
        values(),
    )
}

fn native_base(native: &Native, (method, path, query, time, a, b): &Message) -> Vec<u8> {
    let mut head = OwnedHead::request(method.as_str(), "");
    head = a
        .iter()
        .fold(head, |head, value| head.header("x-a", value.as_str()));
    head = b
        .iter()
        .fold(head, |head, value| head.header("x-b", value.as_str()));
    let mut envelope = Envelope::new();
    envelope.set_timestamp(UnixTime::from_secs(*time));
    let mut bytes = Vec::new();
    let head = Placed { head, path, query };
    native
        .before_body(&envelope, &head, &mut |piece| {
            bytes.extend_from_slice(piece);
        })
        .unwrap();
    bytes
}

/// Is a head whose path and query are whatever a test says.
struct Placed<'a> {
    head: OwnedHead,
    path: &'a str,
    query: &'a str,
}

impl Head for Placed<'_> {
    fn method(&self) -> &str {
        self.head.method()
    }

    fn path(&self) -> &str {
        self.path
    }

    fn query(&self) -> Option<&str> {
        Some(self.query)
    }

    fn scheme(&self) -> Option<&str> {
        None
    }

    fn authority(&self) -> Option<&str> {
        None
    }

    fn each_header(&self, name: &str, visit: &mut dyn FnMut(&[u8]) -> std::ops::ControlFlow<()>) {
        self.head.each_header(name, visit);
    }
}
