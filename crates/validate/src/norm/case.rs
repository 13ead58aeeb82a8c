//! Upper and lower case.

use std::borrow::Cow;

/// Maps to lower case by Unicode's full mapping. The text may grow: `İ` becomes two characters;
/// that is why lengths are checked afterwards.
///
/// # Examples
///
/// ```
/// assert_eq!(seawall_validate::norm::lower("ÄLICE@Example.COM"), "älice@example.com");
/// ```
#[must_use]
pub fn lower(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return lower_ascii(text);
    }
    if text.chars().all(|c| c.to_lowercase().eq([c])) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.to_lowercase())
}

/// Maps to upper case by Unicode's full mapping. The text may grow: `ß` becomes `SS`.
#[must_use]
pub fn upper(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return upper_ascii(text);
    }
    if text.chars().all(|c| c.to_uppercase().eq([c])) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.to_uppercase())
}

/// Maps A-Z to lower case and leaves everything else alone.
#[must_use]
pub fn lower_ascii(text: &str) -> Cow<'_, str> {
    if text.bytes().any(|b| b.is_ascii_uppercase()) {
        Cow::Owned(text.to_ascii_lowercase())
    } else {
        Cow::Borrowed(text)
    }
}

/// Maps a-z to upper case and leaves everything else alone.
#[must_use]
pub fn upper_ascii(text: &str) -> Cow<'_, str> {
    if text.bytes().any(|b| b.is_ascii_lowercase()) {
        Cow::Owned(text.to_ascii_uppercase())
    } else {
        Cow::Borrowed(text)
    }
}

/// Maps the part behind the last `@` to lower case: the part of an address where case is known to
/// mean nothing (RFC 5321, 2.4). Use [`lower`] where two spellings of one mailbox must not be two
/// users, which is what nearly every service wants.
#[must_use]
pub fn lower_domain(text: &str) -> Cow<'_, str> {
    let Some(at) = text.rfind('@') else {
        return Cow::Borrowed(text);
    };
    let (local, domain) = text.split_at(at);
    match lower(domain) {
        Cow::Borrowed(_) => Cow::Borrowed(text),
        Cow::Owned(domain) => Cow::Owned(format!("{local}{domain}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lower_case_text_is_borrowed() {
        for text in ["alice", "älice", "日本", ""] {
            assert!(matches!(lower(text), Cow::Borrowed(_)), "{text}");
        }
    }

    #[test]
    fn text_may_grow() {
        assert_eq!(lower("İ").chars().count(), 2);
        assert_eq!(upper("straße"), "STRASSE");
    }

    #[test]
    fn ascii_letters_are_moved_alone() {
        assert_eq!(lower_ascii("ÄBc1"), "Äbc1");
        assert_eq!(upper_ascii("äbC1"), "äBC1");
        assert!(matches!(lower_ascii("äb"), Cow::Borrowed("äb")));
        assert!(matches!(upper_ascii("ÄB"), Cow::Borrowed("ÄB")));
    }

    #[test]
    fn only_the_domain_is_lowered() {
        assert_eq!(lower_domain("Al@Ex.COM"), "Al@ex.com");
        assert_eq!(lower_domain("no at"), "no at");
    }
}
