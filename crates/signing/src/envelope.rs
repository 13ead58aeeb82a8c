//! What the headers of a signed message say, read into a value of bounded size.

use arrayvec::ArrayVec;

use crate::clock::UnixTime;
use crate::content_digest::ContentDigest;
use crate::encoding::Encoding;
use crate::key::{Algorithm, KeyId};
use crate::refused::{Refused, RefusedKind};

/// The most signatures of one message that are looked at; one more refuses it.
///
/// Two are usual during a rotation. Each costs one comparison, never a pass over the body.
pub const MAX_SIGNATURES: usize = 8;

/// Holds what a scheme reads from a head: signatures, time, and names. It owns no heap, but for a digest
/// of the body.
///
/// A verifier gets it from [`Scheme::read`](crate::scheme::Scheme::read); a signer fills it and hands it
/// to [`Scheme::write`](crate::scheme::Scheme::write). Nothing in it is to be believed before the
/// signature has been checked.
#[derive(Clone, Debug, Default)]
pub struct Envelope {
    tags: ArrayVec<Tag, MAX_SIGNATURES>,
    timestamp: Option<UnixTime>,
    expires: Option<UnixTime>,
    key_id: Option<Short<{ KeyId::MAX_LEN }>>,
    nonce: Option<Short<64>>,
    message_id: Option<MessageId>,
    content_digest: Option<Box<ContentDigest>>,
}

pub(crate) type MessageId = Short<128>;

/// Is one signature as it was sent, decoded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tag {
    pub(crate) algorithm: Algorithm,
    bytes: [u8; 64],
}

impl Tag {
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.algorithm.signature_len()]
    }
}

impl Envelope {
    /// Makes an envelope in which nothing stands.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Decodes a signature and adds it.
    ///
    /// # Errors
    ///
    /// Refuses a text that is not exactly as long and of the form that it must have, and the
    /// ninth signature.
    pub fn push_text(
        &mut self,
        algorithm: Algorithm,
        encoding: Encoding,
        text: &[u8],
    ) -> Result<(), Refused> {
        let mut bytes = [0; 64];
        if !encoding.read(text, &mut bytes[..algorithm.signature_len()]) {
            return Err(Refused::malformed(match (encoding, algorithm) {
                (Encoding::LowerHex, _) => "a signature of 64 lower-case hexadecimal digits",
                (Encoding::Hex, Algorithm::HmacSha256) => "a signature of 64 hexadecimal digits",
                (Encoding::Hex, Algorithm::Ed25519) => "a signature of 128 hexadecimal digits",
                (Encoding::Base64, _) => "a signature in padded Base64 of the right length",
            }));
        }
        self.push(Tag { algorithm, bytes })
    }

    /// Adds a signature of exactly the bytes that its algorithm makes.
    ///
    /// # Errors
    ///
    /// Refuses other lengths, and the ninth signature.
    pub fn push_signature(
        &mut self,
        algorithm: Algorithm,
        signature: &[u8],
    ) -> Result<(), Refused> {
        let mut bytes = [0; 64];
        if signature.len() != algorithm.signature_len() {
            return Err(Refused::malformed("a signature of its algorithm's length"));
        }
        bytes[..signature.len()].copy_from_slice(signature);
        self.push(Tag { algorithm, bytes })
    }

    fn push(&mut self, tag: Tag) -> Result<(), Refused> {
        let pushed = self.tags.try_push(tag);
        pushed.map_err(|_| Refused::new(RefusedKind::TooManySignatures))
    }

    pub(crate) fn tags(&self) -> &[Tag] {
        &self.tags
    }

    /// Returns the signatures, each with its algorithm.
    pub fn signatures(&self) -> impl Iterator<Item = (Algorithm, &[u8])> {
        self.tags().iter().map(|tag| (tag.algorithm, tag.bytes()))
    }

    /// Returns the signed time.
    #[must_use]
    pub const fn timestamp(&self) -> Option<UnixTime> {
        self.timestamp
    }

    /// Sets the signed time.
    pub const fn set_timestamp(&mut self, time: UnixTime) {
        self.timestamp = Some(time);
    }

    /// Returns the signed time after which the message is refused.
    #[must_use]
    pub const fn expires(&self) -> Option<UnixTime> {
        self.expires
    }

    /// Sets the signed time after which the message is refused.
    pub const fn set_expires(&mut self, time: UnixTime) {
        self.expires = Some(time);
    }

    /// Returns the name of the key that the message says it was signed with.
    #[must_use]
    pub fn key_id(&self) -> Option<&str> {
        self.key_id.as_ref().map(Short::as_str)
    }

    /// Sets the name of the key.
    ///
    /// # Errors
    ///
    /// Refuses what is no valid [`KeyId`].
    pub fn set_key_id(&mut self, id: &[u8]) -> Result<(), Refused> {
        let wrong = || Refused::malformed("a key id of 1 to 128 visible ASCII characters");
        let id = if KeyId::is_valid(id) {
            Short::new(id)
        } else {
            None
        };
        self.key_id = Some(id.ok_or_else(wrong)?);
        Ok(())
    }

    /// Returns the value that makes the message unlike every other.
    #[must_use]
    pub fn nonce(&self) -> Option<&str> {
        self.nonce.as_ref().map(Short::as_str)
    }

    /// Sets the nonce.
    ///
    /// # Errors
    ///
    /// Refuses what is not 16 to 64 characters of Base64's alphabet for URLs.
    pub fn set_nonce(&mut self, nonce: &[u8]) -> Result<(), Refused> {
        let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        let nonce = if nonce.len() >= 16 && nonce.iter().all(allowed) {
            Short::new(nonce)
        } else {
            None
        };
        let wrong = || Refused::malformed("a nonce of 16 to 64 letters, digits, '-' and '_'");
        self.nonce = Some(nonce.ok_or_else(wrong)?);
        Ok(())
    }

    /// Returns the name that the sender gave the message.
    #[must_use]
    pub fn message_id(&self) -> Option<&str> {
        self.message_id.as_ref().map(Short::as_str)
    }

    pub(crate) const fn message_id_in_place(&self) -> Option<MessageId> {
        self.message_id
    }

    /// Sets the name of the message.
    ///
    /// `.` and `:` are not allowed in it. They separate it from what is signed next to it, and
    /// with them inside a signature for one message would fit another, whose id ends earlier and
    /// whose body begins earlier.
    ///
    /// # Errors
    ///
    /// Refuses the empty name, more than 128 bytes, those two, and what is not visible ASCII.
    pub fn set_message_id(&mut self, id: &[u8]) -> Result<(), Refused> {
        let allowed = |byte: &u8| byte.is_ascii_graphic() && !matches!(byte, b'.' | b':');
        let id = if !id.is_empty() && id.iter().all(allowed) {
            Short::new(id)
        } else {
            None
        };
        let wrong = || {
            Refused::malformed(
                "a message id of 1 to 128 visible ASCII characters without '.' and ':'",
            )
        };
        self.message_id = Some(id.ok_or_else(wrong)?);
        Ok(())
    }

    /// Returns the digest that the body must have, where the signature covers that in its place.
    #[must_use]
    pub fn content_digest(&self) -> Option<&ContentDigest> {
        self.content_digest.as_deref()
    }

    /// Sets the digest that the body must have.
    pub fn set_content_digest(&mut self, digest: ContentDigest) {
        self.content_digest = Some(Box::new(digest));
    }
}

/// Is a short ASCII text in place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Short<const N: usize> {
    bytes: [u8; N],
    len: usize,
}

impl<const N: usize> Short<N> {
    fn new(text: &[u8]) -> Option<Self> {
        let mut bytes = [0; N];
        bytes.get_mut(..text.len())?.copy_from_slice(text);
        text.is_ascii().then_some(Self {
            bytes,
            len: text.len(),
        })
    }

    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.len]).expect("the text was ASCII when it was set")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ninth_signature_is_one_too_many() {
        let mut envelope = Envelope::new();
        for _ in 0..MAX_SIGNATURES {
            envelope
                .push_signature(Algorithm::HmacSha256, &[1; 32])
                .unwrap();
        }
        let ninth = envelope.push_signature(Algorithm::HmacSha256, &[1; 32]);
        assert_eq!(ninth.unwrap_err().kind(), RefusedKind::TooManySignatures);
    }

    #[test]
    fn a_shortened_signature_is_refused() {
        let mut envelope = Envelope::new();
        for len in [0, 16, 31, 33, 64] {
            assert!(
                envelope
                    .push_signature(Algorithm::HmacSha256, &vec![0; len])
                    .is_err(),
                "{len}"
            );
        }
    }

    #[test]
    fn names_cannot_hold_what_separates_them() {
        let mut envelope = Envelope::new();
        for id in [
            &b""[..],
            b"evt.1",
            b"evt:1",
            b"evt 1",
            b"evt\n",
            &[b'x'; 129],
            "\u{e9}".as_bytes(),
        ] {
            assert!(envelope.set_message_id(id).is_err(), "{id:?}");
        }
        envelope.set_message_id(b"msg_2ab-9").unwrap();
        assert_eq!(envelope.message_id(), Some("msg_2ab-9"));
        assert!(envelope.set_nonce(b"0123456789abcde").is_err());
        assert!(envelope.set_nonce(b"0123456789abcde,").is_err());
        assert!(envelope.set_nonce(b"0123456789abcdef").is_ok());
    }
}
