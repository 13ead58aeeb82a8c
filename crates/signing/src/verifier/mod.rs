//! Verifying: from the head of a message to a verdict on all of it.

mod attempt;
mod builder;
mod lanes;
mod pass;
mod session;
mod unclaimed;
mod verification;

#[cfg(feature = "ed25519")]
#[path = "ed25519.rs"]
mod public;
#[cfg(not(feature = "ed25519"))]
#[path = "without_ed25519.rs"]
mod public;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

pub use attempt::Attempt;
pub use builder::VerifierBuilder;
pub use session::Session;
pub use unclaimed::Unclaimed;
pub use verification::Verification;

use crate::clock::{Clock, UnixTime};
use crate::config_error::ConfigError;
use crate::head::Head;
use crate::keyring::Keys;
use crate::observer::Observer;
use crate::refused::Refused;
use crate::replay::{BoxNonceStore, OnStoreError};
use crate::scheme::Scheme;
use crate::tolerance::Tolerance;

/// Judges messages of one scheme.
///
/// It is cheap to clone, and every type that it was built from is behind it, so that a handler or
/// a layer names none of them. One verification allocates nothing with a key ring and without a
/// store or with the one in memory (Ed25519 and HTTP Message Signatures excepted).
///
/// # Two ways
///
/// - The body is at hand: [`verify`](Self::verify).
/// - The body still comes: [`begin`](Self::begin) with the head, which refuses early what cannot
///   become right, then [`Session::update`] and [`Session::finish`]. It is the same code.
///
/// # Examples
///
/// ```
/// use seawall_signing::{OwnedHead, Secret, Verifier, scheme};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let verifier = Verifier::new(scheme::github(), Secret::new("It's a Secret to Everybody")?)?;
///
/// let head = OwnedHead::request("POST", "/hooks").header(
///     "X-Hub-Signature-256",
///     "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
/// );
/// assert!(verifier.verify(&head, b"Hello, World!").await.is_ok());
/// assert!(verifier.verify(&head, b"Hello, world!").await.is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Verifier(Arc<Inner>);

struct Inner {
    scheme: Arc<dyn Scheme>,
    keys: Keys,
    tolerance: Tolerance,
    clock: Arc<dyn Clock>,
    max_body: usize,
    replay: Option<Replay>,
    observer: Arc<dyn Observer>,
}

struct Replay {
    store: BoxNonceStore,
    on_error: OnStoreError,
    max_skew: Duration,
    namespace: Box<str>,
}

impl Inner {
    /// Tells the observer of a refusal on its way out.
    fn note(&self, refused: Refused) -> Refused {
        self.observer.refused(self.scheme.name(), &refused);
        refused
    }
}

impl Verifier {
    /// Makes a verifier with every setting at its default, and no memory of replays.
    ///
    /// # Errors
    ///
    /// Refuses what [`VerifierBuilder::build`] refuses.
    pub fn new(scheme: impl Scheme, keys: impl Into<Keys>) -> Result<Self, ConfigError> {
        Self::builder(scheme, keys).build()
    }

    /// Starts with a scheme, and with a secret, a key, a ring or a provider of rings.
    pub fn builder(scheme: impl Scheme, keys: impl Into<Keys>) -> VerifierBuilder {
        VerifierBuilder::new(Arc::new(scheme), keys.into())
    }

    /// Returns the scheme.
    #[must_use]
    pub fn scheme(&self) -> &dyn Scheme {
        &*self.0.scheme
    }

    /// Returns how many bytes a body may have.
    #[must_use]
    pub fn max_body(&self) -> usize {
        self.0.max_body
    }

    /// Returns whether accepted messages are remembered.
    #[must_use]
    pub fn remembers(&self) -> bool {
        self.0.replay.is_some()
    }

    /// Starts an attempt with settings of its own: a tenant, or a time.
    pub fn attempt(&self) -> Attempt<'_> {
        Attempt::new(self)
    }

    /// Verifies a message whose body is at hand.
    ///
    /// The future is `Send` where the head is `Sync`.
    ///
    /// # Errors
    ///
    /// Refuses every message that is not proven authentic and fresh.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the message perhaps remembered and surely not accepted. Sent
    /// again, it may then be refused as a replay.
    pub async fn verify<H: Head>(&self, head: &H, body: &[u8]) -> Result<Verification, Refused> {
        self.attempt().verify(head, body).await
    }

    /// Verifies as [`verify`](Self::verify) does, by the time `now`: that of receipt, for a message
    /// that waited in a queue of ours.
    ///
    /// # Errors
    ///
    /// As for [`verify`](Self::verify). With a store the claim is also made as of `now`; one whose
    /// own clock is far from it refuses.
    pub async fn verify_at<H: Head>(
        &self,
        head: &H,
        body: &[u8],
        now: UnixTime,
    ) -> Result<Verification, Refused> {
        self.attempt().at(now).verify(head, body).await
    }

    /// Verifies without waiting, or returns `None` where keys or store cannot be had without.
    ///
    /// With a ring, and no store or the one in memory, it is always `Some`.
    pub fn verify_now<H: Head>(
        &self,
        head: &H,
        body: &[u8],
    ) -> Option<Result<Verification, Refused>> {
        self.attempt().verify_now(head, body)
    }

    /// Judges the head, and starts on the body.
    ///
    /// # Errors
    ///
    /// Refuses at once a message whose headers are missing, repeated, malformed or too many, whose
    /// time is off, whose length is announced to be too great, or whose keys cannot be had. An
    /// unknown key is none of these: it is found out at the end, like a wrong signature.
    pub async fn begin<H: Head>(&self, head: &H) -> Result<Session, Refused> {
        self.attempt().begin(head).await
    }

    /// Begins without waiting, or returns `None` where the keys cannot be had without.
    pub fn begin_now<H: Head>(&self, head: &H) -> Option<Result<Session, Refused>> {
        self.attempt().begin_now(head)
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier")
            .field("scheme", &self.0.scheme.name())
            .field("tolerance", &self.0.tolerance)
            .field("max_body", &self.0.max_body)
            .field("remembers", &self.remembers())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::MemoryNonceStore;
    use crate::scheme::Native;
    use crate::secret::Secret;

    fn builder() -> VerifierBuilder {
        Verifier::builder(Native::new(), Secret::new([7; 16]).unwrap())
    }

    #[test]
    fn a_verifier_tells_its_settings() {
        let plain = builder().build().unwrap();
        assert_eq!((plain.max_body(), plain.remembers()), (1 << 20, false));
        let store = MemoryNonceStore::with_capacity(1);
        let set = builder().max_body(7).replay(store).build().unwrap();
        assert_eq!((set.max_body(), set.remembers()), (7, true));
    }

    #[test]
    fn debug_shows_settings_and_no_key() {
        let verifier = builder().tolerance(Tolerance::unchecked()).build().unwrap();
        assert_eq!(
            format!("{:?}", builder()),
            "VerifierBuilder { scheme: Native { header: \"x-signature\", covered: [], \
             authority: None }, .. }"
        );
        assert_eq!(
            format!("{verifier:?}"),
            "Verifier { scheme: \"seawall\", tolerance: Tolerance(None), max_body: 1048576, \
             remembers: false, .. }"
        );
    }

    #[test]
    fn debug_of_a_verification_under_way_shows_no_secret() {
        let signer = crate::Signer::new(Native::new(), Secret::new([7; 16]).unwrap());
        let head = crate::OwnedHead::request("POST", "/");
        let head = head.clone().headers(signer.sign(&head, b"{}").unwrap());
        let verifier = builder().build().unwrap();
        let mut session = verifier.begin_now(&head).unwrap().unwrap();
        session.update(b"{}").unwrap();
        assert_eq!(format!("{session:?}"), "Session { read: 2, .. }");
        assert_eq!(
            format!("{:?}", session.authenticate().unwrap()),
            "Unclaimed"
        );
    }
}
