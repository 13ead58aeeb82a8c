//! Schemes: how a dialect writes its signatures, and which bytes they are over.
//!
//! A scheme parses and frames. It holds no key, reads no clock and computes no signature, so that
//! what must be done in constant time is done in one place for all of them.

#[cfg(feature = "http-signatures")]
mod http_signatures;
mod native;
mod providers;
mod standard_webhooks;
mod template;

use std::fmt;
use std::sync::Arc;

#[cfg(feature = "http-signatures")]
#[cfg_attr(docsrs, doc(cfg(feature = "http-signatures")))]
pub use http_signatures::{HttpSignatures, HttpSignaturesBuilder};
pub use native::Native;
#[cfg(feature = "ed25519")]
pub use providers::discord;
pub use providers::{github, paddle, plain, plain_base64, shopify, slack, square, stripe};
pub use standard_webhooks::StandardWebhooks;
pub use template::{Part, Template, TemplateBuilder};

use crate::envelope::Envelope;
use crate::head::Head;
use crate::key::Algorithm;
use crate::refused::Refused;

/// Is one dialect of signing.
///
/// [`read`](Self::read) and [`write`](Self::write) are inverses, and the bytes that
/// [`before_body`](Self::before_body), the body and [`after_body`](Self::after_body) make must tell
/// every two messages apart. Implement it where a [`Template`] does not reach.
pub trait Scheme: fmt::Debug + Send + Sync + 'static {
    /// Returns the name of the dialect. It is a part of what a replay is recognised by.
    fn name(&self) -> &str;

    /// Returns the algorithms that its signatures may have.
    fn algorithms(&self) -> &[Algorithm] {
        &[Algorithm::HmacSha256]
    }

    /// Returns what of its headers is signed and makes a message fresh.
    fn freshness(&self) -> Freshness;

    /// Returns whether its messages name the key they are signed with.
    fn names_key(&self) -> bool {
        false
    }

    /// Returns in which form the body is signed.
    fn body_form(&self) -> BodyForm {
        BodyForm::Raw
    }

    /// Returns how many signatures a message may carry, so that a sender can sign with the new and
    /// the former key at once.
    fn max_signatures(&self) -> usize {
        1
    }

    /// Returns what a signer must put into the envelope besides the signatures.
    fn needs(&self) -> Needs;

    /// Reads the headers. Cheap, and before the body is read.
    ///
    /// # Errors
    ///
    /// Refuses whatever this dialect would not have written.
    fn read(&self, head: &dyn Head) -> Result<Envelope, Refused>;

    /// Writes the signed bytes that come before the body.
    ///
    /// # Errors
    ///
    /// Refuses a head that lacks a signed part, or in which one could be taken for another.
    fn before_body(
        &self,
        envelope: &Envelope,
        head: &dyn Head,
        put: &mut dyn FnMut(&[u8]),
    ) -> Result<(), Refused>;

    /// Writes the signed bytes that come after the body. There are none by default.
    fn after_body(&self, envelope: &Envelope, put: &mut dyn FnMut(&[u8])) {
        let _ = (envelope, put);
    }

    /// Returns whether a body that begins with these bytes, its first 16 or all of it, could be
    /// taken for signed bytes that stand before a body, and is refused for it. None is by default.
    fn refuses_body(&self, start: &[u8]) -> bool {
        let _ = start;
        false
    }

    /// Writes headers that are themselves signed, before a message is. There are none by default.
    ///
    /// # Errors
    ///
    /// Refuses a message that this dialect cannot carry.
    fn announce(
        &self,
        envelope: &Envelope,
        head: &dyn Head,
        body: &[u8],
        put: &mut dyn FnMut(&str, String),
    ) -> Result<(), Refused> {
        let _ = (envelope, head, body, put);
        Ok(())
    }

    /// Writes the headers that carry the signatures.
    ///
    /// # Errors
    ///
    /// Refuses an envelope that lacks what the dialect needs.
    fn write(&self, envelope: &Envelope, put: &mut dyn FnMut(&str, String)) -> Result<(), Refused>;
}

impl<S: Scheme + ?Sized> Scheme for Arc<S> {
    fn name(&self) -> &str {
        (**self).name()
    }

    fn algorithms(&self) -> &[Algorithm] {
        (**self).algorithms()
    }

    fn freshness(&self) -> Freshness {
        (**self).freshness()
    }

    fn names_key(&self) -> bool {
        (**self).names_key()
    }

    fn body_form(&self) -> BodyForm {
        (**self).body_form()
    }

    fn max_signatures(&self) -> usize {
        (**self).max_signatures()
    }

    fn needs(&self) -> Needs {
        (**self).needs()
    }

    fn read(&self, head: &dyn Head) -> Result<Envelope, Refused> {
        (**self).read(head)
    }

    fn before_body(
        &self,
        envelope: &Envelope,
        head: &dyn Head,
        put: &mut dyn FnMut(&[u8]),
    ) -> Result<(), Refused> {
        (**self).before_body(envelope, head, put)
    }

    fn after_body(&self, envelope: &Envelope, put: &mut dyn FnMut(&[u8])) {
        (**self).after_body(envelope, put);
    }

    fn refuses_body(&self, start: &[u8]) -> bool {
        (**self).refuses_body(start)
    }

    fn announce(
        &self,
        envelope: &Envelope,
        head: &dyn Head,
        body: &[u8],
        put: &mut dyn FnMut(&str, String),
    ) -> Result<(), Refused> {
        (**self).announce(envelope, head, body, put)
    }

    fn write(&self, envelope: &Envelope, put: &mut dyn FnMut(&str, String)) -> Result<(), Refused> {
        (**self).write(envelope, put)
    }
}

/// How much of a body [`Scheme::refuses_body`] is shown.
pub(crate) const BODY_START: usize = 16;

/// Says whether a signature proves that a message is new.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Freshness {
    /// The time of signing is signed.
    Timestamp,
    /// Nothing is: an old message verifies for ever.
    None,
}

/// Says how the body is part of the signed bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BodyForm {
    /// As it is.
    Raw,
    /// As 64 lower-case hexadecimal digits of its SHA-256.
    Sha256Hex,
    /// By a digest in the head, which is signed: see [`Envelope::content_digest`].
    ContentDigest {
        /// Whether a body that is not empty must be covered so.
        required: bool,
    },
}

/// Says what a signer must supply.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Needs {
    /// The time of signing.
    pub timestamp: bool,
    /// A nonce.
    pub nonce: bool,
    /// A name for the message.
    pub message_id: bool,
}

impl Needs {
    /// Needs nothing.
    #[must_use]
    pub const fn nothing() -> Self {
        Self {
            timestamp: false,
            nonce: false,
            message_id: false,
        }
    }

    /// Needs the time of signing as well.
    #[must_use]
    pub const fn and_timestamp(self) -> Self {
        Self {
            timestamp: true,
            ..self
        }
    }

    /// Needs a nonce as well.
    #[must_use]
    pub const fn and_nonce(self) -> Self {
        Self {
            nonce: true,
            ..self
        }
    }

    /// Needs a name for the message as well.
    #[must_use]
    pub const fn and_message_id(self) -> Self {
        Self {
            message_id: true,
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::owned_head::OwnedHead;

    /// Shows what a scheme says to code that takes any scheme, with `*` for the body it signs.
    fn seen(scheme: &impl Scheme) -> String {
        let (envelope, head) = (Envelope::new(), OwnedHead::request("POST", "/"));
        let mut signed = Vec::new();
        let put = &mut |piece: &[u8]| signed.extend_from_slice(piece);
        scheme.before_body(&envelope, &head, put).unwrap();
        put(b"*");
        scheme.after_body(&envelope, put);
        format!(
            "{} {} {} {}",
            scheme.name(),
            scheme.max_signatures(),
            scheme.refuses_body(native::FIRST_LINE),
            String::from_utf8(signed).unwrap(),
        )
    }

    #[test]
    fn a_shared_scheme_is_the_scheme() {
        let shared = |pattern| {
            let fields = Template::in_fields("acme", "x-sig", ',', "v1").signed(pattern);
            seen(&Arc::new(fields.build().unwrap()))
        };
        assert_eq!(shared("{body}.end"), "acme 8 true *.end");
        assert_eq!(shared("start.{body}"), "acme 8 false start.*");
    }

    #[test]
    fn dialects_keep_the_names_that_replays_are_known_by() {
        assert_eq!(Native::new().name(), "seawall");
        assert_eq!(StandardWebhooks::new().name(), "standard-webhooks");
        assert_eq!(StandardWebhooks::svix().name(), "standard-webhooks");
        let templates = [
            plain("x"),
            plain_base64("x"),
            github(),
            shopify(),
            square("https://a.example"),
            stripe(),
            paddle(),
            slack(),
        ];
        assert_eq!(
            templates.each_ref().map(Scheme::name),
            [
                "plain",
                "plain-base64",
                "github",
                "shopify",
                "square",
                "stripe",
                "paddle",
                "slack"
            ]
        );
        #[cfg(feature = "ed25519")]
        assert_eq!(discord().name(), "discord");
        #[cfg(feature = "http-signatures")]
        assert_eq!(HttpSignatures::new().name(), "http-signatures");
    }
}
