//! Unicode's normal forms.

use std::borrow::Cow;

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick, is_nfkc_quick};

/// Composes characters (NFC), so that `e` with an accent is one character however it was typed.
#[must_use]
pub fn nfc(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || is_nfc_quick(text.chars()) == IsNormalized::Yes {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.nfc().collect())
}

/// Composes characters and takes compatible ones for one (NFKC): `ﬁ` becomes `fi`. The text may
/// grow eighteenfold (U+FDFA).
#[must_use]
pub fn nfkc(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || is_nfkc_quick(text.chars()) == IsNormalized::Yes {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.nfkc().collect())
}

/// Makes texts that differ in case only the same: NFKC, lower case, until nothing changes any
/// more, which is after the second round at the latest for all but a handful of characters.
#[must_use]
pub fn casefold(text: &str) -> Cow<'_, str> {
    let mut now = fold_once(text);
    // Lower case can undo the normal form and the other way round. Each round only ever maps to
    // smaller classes, and the bound is there for the reader's peace of mind.
    for _ in 0..4 {
        let next = fold_once(&now).into_owned();
        if next == now {
            break;
        }
        now = Cow::Owned(next);
    }
    now
}

fn fold_once(text: &str) -> Cow<'_, str> {
    match nfkc(text) {
        Cow::Borrowed(text) => super::lower(text),
        Cow::Owned(text) => Cow::Owned(super::lower(&text).into_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_composed() {
        assert_eq!(nfc("e\u{301}ﬁ"), "éﬁ");
        assert_eq!(nfkc("e\u{301}ﬁ"), "éfi");
        assert_eq!(nfkc("\u{fdfa}").chars().count(), 18);
        for text in ["", "abc", "é", "日本"] {
            assert!(matches!(nfc(text), Cow::Borrowed(same) if same == text));
            assert!(matches!(nfkc(text), Cow::Borrowed(same) if same == text));
        }
    }

    #[test]
    fn case_and_width_are_folded() {
        for (text, folded) in [
            ("ÄﬁX", "äfix"),
            ("Ｋ\u{212a}K", "kkk"),
            ("E\u{301}", "é"),
            ("", ""),
        ] {
            assert_eq!(casefold(text), folded);
        }
        assert!(matches!(casefold("äb"), Cow::Borrowed("äb")));
    }

    #[test]
    fn a_folded_character_stays_as_it_is() {
        for c in '\u{0}'..='\u{2ffff}' {
            let text = c.to_string();
            let once = casefold(&text);
            assert_eq!(casefold(&once), once, "{c:?}");
        }
    }
}
