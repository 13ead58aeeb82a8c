//! White space, control characters, and characters that cannot be seen.

use std::borrow::Cow;

use super::keep;

/// Strips Unicode white space from both ends.
///
/// # Examples
///
/// ```
/// assert_eq!(seawall_validate::norm::trim("\u{3000} a b\n"), "a b");
/// ```
#[must_use]
pub fn trim(text: &str) -> &str {
    text.trim()
}

/// Removes the control characters U+0000 to U+001F and U+007F to U+009F, line breaks and tabs
/// among them. `strip_control, collapse_ws` is the classic recipe for names; it joins the words of
/// `"a\tb"`, where [`single_line`] keeps them apart.
#[must_use]
pub fn strip_control(text: &str) -> Cow<'_, str> {
    keep(text, |c| !c.is_control())
}

/// Makes every run of white space one space, and strips both ends.
#[must_use]
pub fn collapse_ws(text: &str) -> Cow<'_, str> {
    tidy(text, false)
}

/// Makes a text one clean line: runs of white space, tabs and line breaks included, become one
/// space, the ends are stripped, and other control characters vanish.
///
/// # Examples
///
/// ```
/// assert_eq!(seawall_validate::norm::single_line(" Alice\t\u{7}Smith "), "Alice Smith");
/// ```
#[must_use]
pub fn single_line(text: &str) -> Cow<'_, str> {
    tidy(text, true)
}

fn tidy(text: &str, drop_control: bool) -> Cow<'_, str> {
    if is_tidy(text, drop_control) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut gap = false;
    for c in text.chars() {
        if c.is_whitespace() {
            gap = true;
        } else if !(drop_control && c.is_control()) {
            if gap && !out.is_empty() {
                out.push(' ');
            }
            gap = false;
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// Whether there is nothing to do. Looks at bytes as long as they are ASCII.
fn is_tidy(text: &str, drop_control: bool) -> bool {
    let mut after_space = true;
    for (at, &byte) in text.as_bytes().iter().enumerate() {
        match byte {
            b' ' if after_space => return false,
            b' ' => after_space = true,
            0x21..=0x7e => after_space = false,
            // No white space below 0x80 but the space and U+0009 to U+000D.
            0..=0x08 | 0x0e..=0x1f | 0x7f if !drop_control => after_space = false,
            0..0x80 => return false,
            0x80.. => return is_tidy_beyond_ascii(&text[at..], drop_control, after_space),
        }
    }
    !after_space || text.is_empty()
}

fn is_tidy_beyond_ascii(text: &str, drop_control: bool, mut after_space: bool) -> bool {
    for c in text.chars() {
        let space = c.is_whitespace();
        if (space && (c != ' ' || after_space)) || (drop_control && c.is_control()) {
            return false;
        }
        after_space = space;
    }
    !after_space
}

/// Removes characters that cannot be seen and carry no meaning: zero width space and non-joiner's
/// kin (U+200B, U+2060 to U+2064, U+FEFF), the soft hyphen (U+00AD) and tags (U+E0000 to U+E007F).
/// Zero width joiner and non-joiner stay: emoji, Indic scripts and Persian need them.
#[must_use]
pub fn strip_invisible(text: &str) -> Cow<'_, str> {
    keep(text, |c| !crate::rule::is_invisible(c))
}

/// Removes the characters that turn the direction of text (U+202A to U+202E, U+2066 to U+2069,
/// U+200E, U+200F, U+061C), with which `exe.txt` can be made to read `txt.exe`.
#[must_use]
pub fn strip_bidi(text: &str) -> Cow<'_, str> {
    keep(text, |c| !crate::rule::is_bidi(c))
}

/// Keeps the digits 0-9: for numbers that people write with spaces and dashes.
#[must_use]
pub fn digits_only(text: &str) -> Cow<'_, str> {
    keep(text, |c| c.is_ascii_digit())
}

/// Puts `default` in the place of a text of nothing but white space: for forms, which send every
/// field.
///
/// # Examples
///
/// ```
/// use seawall_validate::norm::default_if_blank;
///
/// assert_eq!(default_if_blank(" ", "nobody"), "nobody");
/// assert_eq!(default_if_blank(" a", "nobody"), " a");
/// ```
#[must_use]
pub fn default_if_blank<'a>(text: &'a str, default: &'a str) -> &'a str {
    if crate::rule::has_non_blank(text) {
        text
    } else {
        default
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stay_apart_in_a_single_line() {
        assert_eq!(single_line("Alice\tSmith"), "Alice Smith");
        assert_eq!(single_line("a\u{0}\u{9f}b"), "ab");
        assert_eq!(single_line(" \u{7} \u{a0}é  x "), "é x");
        assert_eq!(single_line("a \u{0} b"), "a b");
    }

    #[test]
    fn the_classic_recipe_joins_them() {
        assert_eq!(collapse_ws(&strip_control("Alice\tSmith")), "AliceSmith");
    }

    #[test]
    fn nothing_but_controls_is_nothing() {
        assert_eq!(single_line("\u{0}"), "");
    }

    #[test]
    fn tidy_text_is_borrowed() {
        for text in ["", "Alice Smith", "Zoë", "日本 語"] {
            assert!(matches!(single_line(text), Cow::Borrowed(_)), "{text}");
        }
    }

    #[test]
    fn white_space_is_one_space() {
        assert_eq!(trim(" \u{3000}a b\n"), "a b");
        for (text, tidy) in [
            ("a  b", "a b"),
            (" a", "a"),
            ("a ", "a"),
            ("a\nb", "a b"),
            ("é  x", "é x"),
            ("é\u{a0}x", "é x"),
            ("é ", "é"),
            ("é\u{85}x", "é x"),
            ("  ", ""),
            ("é\tx", "é x"),
        ] {
            assert_eq!(collapse_ws(text), tidy);
            assert_eq!(single_line(text), tidy);
        }
        // Control characters are not this one's business.
        assert!(matches!(collapse_ws("a\u{7}b"), Cow::Borrowed("a\u{7}b")));
        assert!(matches!(collapse_ws("é\u{9f}b"), Cow::Borrowed("é\u{9f}b")));
        assert_eq!(single_line("é\u{9f}b"), "éb");
    }

    #[test]
    fn what_is_stripped_is_stripped_everywhere() {
        assert_eq!(strip_control("\u{7}a\u{85}b\n"), "ab");
        assert_eq!(
            strip_invisible("\u{200b}a\u{ad}b\u{200d}\u{feff}"),
            "ab\u{200d}"
        );
        assert_eq!(strip_bidi("\u{202e}a\u{200f}b\u{2069}"), "ab");
        assert_eq!(digits_only("+49 (30) 1"), "49301");
        for text in ["ab\u{200d}", "", "é"] {
            assert!(matches!(strip_invisible(text), Cow::Borrowed(same) if same == text));
            assert!(matches!(strip_bidi(text), Cow::Borrowed(same) if same == text));
        }
    }

    #[test]
    fn nothing_but_white_space_is_replaced() {
        for blank in ["", " ", "\t\u{3000}"] {
            assert_eq!(default_if_blank(blank, "x"), "x");
        }
        assert_eq!(default_if_blank(" a ", "x"), " a ");
    }
}
