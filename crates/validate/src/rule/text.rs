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

/// Whether there is a control character: U+0000 to U+001F, or U+007F to U+009F.
#[must_use]
pub fn has_control(text: &str) -> bool {
    text.chars().any(char::is_control)
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
}
