//! Encodings of bytes as text.

/// Whether this is base64 with its padding (RFC 4648, 4), and without stray bits at the end: so
/// each value has one spelling.
#[must_use]
pub const fn is_base64(text: &[u8]) -> bool {
    if !text.len().is_multiple_of(4) {
        return false;
    }
    let padding = match text {
        [.., b'=', b'='] => 2,
        [.., b'='] => 1,
        _ => 0,
    };
    is_encoded(text, text.len() - padding, b'+', b'/')
}

/// Whether this is base64url without padding (RFC 4648, 5), as in JSON web tokens.
#[must_use]
pub const fn is_base64url(text: &[u8]) -> bool {
    is_encoded(text, text.len(), b'-', b'_')
}

/// Whether the first `end` bytes are of the alphabet, and the bits that the last one has too many
/// are zero.
const fn is_encoded(text: &[u8], end: usize, plus: u8, slash: u8) -> bool {
    let mut at = 0;
    let mut value = 0;
    while at < end {
        value = match text[at] {
            byte @ b'A'..=b'Z' => byte - b'A',
            byte @ b'a'..=b'z' => byte - b'a' + 26,
            byte @ b'0'..=b'9' => byte - b'0' + 52,
            byte if byte == plus => 62,
            byte if byte == slash => 63,
            _ => return false,
        };
        at += 1;
    }
    match end % 4 {
        0 => true,
        2 => value & 0b1111 == 0,
        3 => value & 0b11 == 0,
        _ => false,
    }
}

/// How many bytes a base64 or base64url text stands for, so that it can be capped undecoded.
#[must_use]
pub const fn base64_decoded_len(text: &[u8]) -> usize {
    let mut end = text.len();
    while end > 0 && text[end - 1] == b'=' {
        end -= 1;
    }
    end / 4 * 3 + (end % 4 * 3) / 4
}

/// Whether this is hexadecimal, in either case, two digits a byte.
#[must_use]
pub const fn is_hex_bytes(text: &[u8]) -> bool {
    if !text.len().is_multiple_of(2) {
        return false;
    }
    let mut at = 0;
    while at < text.len() {
        if !text[at].is_ascii_hexdigit() {
            return false;
        }
        at += 1;
    }
    true
}

/// Whether this has the shape of a JSON web token: three parts of base64url, the signature perhaps
/// empty. Whether anybody signed it is another question.
#[must_use]
pub fn is_jwt_shape(text: &[u8]) -> bool {
    let mut parts = text.split(|byte| *byte == b'.');
    let (Some(header), Some(claims), Some(signature), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    let filled = !header.is_empty() && !claims.is_empty();
    filled && [header, claims, signature].into_iter().all(is_base64url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_has_one_spelling() {
        for good in [
            "", "Zg==", "ZA==", "Zw==", "Zm8=", "Zm9v", "+/+/", "AAA=", "QQ==",
        ] {
            assert!(is_base64(good.as_bytes()), "{good}");
        }
        for bad in [
            "Zg", "Zg=", "Zh==", "Zm9=", "Zm9v=", "====", "Z===", "Zm9v\n", "-_-_", "Zg==Zg==",
        ] {
            assert!(!is_base64(bad.as_bytes()), "{bad}");
        }
        assert!(is_base64url(b"-_8") && !is_base64url(b"-_9") && !is_base64url(b"Zg=="));
        assert!(!is_base64url(b"Zm9vY") && is_base64url(b"Zm9vYg") && is_base64url(b""));
        for (text, bytes) in [
            ("", 0),
            ("==", 0),
            ("Zm8=", 2),
            ("Zg==", 1),
            ("Zm9v", 3),
            ("Zm9vYg", 4),
        ] {
            assert_eq!(base64_decoded_len(text.as_bytes()), bytes, "{text}");
        }
    }

    #[test]
    fn tokens_have_three_parts() {
        assert!(is_jwt_shape(b"e30.e30."));
        assert!(!is_jwt_shape(b"e30.e30"));
        assert!(is_jwt_shape(b"e30.e30.e30"));
        for bad in [
            "",
            "..",
            "e30..e30",
            ".e30.e30",
            "e30.e30.e30.",
            "e3=.e30.e30",
            "e30.e3=.e30",
            "e30.e30.x",
        ] {
            assert!(!is_jwt_shape(bad.as_bytes()), "{bad}");
        }
    }

    #[test]
    fn hexadecimal_bytes_are_pairs() {
        for good in ["", "00", "fF09"] {
            assert!(is_hex_bytes(good.as_bytes()), "{good}");
        }
        for bad in ["0", "000", "0g", "g0", "00 0"] {
            assert!(!is_hex_bytes(bad.as_bytes()), "{bad}");
        }
    }
}
