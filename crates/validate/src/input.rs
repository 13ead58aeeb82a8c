//! A text as the format hands it over: borrowed from the input, lent for the moment, or owned.

use std::borrow::Cow;

/// A text of the client's, before anything was built from it.
#[derive(Debug)]
pub(crate) enum Input<'de, 'a> {
    /// A part of the input itself.
    Borrowed(&'de str),
    /// Decoded into a buffer of the format's, because it had escapes.
    Lent(&'a str),
    /// Given away.
    Owned(String),
}

impl Input<'_, '_> {
    /// The text.
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Borrowed(text) => text,
            Self::Lent(text) => text,
            Self::Owned(text) => text,
        }
    }
}

/// Makes a value of a text that has passed its rules.
///
/// Implemented for `String`, `Box<str>`, `Arc<str>`, `Rc<str>`, `Cow<str>` and `&str`. The last two
/// take the input's own bytes where normalising changed nothing; `&str` can take nothing else, and
/// reports `not_borrowed`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be made from text",
    label = "rules for text need `String`, `Cow<str>`, `&str`, `Box<str>` or `Arc<str>`, or an `Option` of one",
    note = "if `{Self}` implements `FromStr`, add `parse`; if it brings its own rules, leave the attribute out"
)]
pub trait FromText<'de>: Sized {
    /// Takes a text that lives as long as the input.
    fn from_input(text: Cow<'de, str>) -> Option<Self>;

    /// Takes a text that is about to go away.
    fn from_lent(text: Cow<'_, str>) -> Option<Self>;

    /// The text in it, to check a value that was built in code.
    fn as_text(&self) -> &str;
}

macro_rules! from_text_owned {
    ($($owned:ty),*) => {$(
        impl<'de> FromText<'de> for $owned {
            fn from_input(text: Cow<'de, str>) -> Option<Self> {
                Some(text.into_owned().into())
            }

            fn from_lent(text: Cow<'_, str>) -> Option<Self> {
                Some(text.into_owned().into())
            }

            fn as_text(&self) -> &str {
                self
            }
        }
    )*};
}
from_text_owned!(String, Box<str>, std::sync::Arc<str>, std::rc::Rc<str>);

impl<'de: 'a, 'a> FromText<'de> for Cow<'a, str> {
    fn from_input(text: Cow<'de, str>) -> Option<Self> {
        Some(text)
    }

    fn from_lent(text: Cow<'_, str>) -> Option<Self> {
        Some(Cow::Owned(text.into_owned()))
    }

    fn as_text(&self) -> &str {
        self
    }
}

impl<'de: 'a, 'a> FromText<'de> for &'a str {
    fn from_input(text: Cow<'de, str>) -> Option<Self> {
        match text {
            Cow::Borrowed(text) => Some(text),
            Cow::Owned(_) => None,
        }
    }

    fn from_lent(_: Cow<'_, str>) -> Option<Self> {
        None
    }

    fn as_text(&self) -> &str {
        self
    }
}
