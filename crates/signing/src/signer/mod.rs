//! Signing: from a message to the headers that prove it.

mod draft;
mod nonce;

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::sync::Arc;

pub use draft::Draft;
use nonce::Nonces;

use crate::clock::{Clock, SystemClock};
use crate::head::Head;
use crate::keyring::SharedKeyRing;
use crate::refused::Refused;
use crate::scheme::Scheme;

/// Signs messages of one scheme. Cheap to clone.
///
/// It signs with the primary key of its ring. During a rotation, receivers that know only the
/// former key are served too by a signer that [overlaps](Self::overlapping), in the schemes whose
/// messages carry several signatures; where a message names its key, give the receivers the new
/// key first and make it the primary then.
///
/// # Examples
///
/// ```
/// use seawall_signing::{OwnedHead, Secret, Signer, Verifier, scheme::Native};
///
/// let signer = Signer::new(Native::new(), Secret::new("between the two services")?);
/// let verifier = Verifier::new(Native::new(), Secret::new("between the two services")?)?;
///
/// let body = br#"{"amount":1200}"#;
/// let head = OwnedHead::request("POST", "https://shop.example/api/webhooks/signed");
/// let head = head.clone().headers(signer.sign(&head, body)?);
///
/// assert!(verifier.verify_now(&head, body).expect("a ring answers at once").is_ok());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Signer(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    scheme: Arc<dyn Scheme>,
    keys: SharedKeyRing,
    clock: Arc<dyn Clock>,
    nonces: Arc<Nonces>,
    overlap: bool,
}

impl Signer {
    /// Makes a signer with a secret, a key, a ring, or a ring that can be exchanged.
    #[must_use]
    pub fn new(scheme: impl Scheme, keys: impl Into<SharedKeyRing>) -> Self {
        Self(Arc::new(Inner {
            scheme: Arc::new(scheme),
            keys: keys.into(),
            clock: Arc::new(SystemClock),
            nonces: Arc::new(Nonces::new()),
            overlap: false,
        }))
    }

    /// Sets the clock. Default: the system's.
    #[must_use]
    pub fn clock(self, clock: impl Clock) -> Self {
        Self(Arc::new(Inner {
            clock: Arc::new(clock),
            ..Arc::unwrap_or_clone(self.0)
        }))
    }

    /// Signs with every active key that can sign, the primary first, where the scheme's messages
    /// carry several signatures. Default: with the primary alone.
    #[must_use]
    pub fn overlapping(self) -> Self {
        Self(Arc::new(Inner {
            overlap: true,
            ..Arc::unwrap_or_clone(self.0)
        }))
    }

    /// Signs a message, and returns the headers to send with it.
    ///
    /// The head must be the one that is sent: the same method, target and signed headers.
    ///
    /// # Errors
    ///
    /// Fails when the primary key is not good at this time or cannot sign, and when the scheme
    /// cannot carry the message.
    pub fn sign(&self, head: &impl Head, body: &[u8]) -> Result<SignedHeaders, SignError> {
        self.draft().sign(head, body)
    }

    /// Starts a message with a name or a time of its own.
    pub fn draft(&self) -> Draft<'_> {
        Draft::new(self)
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer")
            .field("scheme", &self.0.scheme.name())
            .finish_non_exhaustive()
    }
}

/// Holds the headers of a signed message: names in lower case, and values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SignedHeaders(Vec<(String, String)>);

impl SignedHeaders {
    /// Returns each name with its value.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }

    /// Returns the value of a header, whose name is given in lower case.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        self.iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value)
    }

    fn push(&mut self, name: &str, value: String) {
        self.0.push((name.to_owned(), value));
    }
}

impl IntoIterator for SignedHeaders {
    type Item = (String, String);
    type IntoIter = std::vec::IntoIter<(String, String)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// Says why a message was not signed.
#[derive(Debug)]
pub struct SignError {
    wrong: Cow<'static, str>,
    source: Option<Refused>,
}

impl SignError {
    fn new(wrong: impl Into<Cow<'static, str>>) -> Self {
        Self {
            wrong: wrong.into(),
            source: None,
        }
    }
}

impl From<Refused> for SignError {
    fn from(refused: Refused) -> Self {
        Self {
            wrong: "the scheme cannot carry this message".into(),
            source: Some(refused),
        }
    }
}

impl fmt::Display for SignError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.wrong)
    }
}

impl Error for SignError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source
            .as_ref()
            .map(|source| source as &(dyn Error + 'static))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::clock::UnixTime;
    use crate::keyring::{KeyRing, NamedKey};
    use crate::owned_head::OwnedHead;
    use crate::scheme::Native;
    use crate::secret::Secret;

    fn signer(id: &str) -> Signer {
        let key = NamedKey::new(id, Secret::new([7; 16]).unwrap());
        Signer::new(Native::new(), KeyRing::builder().key(key).build().unwrap())
    }

    #[test]
    fn a_failure_keeps_the_refusal_that_it_comes_from() {
        let head = OwnedHead::request("POST", "/");
        let failure = signer("a,b").sign(&head, b"").unwrap_err();
        assert_eq!(failure.to_string(), "the scheme cannot carry this message");
        assert_eq!(
            failure.source().unwrap().to_string(),
            "the signature header is malformed: expected a key id without a comma"
        );
    }

    #[test]
    fn the_clock_is_read_where_time_matters_alone() {
        let ends = NamedKey::new("a", Secret::new([7; 16]).unwrap()).not_after(UnixTime::default());
        let ring = |key| KeyRing::builder().key(key).build().unwrap();
        let endless = NamedKey::new("a", Secret::new([7; 16]).unwrap());
        let reads = |signer: Signer| {
            let reads = Arc::new(AtomicUsize::new(0));
            let counted = Arc::clone(&reads);
            let clock = move || {
                counted.fetch_add(1, Ordering::Relaxed);
                UnixTime::from_secs(1)
            };
            let signed = signer
                .clock(clock)
                .sign(&OwnedHead::request("POST", "/"), b"");
            (reads.load(Ordering::Relaxed), signed.is_ok())
        };
        let plain = || crate::scheme::plain("x-signature");
        assert_eq!(
            reads(Signer::new(plain(), ring(endless.clone()))),
            (0, true)
        );
        assert_eq!(reads(Signer::new(plain(), ring(ends))), (1, false));
        assert_eq!(reads(Signer::new(Native::new(), ring(endless))), (1, true));
    }

    #[test]
    fn debug_tells_the_scheme_alone() {
        assert_eq!(
            format!("{:?}", signer("a")),
            "Signer { scheme: \"seawall\", .. }"
        );
    }
}
