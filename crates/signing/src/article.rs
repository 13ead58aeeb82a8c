//! The one function that a plain webhook needs.

use hmac::Mac;
use subtle::ConstantTimeEq;

use crate::encoding::Encoding;
use crate::key::keyed;

/// Returns whether a signature is the HMAC-SHA256 of a payload, in lower-case hexadecimal.
///
/// This is the whole of a webhook's authentication in its simplest form. It compares in constant
/// time, and says no to every other spelling: upper case, a prefix, spaces, a shortened MAC. The
/// empty secret, which is what an unset variable gives, verifies nothing.
///
/// A payload that verifies here does so for ever. To know that it is fresh, or to read a sender's
/// dialect, use a [`Verifier`](crate::Verifier).
///
/// # Examples
///
/// ```
/// use seawall_signing::verify_signature;
///
/// let signature = "aa9e2e3575f5d7098b6caccd790888c36d5fdb63342a73bada2d6a51747a8494";
/// assert!(verify_signature(br#"{"a":1}"#, signature, b"secret"));
/// assert!(!verify_signature(br#"{"a":2}"#, signature, b"secret"));
/// assert!(!verify_signature(br#"{"a":1}"#, signature, b""));
/// ```
#[must_use]
pub fn verify_signature(payload: &[u8], signature_hex: &str, secret: &[u8]) -> bool {
    let mut claimed = [0; 32];
    if secret.is_empty() || !Encoding::LowerHex.read(signature_hex.as_bytes(), &mut claimed) {
        return false;
    }
    let mut mac = keyed(secret);
    mac.update(payload);
    mac.finalize()
        .into_bytes()
        .as_slice()
        .ct_eq(&claimed)
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_one_spelling_is_right() {
        let right = "aa9e2e3575f5d7098b6caccd790888c36d5fdb63342a73bada2d6a51747a8494";
        let check = |text: &str| verify_signature(br#"{"a":1}"#, text, b"secret");
        assert!(check(right));
        for wrong in [
            right.to_uppercase(),
            format!("sha256={right}"),
            format!(" {right}"),
            format!("{right}00"),
            right[..62].to_owned(),
            String::new(),
            "\u{661}".repeat(32),
        ] {
            assert!(!check(&wrong), "{wrong}");
        }
    }

    #[test]
    fn the_empty_secret_opens_nothing() {
        let mut mac = keyed(b"");
        mac.update(b"forged");
        let mut text = String::new();
        crate::encoding::push_hex(&mac.finalize().into_bytes(), &mut text);
        assert!(!verify_signature(b"forged", &text, b""));
    }
}
