//! How long a text is, and which characters it has.

/// Whether there are more than `max` characters. Looks at the bytes first: a text of at most `max`
/// bytes cannot have more characters, and one of more than four times as many must.
#[must_use]
pub fn more_chars_than(text: &str, max: usize) -> bool {
    text.len() > max && (text.len() > max.saturating_mul(4) || text.chars().count() > max)
}

/// Whether there are fewer than `min` characters.
#[must_use]
pub fn fewer_chars_than(text: &str, min: usize) -> bool {
    text.len() < min.saturating_mul(4) && (text.len() < min || text.chars().count() < min)
}

/// Whether there is a character that is not white space.
#[must_use]
pub fn has_non_blank(text: &str) -> bool {
    text.chars().any(|c| !c.is_whitespace())
}

/// Whether there is no control character: U+0000 to U+001F, or U+007F to U+009F.
#[must_use]
pub fn has_no_control(text: &str) -> bool {
    !text.chars().any(char::is_control)
}

/// Whether no character turns the direction of text.
#[must_use]
pub fn has_no_bidi(text: &str) -> bool {
    !text.chars().any(is_bidi)
}

/// Whether no character is invisible.
#[must_use]
pub fn has_no_invisible(text: &str) -> bool {
    !text.chars().any(is_invisible)
}

/// Whether this character turns the direction of text.
#[must_use]
pub const fn is_bidi(c: char) -> bool {
    matches!(
        c,
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{61c}'
    )
}

/// Whether this character cannot be seen and carries no meaning of its own.
#[must_use]
pub const fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{200b}' | '\u{2060}'..='\u{2064}' | '\u{feff}' | '\u{ad}' | '\u{e0000}'..='\u{e007f}'
    )
}

macro_rules! class {
    ($($(#[$doc:meta])* $name:ident = $fits:pat => ;)*) => {$(
        $(#[$doc])*
        #[must_use]
        pub const fn $name(text: &[u8]) -> bool {
            let mut at = 0;
            while at < text.len() {
                if !matches!(text[at], $fits) {
                    return false;
                }
                at += 1;
            }
            true
        }
    )*};
}

class! {
    /// Whether all bytes are ASCII.
    is_ascii = 0..=0x7f => ;
    /// Whether all are ASCII that can be printed, the space included.
    is_printable_ascii = b' '..=b'~' => ;
    /// Whether all are `A-Z`, `a-z` or `0-9`.
    is_alnum = b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' => ;
    /// Whether all are `0-9`.
    is_digits = b'0'..=b'9' => ;
    /// Whether all are hexadecimal digits.
    is_hex = b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F' => ;
    /// Whether all are `a-z`.
    is_lower_alpha = b'a'..=b'z' => ;
    /// Whether all are `A-Z`.
    is_upper_alpha = b'A'..=b'Z' => ;
}

/// Whether there is no control character but line feeds, for texts of several lines.
#[must_use]
pub fn has_no_control_but_newline(text: &str) -> bool {
    !text.chars().any(|c| c.is_control() && c != '\n')
}

/// Whether the text is one that attackers try first: fewer than four different characters, or a
/// common word with digits and signs around it. A service should also ask a list of breached
/// passwords; this is the part that needs none.
#[must_use]
pub fn is_weak_password(text: &str) -> bool {
    const COMMON: [&str; 24] = [
        "password", "passwort", "qwerty", "qwertz", "azerty", "letmein", "welcome", "admin",
        "iloveyou", "monkey", "dragon", "sunshine", "princess", "football", "baseball", "master",
        "shadow", "superman", "trustno", "abc", "login", "hello", "secret", "changeme",
    ];
    let mut different: Vec<char> = text.chars().take(256).collect();
    different.sort_unstable();
    different.dedup();
    let bare = text
        .trim_matches(|c: char| !c.is_alphabetic())
        .to_lowercase();
    let ascending = text
        .as_bytes()
        .windows(2)
        .all(|two| two[1] == two[0].wrapping_add(1));
    let descending = text
        .as_bytes()
        .windows(2)
        .all(|two| two[0] == two[1].wrapping_add(1));
    different.len() < 4 || COMMON.contains(&bare.as_str()) || ascending || descending
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_are_counted_and_not_bytes() {
        assert!(!more_chars_than("ééé", 3));
        assert!(more_chars_than("éééé", 3));
        assert!(fewer_chars_than("é", 2));
        assert!(!fewer_chars_than("éé", 2));
        assert!(!fewer_chars_than("", 0));
        assert!(more_chars_than("a", 0));
    }

    #[test]
    fn four_bytes_a_character_are_the_most() {
        let faces = "😀😀";
        assert!(!more_chars_than(faces, 2) && more_chars_than(faces, 1));
        assert!(!fewer_chars_than(faces, 2) && fewer_chars_than(faces, 3));
        assert!(!more_chars_than("abc", 3) && more_chars_than("abcd", 3));
        assert!(!fewer_chars_than("abc", 3) && fewer_chars_than("ab", 3));
        assert!(more_chars_than(&"a".repeat(9), 2) && !fewer_chars_than(&"a".repeat(8), 2));
    }

    #[test]
    fn blank_is_white_space_of_any_kind() {
        assert!(has_non_blank(" a") && has_non_blank("\u{200b}"));
        assert!(!has_non_blank("") && !has_non_blank(" \t\u{3000}"));
    }

    #[test]
    fn hidden_characters_are_seen() {
        assert!(has_no_control("a b é") && has_no_bidi("a") && has_no_invisible("a\u{200d}"));
        for control in ['\0', '\n', '\u{1f}', '\u{7f}', '\u{80}', '\u{9f}'] {
            assert!(!has_no_control(&format!("a{control}")), "{control:?}");
            assert_eq!(
                has_no_control_but_newline(&format!("a{control}b")),
                control == '\n'
            );
        }
        assert!(has_no_control_but_newline("a b\n"));
        for turn in [
            '\u{202a}', '\u{202e}', '\u{2066}', '\u{2069}', '\u{200e}', '\u{200f}', '\u{61c}',
        ] {
            assert!(!has_no_bidi(&format!("a{turn}")), "{turn:?}");
        }
        for hidden in [
            '\u{200b}',
            '\u{2060}',
            '\u{2064}',
            '\u{feff}',
            '\u{ad}',
            '\u{e0000}',
            '\u{e007f}',
        ] {
            assert!(!has_no_invisible(&format!("a{hidden}")), "{hidden:?}");
        }
    }

    #[test]
    fn classes_hold_their_bytes_and_no_others() {
        type Class = (fn(&[u8]) -> bool, fn(&u8) -> bool);
        let classes: [Class; 7] = [
            (is_ascii, u8::is_ascii),
            (is_printable_ascii, |byte| {
                byte.is_ascii_graphic() || *byte == b' '
            }),
            (is_alnum, u8::is_ascii_alphanumeric),
            (is_digits, u8::is_ascii_digit),
            (is_hex, u8::is_ascii_hexdigit),
            (is_lower_alpha, u8::is_ascii_lowercase),
            (is_upper_alpha, u8::is_ascii_uppercase),
        ];
        for (is_in, model) in classes {
            assert!(is_in(b""));
            for byte in 0..=255 {
                assert_eq!(is_in(&[byte]), model(&byte), "{byte}");
                assert_eq!(is_in(&[b'0', byte]), is_in(b"0") && model(&byte), "{byte}");
            }
        }
    }

    #[test]
    fn passwords_that_are_tried_first_are_weak() {
        for weak in [
            "",
            "aaaaaaaaaaaa",
            "abababab",
            "abcabcabcabc",
            "Password",
            "password123!",
            "12monkey34",
            "!!LetMeIn!!",
            "abcdefghijkl",
            "zyxwvutsrqpo",
            "123456789",
            "987654321",
        ] {
            assert!(is_weak_password(weak), "{weak}");
        }
        for other in [
            "correct horse",
            "abcdabcdabcd",
            "abcdefghijkz",
            "lkjihgfedcba1",
            "passwordless",
            "my password 12",
            "1234",
            "abdc",
        ] {
            assert_eq!(is_weak_password(other), other == "1234", "{other}");
        }
    }
}
