//! Normalisers: functions that put a text into one of its spellings.
//!
//! Each is idempotent (applying it twice is applying it once), borrows where there is nothing to
//! do, and works alone. In a derive they are named in `normalize(..)`, are applied from left to
//! right, and come *before* the rules: a rule that looked at the raw text would accept `"\u{0}"` as
//! a name of one character and store an empty one.

mod case;
#[cfg(feature = "unicode")]
mod precis;
mod space;
#[cfg(feature = "unicode")]
mod unicode;

pub use case::{lower, lower_ascii, lower_domain, upper, upper_ascii};
#[cfg(feature = "unicode")]
#[cfg_attr(docsrs, doc(cfg(feature = "unicode")))]
pub use precis::{precis_nickname, precis_opaque, precis_username, precis_username_cased};
pub use space::{
    collapse_ws, default_if_blank, digits_only, single_line, strip_bidi, strip_control,
    strip_invisible, trim,
};
#[cfg(feature = "unicode")]
#[cfg_attr(docsrs, doc(cfg(feature = "unicode")))]
pub use unicode::{casefold, nfc, nfkc};

use std::borrow::Cow;

/// Keeps the characters that pass, and borrows if all do.
fn keep(text: &str, passes: impl Fn(char) -> bool) -> Cow<'_, str> {
    match text.char_indices().find(|(_, c)| !passes(*c)) {
        None => Cow::Borrowed(text),
        Some((first, _)) => {
            let mut out = String::with_capacity(text.len());
            out.push_str(&text[..first]);
            out.extend(text[first..].chars().filter(|c| passes(*c)));
            Cow::Owned(out)
        }
    }
}
