//! One message on its way to being signed.

use std::ops::ControlFlow;

use super::{SignError, SignedHeaders, Signer};
use crate::clock::UnixTime;
use crate::encoding;
use crate::envelope::Envelope;
use crate::head::Head;
use crate::keyring::Entry;
use crate::scheme::{BODY_START, BodyForm, Needs};

use sha2::{Digest, Sha256};

/// Is a message to be signed.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct Draft<'s> {
    signer: &'s Signer,
    message_id: Option<&'s str>,
    at: Option<UnixTime>,
}

impl<'s> Draft<'s> {
    pub(super) const fn new(signer: &'s Signer) -> Self {
        Self {
            signer,
            message_id: None,
            at: None,
        }
    }

    /// Names the message, in schemes that have a place for it. Give every attempt to deliver one
    /// event the same name. Default: a name that no other message has.
    pub const fn message_id(mut self, id: &'s str) -> Self {
        self.message_id = Some(id);
        self
    }

    /// Sets the time of signing. Default: the signer's clock.
    pub const fn at(mut self, time: UnixTime) -> Self {
        self.at = Some(time);
        self
    }

    /// See [`Signer::sign`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn sign(self, head: &impl Head, body: &[u8]) -> Result<SignedHeaders, SignError> {
        self.sign_dyn(head, body)
    }

    fn sign_dyn(self, head: &dyn Head, body: &[u8]) -> Result<SignedHeaders, SignError> {
        let inner = &self.signer.0;
        let ring = inner.keys.current();
        let now = self.at.unwrap_or_else(|| {
            if ring.is_timeless() && inner.scheme.needs() == Needs::nothing() {
                UnixTime::default() // Nobody will look at it.
            } else {
                inner.clock.now()
            }
        });
        let algorithms = inner.scheme.algorithms();
        let good = |entry: &&Entry| {
            entry.is_active(now)
                && entry.key.can_sign()
                && algorithms.contains(&entry.key.algorithm())
        };
        let Some(primary) = ring.primary().filter(good) else {
            return Err(SignError::new(
                "the primary key is absent, out of date, or cannot sign",
            ));
        };
        if inner
            .scheme
            .refuses_body(&body[..body.len().min(BODY_START)])
        {
            return Err(SignError::new(
                "the body begins like the signed bytes of a head",
            ));
        }
        let mut envelope = Envelope::new();
        self.fill(&mut envelope, now, primary)?;
        let mut headers = SignedHeaders::default();
        inner
            .scheme
            .announce(&envelope, head, body, &mut |name, value| {
                headers.push(name, value);
            })?;
        let base = self.base(
            &Announced {
                head,
                headers: &headers,
            },
            &envelope,
        )?;
        let hex = matches!(inner.scheme.body_form(), BodyForm::Sha256Hex)
            .then(|| encoding::hex_of_digest(&Sha256::digest(body).into()));
        let body: &[u8] = match inner.scheme.body_form() {
            BodyForm::Raw => body,
            BodyForm::Sha256Hex => hex.as_ref().map_or(&[], |hex| hex),
            BodyForm::ContentDigest { .. } => &[],
        };
        let others = ring
            .entries()
            .iter()
            .filter(|entry| entry.id != primary.id)
            .filter(good);
        let keys = std::iter::once(primary).chain(others.filter(|_| inner.overlap));
        for entry in keys.take(inner.scheme.max_signatures()) {
            let tag = entry.key.sign(|put| {
                put(&base);
                put(body);
                inner.scheme.after_body(&envelope, put);
            });
            let algorithm = entry.key.algorithm();
            let tag = tag.ok_or_else(|| SignError::new("the key cannot sign"))?;
            envelope.push_signature(algorithm, &tag[..algorithm.signature_len()])?;
        }
        inner
            .scheme
            .write(&envelope, &mut |name, value| headers.push(name, value))?;
        Ok(headers)
    }

    /// Fills in what the scheme wants signed besides the message itself.
    fn fill(
        &self,
        envelope: &mut Envelope,
        now: UnixTime,
        primary: &Entry,
    ) -> Result<(), SignError> {
        let inner = &self.signer.0;
        let needs = inner.scheme.needs();
        if needs.timestamp {
            envelope.set_timestamp(now);
        }
        if needs.nonce {
            envelope.set_nonce(inner.nonces.next(now).as_bytes())?;
        }
        match (needs.message_id, self.message_id) {
            (true, Some(id)) => envelope.set_message_id(id.as_bytes())?,
            (true, None) => {
                let id = format!("msg_{}", inner.nonces.next(now));
                envelope.set_message_id(id.as_bytes())?;
            }
            (false, Some(_)) => {
                return Err(SignError::new("the scheme has no place for a message id"));
            }
            (false, None) => {}
        }
        if inner.scheme.names_key() {
            envelope.set_key_id(primary.id.as_str().as_bytes())?;
        }
        Ok(())
    }

    fn base(&self, head: &dyn Head, envelope: &Envelope) -> Result<Vec<u8>, SignError> {
        let mut base = Vec::new();
        let put = &mut |piece: &[u8]| base.extend_from_slice(piece);
        self.signer.0.scheme.before_body(envelope, head, put)?;
        Ok(base)
    }
}

/// Is a head with the headers that were announced for it.
struct Announced<'a> {
    head: &'a dyn Head,
    headers: &'a SignedHeaders,
}

impl Head for Announced<'_> {
    fn method(&self) -> &str {
        self.head.method()
    }

    fn path(&self) -> &str {
        self.head.path()
    }

    fn query(&self) -> Option<&str> {
        self.head.query()
    }

    fn scheme(&self) -> Option<&str> {
        self.head.scheme()
    }

    fn authority(&self) -> Option<&str> {
        self.head.authority()
    }

    fn each_header(&self, name: &str, visit: &mut dyn FnMut(&[u8]) -> ControlFlow<()>) {
        match self.headers.value(name) {
            Some(value) => {
                let _ = visit(value.as_bytes());
            }
            None => self.head.each_header(name, visit),
        }
    }

    fn status(&self) -> Option<u16> {
        self.head.status()
    }

    fn request(&self) -> Option<&dyn Head> {
        self.head.request()
    }
}
