//! Strict texts to bytes and back: one text for one value wherever a text is signed.

use base64ct::{Base64, Base64Unpadded, Base64UrlUnpadded, Encoding as _};
use zeroize::Zeroizing;

/// Is how a signature is written in its header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Encoding {
    /// Hexadecimal, lower case only.
    LowerHex,
    /// Hexadecimal in either case. Written in lower case.
    Hex,
    /// Standard Base64 with padding; texts whose unused bits are not zero are refused.
    Base64,
}

impl Encoding {
    /// Fills the whole of `out` from the text, or returns false when the text is not exactly that.
    pub(crate) fn read(self, text: &[u8], out: &mut [u8]) -> bool {
        match self {
            Self::LowerHex => hex(text, out, false),
            Self::Hex => hex(text, out, true),
            Self::Base64 => base64(text, out),
        }
    }

    pub(crate) fn write(self, bytes: &[u8], out: &mut String) {
        match self {
            Self::LowerHex | Self::Hex => push_hex(bytes, out),
            Self::Base64 => push_base64(bytes, out),
        }
    }
}

fn hex(text: &[u8], out: &mut [u8], upper: bool) -> bool {
    if text.len() != out.len() * 2 {
        return false;
    }
    // Whatever is no digit has a high bit, and one of them is enough for all.
    let mut wrong = 0;
    for (pair, out) in text.chunks_exact(2).zip(out) {
        let (high, low) = (DIGIT[usize::from(pair[0])], DIGIT[usize::from(pair[1])]);
        wrong |= high | low;
        *out = (high << 4) + (low & 15);
    }
    let allowed = if upper { 0x0F + UPPER } else { 0x0F };
    wrong & !allowed == 0
}

/// Marks the digits that are not lower case.
const UPPER: u8 = 0x10;

/// What each byte is worth as a hexadecimal digit.
const DIGIT: [u8; 256] = {
    let mut table = [0xE0; 256];
    let mut value = 0_u8;
    while value < 16 {
        table[b"0123456789abcdef"[value as usize] as usize] = value;
        if value > 9 {
            table[b"0123456789ABCDEF"[value as usize] as usize] = value + UPPER;
        }
        value += 1;
    }
    table
};

fn base64(text: &[u8], out: &mut [u8]) -> bool {
    let len = out.len();
    text.len() == len.div_ceil(3) * 4
        && Base64::decode(text, out).is_ok_and(|decoded| decoded.len() == len)
}

pub(crate) fn push_hex(bytes: &[u8], out: &mut String) {
    out.reserve_exact(bytes.len() * 2);
    for piece in bytes.chunks(32) {
        let mut text = [0; 64];
        let text = &mut text[..piece.len() * 2];
        write_hex(piece, text);
        out.push_str(std::str::from_utf8(text).unwrap_or_default());
    }
}

fn write_hex(bytes: &[u8], text: &mut [u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for (pair, byte) in text.chunks_exact_mut(2).zip(bytes) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 15)];
    }
}

pub(crate) fn push_base64(bytes: &[u8], out: &mut String) {
    // In pieces that need no padding between them, so that a secret leaves no copy on the heap.
    let mut text = Zeroizing::new([0; 64]);
    for piece in bytes.chunks(48) {
        out.push_str(Base64::encode(piece, &mut *text).unwrap_or_default());
    }
}

pub(crate) fn base64_url(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}

/// Writes a digest as 64 lower-case digits without a heap.
pub(crate) fn hex_of_digest(digest: &[u8; 32]) -> [u8; 64] {
    let mut text = [0; 64];
    write_hex(digest, &mut text);
    text
}

/// Decodes hexadecimal of any length and case: for secrets.
pub(crate) fn hex_to_vec(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(vec![0; text.len() / 2]);
    hex(text.as_bytes(), &mut bytes, true).then_some(bytes)
}

/// Decodes Base64 with or without padding, loose trailing bits allowed: for secrets, which people
/// copy from consoles that trim them.
pub(crate) fn base64_to_vec(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let text = text.trim_end_matches('=');
    let mut text = Zeroizing::new(text.as_bytes().to_vec());
    // A last letter may carry bits that no byte uses; senders' libraries ignore them, and so do we.
    let spare = match text.len() % 4 {
        2 => 4,
        3 => 2,
        _ => 0,
    };
    if let Some(last) = text.last_mut() {
        *last = without_low_bits(*last, spare)?;
    }
    let mut bytes = Zeroizing::new(vec![0; text.len() / 4 * 3 + 2]);
    let len = Base64Unpadded::decode(text.as_slice(), &mut bytes)
        .ok()?
        .len();
    bytes.truncate(len);
    Some(bytes)
}

fn without_low_bits(letter: u8, spare: u32) -> Option<u8> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let value = ALPHABET.iter().position(|known| *known == letter)?;
    ALPHABET.get(value >> spare << spare).copied()
}

/// Reads whole seconds: 1 to 12 digits, no sign, no leading zero, nothing else.
pub(crate) fn seconds(text: &[u8]) -> Option<u64> {
    let canonical = text == b"0" || !text.starts_with(b"0");
    if text.is_empty() || text.len() > 12 || !canonical {
        return None;
    }
    text.iter().try_fold(0_u64, |sum, byte| {
        byte.is_ascii_digit()
            .then(|| sum * 10 + u64::from(byte - b'0'))
    })
}

/// Writes whole seconds without a heap: the inverse of [`seconds`].
pub(crate) fn with_decimal<R>(mut number: u64, use_it: impl FnOnce(&[u8]) -> R) -> R {
    let mut text = [0; 20];
    let mut at = text.len();
    loop {
        at -= 1;
        text[at] = b'0' + u8::try_from(number % 10).unwrap_or(0);
        number /= 10;
        if number == 0 {
            break;
        }
    }
    use_it(&text[at..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn seconds_have_one_text() {
        assert_eq!(seconds(b"1700000000"), Some(1_700_000_000));
        assert_eq!(seconds(b"0"), Some(0));
        let wrong: [&[u8]; 9] = [
            b"",
            b"+1",
            b"-1",
            b"01",
            b" 1",
            b"1 ",
            b"1.7e9",
            b"1234567890123",
            "\u{661}".as_bytes(),
        ];
        for text in wrong {
            assert_eq!(seconds(text), None, "{text:?}");
        }
    }

    #[test]
    fn two_wrong_digits_do_not_make_a_right_one() {
        for text in [&b"zz"[..], b"gG", b"--", &[0xff, 0xff], b"g0", b"0g"] {
            assert!(!Encoding::Hex.read(text, &mut [0]), "{text:?}");
            assert!(!Encoding::LowerHex.read(text, &mut [0]), "{text:?}");
        }
    }

    #[test]
    fn secrets_in_hexadecimal_are_of_either_case() {
        let read = |text| hex_to_vec(text).map(|bytes| bytes.to_vec());
        assert_eq!(read("00fFA9"), Some(vec![0x00, 0xff, 0xa9]));
        assert_eq!(read(""), Some(Vec::new()));
        assert_eq!(read("0"), None);
        assert_eq!(read("0x"), None);
    }

    #[test]
    fn hexadecimal_takes_as_much_room_as_it_fills() {
        let mut text = String::new();
        push_hex(&[7; 33], &mut text);
        assert_eq!((text.len(), text.capacity()), (66, 66));
    }

    #[test]
    fn base64_has_one_text() {
        let mut out = [0; 32];
        let good = b"tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=";
        assert!(Encoding::Base64.read(good, &mut out));
        for bad in [
            &b"tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkx="[..],
            b"tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw",
            b"tZ1I4_hDygAJgO5TYxiSd6Sd0kDW6hPenDe-bTa3Kkw=",
            b"tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kk==",
            b"tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3KkwA",
            b"====",
            b"",
        ] {
            assert!(!Encoding::Base64.read(bad, &mut out), "{bad:?}");
        }
    }

    #[test]
    fn secrets_decode_leniently() {
        for (text, len) in [
            ("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", 24),
            ("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS", 23),
            ("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwBr", 25),
            ("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwBr==", 25),
        ] {
            assert_eq!(
                base64_to_vec(text).map(|bytes| bytes.len()),
                Some(len),
                "{text}"
            );
        }
        assert!(base64_to_vec("a b").is_none());
        assert!(base64_to_vec("MfKQ9").is_none());
    }

    proptest! {
        #[test]
        fn every_encoding_returns_what_it_wrote(bytes in prop::array::uniform32(any::<u8>())) {
            for encoding in [Encoding::LowerHex, Encoding::Hex, Encoding::Base64] {
                let (mut text, mut back) = (String::new(), [0; 32]);
                encoding.write(&bytes, &mut text);
                prop_assert!(encoding.read(text.as_bytes(), &mut back));
                prop_assert_eq!(back, bytes);
            }
            let mut text = String::new();
            push_hex(&bytes, &mut text);
            prop_assert_eq!(text.as_bytes(), &hex_of_digest(&bytes));
        }

        #[test]
        fn at_most_one_base64_text_a_value(text in "[A-Za-z0-9+/=]{44}") {
            let mut out = [0; 32];
            if Encoding::Base64.read(text.as_bytes(), &mut out) {
                let mut again = String::new();
                push_base64(&out, &mut again);
                prop_assert_eq!(again, text);
            }
        }

        #[test]
        fn decimals_return(number in 0_u64..1_000_000_000_000) {
            prop_assert_eq!(with_decimal(number, seconds), Some(number));
        }
    }
}
