//! What types can do across threads, and what they never show.

use seawall_signing::{
    Attempt, BoxNonceStore, ContentDigest, Draft, Envelope, Key, KeyRing, Keys, MemoryNonceStore,
    OwnedHead, Refused, Secret, Session, SharedKeyRing, SignedHeaders, Signer, Tolerance,
    Unclaimed, Verification, Verifier, VerifierBuilder, scheme,
};
use static_assertions::{assert_impl_all, assert_not_impl_any};

use crate::support::{post, secret};

assert_impl_all!(Verifier: Send, Sync, Clone, std::fmt::Debug);
assert_impl_all!(Signer: Send, Sync, Clone, std::fmt::Debug);
assert_impl_all!(KeyRing: Send, Sync, Clone, std::fmt::Debug);
assert_impl_all!(SharedKeyRing: Send, Sync, Clone, std::fmt::Debug);
assert_impl_all!(Keys: Send, Sync, Clone, std::fmt::Debug);
assert_impl_all!(MemoryNonceStore: Send, Sync, Clone, std::fmt::Debug);
assert_impl_all!(BoxNonceStore: Send, Sync, Clone, std::fmt::Debug);
assert_impl_all!(Verification: Send, Sync, Clone, std::fmt::Debug);
assert_impl_all!(Key: Send, Sync, Clone, std::fmt::Debug);
assert_impl_all!(Session: Send, Sync, std::fmt::Debug);
assert_impl_all!(Unclaimed: Send, Sync, std::fmt::Debug);
assert_impl_all!(VerifierBuilder: Send, Sync, std::fmt::Debug);
assert_impl_all!(Refused: Send, Sync, std::error::Error);
assert_impl_all!(Attempt<'static>: Send, Sync, Copy);
assert_impl_all!(Draft<'static>: Send, Sync, Copy);
assert_impl_all!(Envelope: Send, Sync, Clone);
assert_impl_all!(ContentDigest: Send, Sync, Copy);
assert_impl_all!(Tolerance: Send, Sync, Copy);
assert_impl_all!(SignedHeaders: Send, Sync, Clone);
assert_impl_all!(OwnedHead: Send, Sync, Clone);
assert_not_impl_any!(Secret: Clone, Copy, PartialEq, std::fmt::Display);
assert_not_impl_any!(Key: PartialEq, std::fmt::Display);

#[test]
fn the_futures_are_send() {
    fn send<T: Send>(_: &T) {}
    let verifier = Verifier::new(scheme::github(), secret("a")).unwrap();
    let head = post();
    send(&verifier.verify(&head, b""));
    send(&verifier.begin(&head));
    let dynamic: &(dyn seawall_signing::Head + Sync) = &head;
    send(&verifier.verify(&dynamic, b""));
}
