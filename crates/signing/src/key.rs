//! Keys, each bound to the one algorithm it may be used with.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::secret::Secret;
#[cfg(feature = "ed25519")]
use crate::secret::SecretError;

/// Is where the pieces of a message are written to.
pub(crate) type Put<'a> = &'a mut dyn FnMut(&[u8]);

pub(crate) type HmacSha256 = Hmac<Sha256>;

/// Names how a signature is computed.
///
/// The algorithm belongs to the key. What a message says about it is checked against the key and
/// never chooses, so that no message talks a verifier into using a public key as a shared secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// HMAC with SHA-256, 32 bytes.
    HmacSha256,
    /// Ed25519, 64 bytes. Keys of it need the feature `ed25519`.
    Ed25519,
}

impl Algorithm {
    /// Returns how many bytes a signature has.
    #[must_use]
    pub const fn signature_len(self) -> usize {
        match self {
            Self::HmacSha256 => 32,
            Self::Ed25519 => 64,
        }
    }
}

/// Is a key for one algorithm, prepared for use.
///
/// A shared secret is turned into the state of its HMAC here, once, and wiped; a verification
/// starts from a copy of that state. `Debug` tells the algorithm and no more.
#[derive(Clone)]
pub struct Key(Material);

#[derive(Clone)]
enum Material {
    Hmac(HmacSha256),
    #[cfg(feature = "ed25519")]
    Public(Arc<ed25519_dalek::VerifyingKey>),
    #[cfg(feature = "ed25519")]
    Pair(Arc<ed25519_dalek::SigningKey>),
}

impl Key {
    /// Makes a key for HMAC-SHA256 of a shared secret.
    #[must_use]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "the secret is used up and wiped"
    )]
    pub fn hmac_sha256(secret: Secret) -> Self {
        Self(Material::Hmac(keyed(secret.bytes())))
    }

    /// Takes the 32 bytes of an Ed25519 public key, which verifies and cannot sign.
    ///
    /// # Errors
    ///
    /// Refuses what is no point of the curve, and the few weak points for which signatures fit
    /// more than one message.
    #[cfg(feature = "ed25519")]
    #[cfg_attr(docsrs, doc(cfg(feature = "ed25519")))]
    pub fn ed25519_public(bytes: &[u8; 32]) -> Result<Self, SecretError> {
        match ed25519_dalek::VerifyingKey::from_bytes(bytes) {
            Ok(key) if !key.is_weak() => Ok(Self(Material::Public(Arc::new(key)))),
            _ => Err(SecretError::text("an Ed25519 public key")),
        }
    }

    /// Takes the 32-byte seed of an Ed25519 key pair, which signs and verifies.
    #[cfg(feature = "ed25519")]
    #[cfg_attr(docsrs, doc(cfg(feature = "ed25519")))]
    #[must_use]
    pub fn ed25519_seed(seed: &[u8; 32]) -> Self {
        Self(Material::Pair(Arc::new(
            ed25519_dalek::SigningKey::from_bytes(seed),
        )))
    }

    /// Decodes a public key written in hexadecimal, as Discord shows it.
    ///
    /// # Errors
    ///
    /// Refuses what is not 64 hexadecimal digits of a sound public key.
    #[cfg(feature = "ed25519")]
    #[cfg_attr(docsrs, doc(cfg(feature = "ed25519")))]
    pub fn ed25519_public_hex(text: &str) -> Result<Self, SecretError> {
        let bytes = crate::encoding::hex_to_vec(text);
        let bytes = bytes
            .as_ref()
            .and_then(|bytes| bytes.as_slice().try_into().ok());
        Self::ed25519_public(bytes.ok_or(SecretError::text("64 hexadecimal digits"))?)
    }

    /// Decodes a public key of Standard Webhooks: Base64 behind an optional `whpk_`.
    ///
    /// # Errors
    ///
    /// Refuses what is not 32 bytes of a sound public key.
    #[cfg(feature = "ed25519")]
    #[cfg_attr(docsrs, doc(cfg(feature = "ed25519")))]
    pub fn from_whpk(text: &str) -> Result<Self, SecretError> {
        let bytes = crate::encoding::base64_to_vec(text.strip_prefix("whpk_").unwrap_or(text));
        let bytes = bytes
            .as_ref()
            .and_then(|bytes| bytes.as_slice().try_into().ok());
        Self::ed25519_public(bytes.ok_or(SecretError::text("Base64 of 32 bytes"))?)
    }

    /// Decodes a key pair of Standard Webhooks: Base64 of seed and public key behind an optional
    /// `whsk_`. The public half may be absent.
    ///
    /// # Errors
    ///
    /// Refuses other lengths, and a public half that does not belong to the seed.
    #[cfg(feature = "ed25519")]
    #[cfg_attr(docsrs, doc(cfg(feature = "ed25519")))]
    pub fn from_whsk(text: &str) -> Result<Self, SecretError> {
        let wrong = || SecretError::text("Base64 of a 32-byte seed and its public key");
        let bytes = crate::encoding::base64_to_vec(text.strip_prefix("whsk_").unwrap_or(text));
        let bytes = bytes.ok_or_else(wrong)?;
        let (seed, public) = bytes.split_first_chunk::<32>().ok_or_else(wrong)?;
        let pair = ed25519_dalek::SigningKey::from_bytes(seed);
        if !public.is_empty() && public != pair.verifying_key().as_bytes() {
            return Err(wrong());
        }
        Ok(Self(Material::Pair(Arc::new(pair))))
    }

    /// Returns the public half of an Ed25519 key, to hand it out, or `None` of a shared secret.
    #[cfg(feature = "ed25519")]
    #[cfg_attr(docsrs, doc(cfg(feature = "ed25519")))]
    #[must_use]
    pub fn ed25519_public_bytes(&self) -> Option<[u8; 32]> {
        self.public().map(|key| key.to_bytes())
    }

    /// Returns the one algorithm that this key is for.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        match self.0 {
            Material::Hmac(_) => Algorithm::HmacSha256,
            #[cfg(feature = "ed25519")]
            Material::Public(_) | Material::Pair(_) => Algorithm::Ed25519,
        }
    }

    /// Returns whether this key can sign: a public key cannot.
    #[must_use]
    pub const fn can_sign(&self) -> bool {
        match self.0 {
            Material::Hmac(_) => true,
            #[cfg(feature = "ed25519")]
            Material::Pair(_) => true,
            #[cfg(feature = "ed25519")]
            Material::Public(_) => false,
        }
    }

    pub(crate) fn mac(&self) -> Option<&HmacSha256> {
        match &self.0 {
            Material::Hmac(mac) => Some(mac),
            #[cfg(feature = "ed25519")]
            Material::Public(_) | Material::Pair(_) => None,
        }
    }

    #[cfg(feature = "ed25519")]
    pub(crate) fn public(&self) -> Option<ed25519_dalek::VerifyingKey> {
        match &self.0 {
            Material::Hmac(_) => None,
            Material::Public(key) => Some(**key),
            Material::Pair(pair) => Some(pair.verifying_key()),
        }
    }

    /// Signs what `feed` writes, with the tag in the first bytes of the answer.
    ///
    /// `feed` may be called more than once and writes the same each time: Ed25519 reads the
    /// message twice.
    pub(crate) fn sign(&self, feed: impl Fn(Put<'_>)) -> Option<[u8; 64]> {
        let mut tag = [0; 64];
        match &self.0 {
            Material::Hmac(mac) => {
                let mut mac = mac.clone();
                feed(&mut |bytes| mac.update(bytes));
                tag[..32].copy_from_slice(&mac.finalize().into_bytes());
            }
            #[cfg(feature = "ed25519")]
            Material::Pair(pair) => {
                use ed25519_dalek::Signer as _;
                let mut message = Vec::new();
                feed(&mut |bytes| message.extend_from_slice(bytes));
                tag = pair.sign(&message).to_bytes();
            }
            #[cfg(feature = "ed25519")]
            Material::Public(_) => return None,
        }
        Some(tag)
    }
}

/// Starts an HMAC. A key of any length will do: long ones are hashed first.
pub(crate) fn keyed(secret: &[u8]) -> HmacSha256 {
    HmacSha256::new_from_slice(secret).expect("HMAC takes keys of every length")
}

impl From<Secret> for Key {
    fn from(secret: Secret) -> Self {
        Self::hmac_sha256(secret)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({:?})", self.algorithm())
    }
}

/// Names a key: 1 to 128 visible ASCII characters, without quotes and backslashes.
///
/// The name is public. It travels in the message where the scheme has a place for it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId(Arc<str>);

impl KeyId {
    /// The most bytes that a name may have.
    pub const MAX_LEN: usize = 128;

    /// Takes a name.
    ///
    /// # Errors
    ///
    /// Refuses the empty name, one of more than 128 bytes, and other characters.
    pub fn new(name: &str) -> Result<Self, KeyIdError> {
        if Self::is_valid(name.as_bytes()) {
            Ok(Self(name.into()))
        } else {
            Err(KeyIdError(()))
        }
    }

    pub(crate) fn of_a_single_key() -> Self {
        Self("default".into())
    }

    pub(crate) fn is_valid(name: &[u8]) -> bool {
        let allowed = |byte: &u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\');
        (1..=Self::MAX_LEN).contains(&name.len()) && name.iter().all(allowed)
    }

    /// Returns the name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Says that a text is no name of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyIdError(());

impl fmt::Display for KeyIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key id has 1 to 128 visible ASCII characters, no quote and no backslash")
    }
}

impl Error for KeyIdError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_and_visible() {
        assert!(KeyId::new("2026-01").is_ok());
        assert!(KeyId::new("https://a.example/users/1#main-key").is_ok());
        for name in ["", "a b", "a\"b", "a\\b", "\u{e4}", "a\n", &"x".repeat(129)] {
            assert!(KeyId::new(name).is_err(), "{name:?}");
        }
        assert_eq!(
            KeyId::new("").unwrap_err().to_string(),
            "a key id has 1 to 128 visible ASCII characters, no quote and no backslash"
        );
    }

    #[test]
    fn debug_tells_the_algorithm_alone() {
        let key = Key::from(Secret::new(*b"0123456789abcdef").unwrap());
        assert_eq!(format!("{key:?}"), "Key(HmacSha256)");
    }

    #[cfg(feature = "ed25519")]
    #[test]
    fn weak_and_foreign_public_keys_are_refused() {
        let mut identity = [0; 32];
        identity[0] = 1;
        assert!(Key::ed25519_public(&identity).is_err());
        assert!(Key::from_whpk("whpk_AAAA").is_err());
        let whsk = "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==";
        let pair = Key::from_whsk(whsk).unwrap();
        assert!(pair.can_sign());
        let whpk = Key::from_whpk("whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=").unwrap();
        assert!(!whpk.can_sign());
        assert_eq!(pair.ed25519_public_bytes(), whpk.ed25519_public_bytes());
        assert!(
            Key::from_whsk(&whsk.replace("1SiA4o9", "1SiA4o8").replace("VKID", "VKIE")).is_err()
        );
    }
}
