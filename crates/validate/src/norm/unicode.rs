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
