//! The disguises in which a word is looked for.

/// A word in one encoding.
pub(super) struct Needle {
    encoding: &'static str,
    bytes: Vec<u8>,
    any_case: bool,
}

impl Needle {
    /// The word in every encoding that is looked for.
    pub(super) fn all(word: &str) -> Vec<Self> {
        let needle = |encoding, bytes, any_case| Self {
            encoding,
            bytes,
            any_case,
        };
        let hex = word
            .bytes()
            .flat_map(|b| format!("{b:02x}").into_bytes())
            .collect();
        // From the first letter to the last, which is the same in both byte orders.
        let mut wide: Vec<u8> = word.bytes().flat_map(|b| [b, 0]).collect();
        wide.pop();
        let mut needles = vec![
            needle("as it is", word.as_bytes().to_vec(), true),
            needle("in hexadecimal digits", hex, true),
            needle("in UTF-16", wide, false),
        ];
        // Within a longer text, a word may begin at each of three places of a Base64 group.
        needles.extend((0..3).map(|at| needle("in Base64", base64(word, at), false)));
        needles
    }

    pub(super) const fn encoding(&self) -> &'static str {
        self.encoding
    }

    pub(super) fn is_in(&self, text: &[u8]) -> bool {
        text.windows(self.bytes.len()).any(|window| {
            if self.any_case {
                window.eq_ignore_ascii_case(&self.bytes)
            } else {
                window == self.bytes
            }
        })
    }
}

/// The characters of Base64 that depend on the word alone when `before` bytes precede it.
///
/// The two alphabets differ in the characters for 62 and 63, which no six bits of small letters and
/// digits amount to: one search covers both.
fn base64(word: &str, before: usize) -> Vec<u8> {
    let bits: Vec<bool> = word
        .bytes()
        .flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1 == 1))
        .collect();
    // The word starts in the middle of a character when bytes precede it: skip to the next.
    let skip = (6 - before * 8 % 6) % 6;
    bits[skip..]
        .chunks_exact(6)
        .map(|six| ALPHABET[six.iter().fold(0, |sum, &bit| sum << 1 | usize::from(bit))])
        .collect()
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

#[cfg(test)]
mod tests {
    use super::*;

    const WORD: &str = "canary0123456789abcdef";

    fn found(text: &[u8]) -> Option<&'static str> {
        Needle::all(WORD)
            .iter()
            .find(|needle| needle.is_in(text))
            .map(Needle::encoding)
    }

    #[test]
    fn finds_the_word_in_each_encoding() {
        assert_eq!(found(format!("x{WORD}y").as_bytes()), Some("as it is"));
        assert_eq!(found(WORD.to_uppercase().as_bytes()), Some("as it is"));
        let hex: String = WORD.bytes().map(|b| format!("{b:02X}")).collect();
        assert_eq!(found(hex.as_bytes()), Some("in hexadecimal digits"));
        let wide: Vec<u8> = WORD.encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(found(&wide), Some("in UTF-16"));
        let wide: Vec<u8> = WORD.encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(found(&wide), Some("in UTF-16"));
        // Base64 of the word behind nothing, "x", "xy" and "xyz".
        for text in [
            "Y2FuYXJ5MDEyMzQ1Njc4OWFiY2RlZg==",
            "eGNhbmFyeTAxMjM0NTY3ODlhYmNkZWY=",
            "eHljYW5hcnkwMTIzNDU2Nzg5YWJjZGVm",
            "eHl6Y2FuYXJ5MDEyMzQ1Njc4OWFiY2RlZg==",
        ] {
            assert_eq!(found(text.as_bytes()), Some("in Base64"), "{text}");
        }
    }

    #[test]
    fn finds_nothing_in_what_is_shorter_or_different() {
        assert_eq!(found(b""), None);
        assert_eq!(found(&WORD.as_bytes()[1..]), None);
        assert_eq!(
            found(b"canary0123456789abcdee, Y2FuYXJ5MTEyMzQ1Njc4OWFiY2RlZg=="),
            None
        );
    }
}
