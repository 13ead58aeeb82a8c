//! Shared secrets: long enough, never printed, wiped when dropped.

use std::error::Error;
use std::fmt;

use zeroize::Zeroizing;

use crate::encoding;

/// Is a shared secret of at least 16 bytes.
///
/// It has no `Display`, no comparison and one way out by name, [`reveal_whsec`](Self::reveal_whsec);
/// `Debug` prints its length; dropping it wipes it. What the caller built it from is the caller's to wipe, and `hmac` leaves
/// a copy of the padded key on the stack while it starts (`docs/THREATS.md` of the repository, row 24).
///
/// The empty secret, which is what an unset environment variable gives, is refused by every
/// constructor: with it, anyone signs.
///
/// # Examples
///
/// ```
/// use seawall_signing::Secret;
///
/// assert!(Secret::new("It's a Secret to Everybody").is_ok());
/// assert!(Secret::new("").is_err());
/// assert_eq!(
///     Secret::new("hush").unwrap_err().to_string(),
///     "the secret has 4 bytes, at least 16 are needed",
/// );
/// ```
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// The fewest bytes that [`new`](Self::new) accepts.
    pub const MIN_LEN: usize = 16;

    /// Takes a secret as it is, the way Stripe, GitHub and Slack use theirs.
    ///
    /// # Errors
    ///
    /// Refuses fewer than 16 bytes.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Result<Self, SecretError> {
        Self::at_least(Self::MIN_LEN, Zeroizing::new(bytes.into()))
    }

    /// Takes a secret of any length but zero, for a sender that gives no longer one.
    ///
    /// # Errors
    ///
    /// Refuses the empty secret.
    pub fn short_for_legacy(bytes: impl Into<Vec<u8>>) -> Result<Self, SecretError> {
        Self::at_least(1, Zeroizing::new(bytes.into()))
    }

    /// Decodes a secret written in hexadecimal of either case.
    ///
    /// # Errors
    ///
    /// Refuses other texts, and fewer than 16 bytes.
    pub fn from_hex(text: &str) -> Result<Self, SecretError> {
        let bytes = encoding::hex_to_vec(text).ok_or(SecretError(Wrong::Text("hexadecimal")))?;
        Self::at_least(Self::MIN_LEN, bytes)
    }

    /// Decodes a secret written in Base64, padded or not.
    ///
    /// # Errors
    ///
    /// Refuses other texts, and fewer than 16 bytes.
    pub fn from_base64(text: &str) -> Result<Self, SecretError> {
        let bytes = encoding::base64_to_vec(text).ok_or(SecretError(Wrong::Text("Base64")))?;
        Self::at_least(Self::MIN_LEN, bytes)
    }

    /// Decodes a secret of Standard Webhooks: Base64 behind an optional `whsec_`.
    ///
    /// Stripe's secrets start alike but are used as they are: take [`new`](Self::new) for those.
    ///
    /// # Errors
    ///
    /// Refuses other texts, and fewer than 16 bytes. (The specification asks senders for 24 to 64;
    /// shorter ones are in use.)
    pub fn from_whsec(text: &str) -> Result<Self, SecretError> {
        Self::from_base64(text.strip_prefix("whsec_").unwrap_or(text))
    }

    /// Draws 32 bytes from the operating system.
    ///
    /// # Errors
    ///
    /// Fails when the operating system has no random numbers to give.
    #[cfg(feature = "generate")]
    #[cfg_attr(docsrs, doc(cfg(feature = "generate")))]
    pub fn generate() -> Result<Self, SecretError> {
        let mut bytes = Zeroizing::new(vec![0; 32]);
        getrandom::fill(&mut bytes).map_err(|_| SecretError(Wrong::NoRandom))?;
        Ok(Self(bytes))
    }

    /// Writes the secret as Base64 behind `whsec_`, to hand it to the other side once.
    #[must_use]
    pub fn reveal_whsec(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(6 + self.0.len().div_ceil(3) * 4));
        text.push_str("whsec_");
        encoding::push_base64(&self.0, &mut text);
        text
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    fn at_least(min: usize, bytes: Zeroizing<Vec<u8>>) -> Result<Self, SecretError> {
        if bytes.len() < min {
            return Err(SecretError(Wrong::Short {
                len: bytes.len(),
                min,
            }));
        }
        Ok(Self(bytes))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({} bytes)", self.0.len())
    }
}

/// Says why a secret or key was not taken. Never quotes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretError(Wrong);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Wrong {
    Short {
        len: usize,
        min: usize,
    },
    Text(&'static str),
    #[cfg(feature = "generate")]
    NoRandom,
}

impl SecretError {
    #[cfg(feature = "ed25519")]
    pub(crate) fn text(expected: &'static str) -> Self {
        Self(Wrong::Text(expected))
    }
}

impl fmt::Display for SecretError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Wrong::Short { len, min } => {
                write!(f, "the secret has {len} bytes, at least {min} are needed")
            }
            Wrong::Text(expected) => write!(f, "the key is not {expected}"),
            #[cfg(feature = "generate")]
            Wrong::NoRandom => f.write_str("the operating system gave no random numbers"),
        }
    }
}

impl Error for SecretError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixteen_bytes_are_the_least() {
        assert!(Secret::new(vec![7; 15]).is_err());
        assert!(Secret::new(vec![7; 16]).is_ok());
        assert!(Secret::short_for_legacy("x").is_ok());
        assert!(Secret::short_for_legacy("").is_err());
        assert!(Secret::from_whsec("whsec_").is_err());
        assert!(Secret::from_hex("00ff").is_err());
        assert!(Secret::from_hex("zz").is_err());
    }

    #[test]
    fn a_secret_that_is_not_taken_is_not_quoted() {
        let told = |taken: Result<Secret, SecretError>| taken.unwrap_err().to_string();
        assert_eq!(
            told(Secret::new("hush")),
            "the secret has 4 bytes, at least 16 are needed"
        );
        assert_eq!(told(Secret::from_hex("hush")), "the key is not hexadecimal");
        assert_eq!(told(Secret::from_base64("h!")), "the key is not Base64");
    }

    #[test]
    fn debug_shows_the_length_alone() {
        let secret = Secret::new("correct horse battery staple").unwrap();
        assert_eq!(format!("{secret:?}"), "Secret(28 bytes)");
    }

    #[test]
    fn a_revealed_secret_loads_again() {
        let secret = Secret::new("0123456789abcdefg").unwrap();
        let again = Secret::from_whsec(&secret.reveal_whsec()).unwrap();
        assert_eq!(again.bytes(), secret.bytes());
    }
}
