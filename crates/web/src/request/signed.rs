//! The head of a request as a verifier of signatures sees it.

use std::ops::ControlFlow;

use seawall_signing::Head;

use super::RequestHead;

/// Shows a [`RequestHead`] to `seawall-signing`.
///
/// A type of its own, since neither crate may implement the one's trait for the other's types.
/// Everything is handed on as it was sent. `RequestHead` has no authority where two `Host` lines
/// stand, so a scheme that signs the authority refuses such a request.
#[derive(Clone, Copy, Debug)]
#[expect(
    clippy::exhaustive_structs,
    reason = "a wrapper, made and taken apart in place"
)]
pub struct SignedHead<'a, H: ?Sized>(pub &'a H);

impl<H: RequestHead + ?Sized> Head for SignedHead<'_, H> {
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

#[cfg(test)]
mod tests {
    use seawall_signing::scheme::{Native, Scheme};
    use seawall_signing::{OwnedHead, RefusedKind, Secret, Signer, Verifier, scheme};

    use super::*;
    use crate::testing::FakeHead;

    fn verdict(scheme: impl Scheme, head: &FakeHead) -> Result<(), RefusedKind> {
        let secret = Secret::new("a secret of sixteen bytes").unwrap();
        let verifier = Verifier::new(scheme, secret).unwrap();
        let head: &dyn RequestHead = head;
        let verdict = verifier.verify_now(&SignedHead(head), b"").unwrap();
        verdict.map(drop).map_err(|refused| refused.kind())
    }

    #[test]
    fn every_line_of_a_header_is_seen_and_bytes_stay_bytes() {
        let plain = || scheme::plain("x-signature");
        let none = FakeHead::from_peer("192.0.2.1");
        assert_eq!(verdict(plain(), &none), Err(RefusedKind::MissingSignature));
        let bytes = none.with_header_bytes("x-signature", b"\xff\xfe");
        assert_eq!(verdict(plain(), &bytes), Err(RefusedKind::Malformed));
        let two = bytes.with_header_bytes("x-signature", b"\xff\xfe");
        assert_eq!(verdict(plain(), &two), Err(RefusedKind::DuplicateHeader));
    }

    #[test]
    fn method_target_and_authority_are_those_that_were_signed() {
        let secret = Secret::new("a secret of sixteen bytes").unwrap();
        let signer = Signer::new(Native::new(), secret);
        let signed = |method, target| {
            let head = OwnedHead::request(method, target);
            let headers = signer.sign(&head, b"").unwrap();
            let value = headers.value("x-signature").unwrap();
            FakeHead::from_peer("192.0.2.1").with_header("x-signature", value)
        };
        let same = signed("GET", "http://example.com/things/7");
        assert_eq!(verdict(Native::new(), &same), Ok(()));
        for (method, target) in [
            ("POST", "http://example.com/things/7"),
            ("GET", "http://example.org/things/7"),
            ("GET", "http://example.com/things/8"),
            ("GET", "http://example.com/things/7?x"),
        ] {
            let other = signed(method, target);
            assert_eq!(
                verdict(Native::new(), &other),
                Err(RefusedKind::Mismatch),
                "{method} {target}"
            );
        }
    }
}
