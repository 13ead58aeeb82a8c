//! Keys, times, heads and dialects for the other modules.

use std::pin::pin;
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll, Waker};

use seawall_signing::scheme::{self, Native, Scheme, StandardWebhooks};
use seawall_signing::{
    Key, KeyRing, OwnedHead, Refused, RefusedKind, Secret, SignedHeaders, Signer, UnixTime,
    Verification, Verifier, VerifierBuilder,
};

pub(crate) const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);

pub(crate) fn after(secs: i64) -> UnixTime {
    UnixTime::from_secs(NOW.as_secs().checked_add_signed(secs).unwrap())
}

pub(crate) fn secret(name: &str) -> Secret {
    Secret::new(format!("{name}, a secret of some length")).unwrap()
}

pub(crate) fn key(name: &str) -> Key {
    Key::from(secret(name))
}

/// Drives a future of which every await is ready sooner or later.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}

pub(crate) fn post() -> OwnedHead {
    OwnedHead::request("POST", "https://api.example.com/hooks/a%2Fb?live=1&x=%20")
        .header("content-type", "application/json")
}

/// Is a dialect with a key that signs and one that verifies.
pub(crate) struct Dialect {
    pub(crate) scheme: Arc<dyn Scheme>,
    pub(crate) signs: Key,
    pub(crate) verifies: Key,
    verifier: Verifier,
    /// Is the names of its headers.
    pub(crate) names: Vec<String>,
}

impl Dialect {
    fn of(scheme: impl Scheme, signs: Key, verifies: Key) -> Self {
        let scheme: Arc<dyn Scheme> = Arc::new(scheme);
        let ring = KeyRing::single(verifies.clone());
        let verifier = Verifier::builder(Arc::clone(&scheme), ring)
            .clock(|| NOW)
            .build()
            .unwrap();
        let mut dialect = Self {
            scheme,
            signs,
            verifies,
            verifier,
            names: Vec::new(),
        };
        dialect.names = dialect
            .sign(b"{}")
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        dialect
    }

    fn hmac(scheme: impl Scheme) -> Self {
        Self::of(scheme, key("a"), key("a"))
    }

    #[cfg(feature = "ed25519")]
    fn ed25519(scheme: impl Scheme) -> Self {
        let signs = Key::ed25519_seed(&[7; 32]);
        let verifies = Key::ed25519_public(&signs.ed25519_public_bytes().unwrap()).unwrap();
        Self::of(scheme, signs, verifies)
    }

    pub(crate) fn builder(&self) -> VerifierBuilder {
        let ring = KeyRing::single(self.verifies.clone());
        Verifier::builder(Arc::clone(&self.scheme), ring).clock(|| NOW)
    }

    pub(crate) fn verifier(&self) -> Verifier {
        self.verifier.clone()
    }

    pub(crate) fn signer(&self) -> Signer {
        Signer::new(Arc::clone(&self.scheme), self.signs.clone()).clock(|| NOW)
    }

    pub(crate) fn sign(&self, body: &[u8]) -> SignedHeaders {
        self.signer().sign(&post(), body).unwrap()
    }
}

/// Is every dialect that the enabled features have.
pub(crate) static DIALECTS: LazyLock<Vec<Dialect>> = LazyLock::new(dialects);

fn dialects() -> Vec<Dialect> {
    #[allow(unused_mut, reason = "features add to it")]
    let mut all = vec![
        Dialect::hmac(scheme::plain("x-signature")),
        Dialect::hmac(scheme::plain_base64("x-signature")),
        Dialect::hmac(scheme::github()),
        Dialect::hmac(scheme::shopify()),
        Dialect::hmac(scheme::square("https://shop.example/hooks")),
        Dialect::hmac(scheme::stripe()),
        Dialect::hmac(scheme::paddle()),
        Dialect::hmac(scheme::slack()),
        Dialect::hmac(StandardWebhooks::new()),
        Dialect::hmac(StandardWebhooks::svix()),
        Dialect::hmac(Native::new().covering(["content-type", "x-absent"])),
    ];
    #[cfg(feature = "ed25519")]
    all.extend([
        Dialect::ed25519(scheme::discord()),
        Dialect::ed25519(StandardWebhooks::new()),
    ]);
    #[cfg(feature = "http-signatures")]
    all.push(Dialect::hmac(scheme::HttpSignatures::new()));
    #[cfg(all(feature = "http-signatures", feature = "ed25519"))]
    all.push(Dialect::ed25519(scheme::HttpSignatures::new()));
    all
}

pub(crate) fn verdict(outcome: Option<Result<Verification, Refused>>) -> Result<(), RefusedKind> {
    outcome
        .expect("rings and memory answer at once")
        .map(|_| ())
        .map_err(|refused| refused.kind())
}

pub(crate) fn check(verifier: &Verifier, head: &OwnedHead, body: &[u8]) -> Result<(), RefusedKind> {
    verdict(verifier.verify_now(head, body))
}

pub(crate) fn check_at(
    verifier: &Verifier,
    head: &OwnedHead,
    body: &[u8],
    now: UnixTime,
) -> Result<(), RefusedKind> {
    verdict(verifier.attempt().at(now).verify_now(head, body))
}
