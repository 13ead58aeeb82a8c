//! Text that callers may read.

use std::borrow::Cow;

/// Text that may be shown to callers of an API.
///
/// A string literal is public: somebody wrote it, and it is the same for each occurrence. A string
/// that was put together at run time is where errors leak (`e.to_string()`), so it does not convert;
/// [`PublicText::vetted`] takes it, and stands in the code as the place where somebody decided.
///
/// # Examples
///
/// ```
/// use seawall_errors::{ApiError, PublicText, codes};
///
/// let fixed = ApiError::new(codes::CONFLICT).message("The cart is closed");
/// assert_eq!(fixed.public_message(), "The cart is closed");
///
/// let left = 3;
/// let vetted = PublicText::vetted(format!("Only {left} items left"));
/// assert_eq!(ApiError::new(codes::CONFLICT).message(vetted).public_message(), "Only 3 items left");
/// ```
///
/// What was not vetted does not compile:
///
/// ```compile_fail
/// use seawall_errors::{ApiError, codes};
///
/// let left = 3;
/// ApiError::new(codes::CONFLICT).message(format!("Only {left} items left"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PublicText(Cow<'static, str>);

impl PublicText {
    /// Takes a run-time string that the caller of this function declares fit for the public.
    ///
    /// Control characters are removed, and the text is cut to 512 bytes.
    #[must_use]
    pub fn vetted(text: impl Into<String>) -> Self {
        Self(Cow::Owned(clean(text.into(), MAX_BYTES)))
    }

    /// Takes back a text that was public when a store took it.
    pub(crate) const fn restored(text: String) -> Self {
        Self(Cow::Owned(text))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&'static str> for PublicText {
    fn from(text: &'static str) -> Self {
        Self(Cow::Borrowed(text))
    }
}

impl AsRef<str> for PublicText {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

/// Turns into public text without losing sight of who decided that it is: a literal, a
/// [`PublicText`], or a type of your own whose texts you know.
///
/// It is a trait of its own, rather than `Into<PublicText>`, for the sake of what the compiler says
/// when a `String` is given.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not public text: it could carry internals to the caller",
    label = "callers would read this",
    note = "write a string literal, or `PublicText::vetted(..)` where callers may read every value",
    note = "what is meant for operators goes into `.source(..)` or `.note(..)` of `ApiError`"
)]
pub trait IntoPublicText {
    /// Makes the text.
    fn into_public_text(self) -> PublicText;
}

impl IntoPublicText for &'static str {
    fn into_public_text(self) -> PublicText {
        PublicText::from(self)
    }
}

impl IntoPublicText for PublicText {
    fn into_public_text(self) -> PublicText {
        self
    }
}

/// Removes control characters and cuts at a character boundary, in place where nothing is to do.
pub(crate) fn clean(mut text: String, max: usize) -> String {
    if text.chars().any(char::is_control) {
        text.retain(|c| !c.is_control());
    }
    cut(text, max)
}

/// Cuts at a character boundary, and gives back the memory of what was cut off.
pub(crate) fn cut(mut text: String, max: usize) -> String {
    if text.len() > max {
        // A character is at most four bytes, so one of these is a boundary.
        let end = (max.saturating_sub(3)..=max)
            .rev()
            .find(|&at| text.is_char_boundary(at));
        text.truncate(end.unwrap_or(0));
        text.shrink_to_fit();
    }
    text
}

const MAX_BYTES: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vetted_text_has_no_control_characters() {
        let text = PublicText::vetted("a\r\nb\u{0}c\u{7f}d\u{9b}e\u{1b}[0m");
        assert_eq!(text.as_str(), "abcde[0m");
    }

    #[test]
    fn vetted_text_is_cut_at_a_character_boundary() {
        let text = PublicText::vetted("é".repeat(400));
        assert_eq!(text.as_str(), "é".repeat(256));
        let text = PublicText::vetted(format!("x{}", "é".repeat(400)));
        assert_eq!(text.as_str().len(), 511);
    }
}
