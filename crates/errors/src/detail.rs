//! One thing that is wrong with a request, and where.

use std::borrow::Cow;

use serde_json::Value;

use crate::text::{IntoPublicText, PublicText, clean};

/// Says one thing that is wrong with a request, and where.
///
/// # Examples
///
/// ```
/// use seawall_errors::{ApiError, Detail, codes};
///
/// let error = ApiError::new(codes::VALIDATION_ERROR)
///     .detail(Detail::new("invalid_email", "Email format is invalid").field("email"));
///
/// assert_eq!(error.public_details()[0].field_path(), Some("email"));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Detail {
    code: Cow<'static, str>,
    message: PublicText,
    field: Option<String>,
    pointer: Option<String>,
    params: Members,
}

impl Detail {
    /// Makes a detail of a machine-readable code and a text.
    ///
    /// The code is a name, `[A-Za-z][A-Za-z0-9_.-]*` of at most 64 bytes. Anything else, such as
    /// the text of an error, is replaced by `invalid`, so that a run-time string is no way out for
    /// internals.
    #[must_use]
    pub fn new(code: impl Into<Cow<'static, str>>, message: impl IntoPublicText) -> Self {
        let mut code = code.into();
        if !is_name(&code) {
            code = Cow::Borrowed("invalid");
        }
        Self {
            code,
            message: message.into_public_text(),
            field: None,
            pointer: None,
            params: Vec::new(),
        }
    }

    /// Names the field, as the caller calls it: `address.street`, `items[2].sku`.
    ///
    /// Control characters are removed, and the name is cut to 256 bytes.
    #[must_use]
    pub fn field(mut self, field: impl Into<String>) -> Self {
        self.field = Some(clean(field.into(), MAX_PATH));
        self
    }

    /// Names the place in a JSON body as a JSON Pointer (RFC 6901), `/items/2/sku`.
    ///
    /// It appears in the problem body only, in its URI fragment form `#/items/2/sku`. Control
    /// characters are removed, and the pointer is cut to 256 bytes.
    #[must_use]
    pub fn pointer(mut self, pointer: impl Into<String>) -> Self {
        self.pointer = Some(clean(pointer.into(), MAX_PATH));
        self
    }

    /// Adds a value that the message mentions, such as a limit; it appears in the problem body
    /// only. A name that is used again replaces the value.
    #[must_use]
    pub fn param(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        set(&mut self.params, name, value.into());
        self
    }

    /// What a detail is made of, for a store.
    pub(crate) fn parts(&self) -> Parts<'_> {
        let (field, pointer) = (self.field.as_deref(), self.pointer.as_deref());
        (
            &self.code,
            self.message.as_str(),
            field,
            pointer,
            &self.params,
        )
    }

    /// Puts together again what [`parts`](Self::parts) took apart.
    pub(crate) fn from_parts((code, message, field, pointer, params): OwnedParts) -> Self {
        Self {
            params,
            field,
            pointer,
            ..Self::new(code, PublicText::restored(message))
        }
    }

    /// The machine-readable code.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }

    /// The text for humans.
    #[must_use]
    pub fn message(&self) -> &str {
        self.message.as_str()
    }

    /// The field, when one was named.
    #[must_use]
    pub fn field_path(&self) -> Option<&str> {
        self.field.as_deref()
    }

    /// The JSON Pointer, when one was given.
    #[must_use]
    pub fn json_pointer(&self) -> Option<&str> {
        self.pointer.as_deref()
    }

    /// The values that the message mentions.
    #[must_use]
    pub fn params(&self) -> impl ExactSizeIterator<Item = (&str, &Value)> {
        self.params.iter().map(|(name, value)| (&**name, value))
    }
}

/// Code, message, field, pointer and params.
pub(crate) type Parts<'a> = (
    &'a str,
    &'a str,
    Option<&'a str>,
    Option<&'a str>,
    &'a Members,
);

/// The same, as it is read back.
pub(crate) type OwnedParts = (String, String, Option<String>, Option<String>, Members);

/// Named values in the order in which they were given.
pub(crate) type Members = Vec<(Cow<'static, str>, Value)>;

/// Adds a value; a name that is used again replaces its value.
pub(crate) fn set(members: &mut Members, name: impl Into<Cow<'static, str>>, value: Value) {
    let name = name.into();
    match members.iter_mut().find(|(known, _)| *known == name) {
        Some((_, old)) => *old = value,
        None => members.push((name, value)),
    }
}

fn is_name(code: &str) -> bool {
    code.len() <= 64
        && code.starts_with(|c: char| c.is_ascii_alphabetic())
        && code
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'))
}

const MAX_PATH: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_that_is_no_name_is_replaced() {
        let check = |code: &str, expected: &str| {
            assert_eq!(Detail::new(code.to_owned(), "x").code(), expected);
        };
        check("too_short", "too_short");
        check("format.email-v2", "format.email-v2");
        check("permission denied: /etc/shadow", "invalid");
        check("", "invalid");
        check("1st", "invalid");
        check(&"a".repeat(65), "invalid");
        check("a\n", "invalid");
    }

    #[test]
    fn a_field_is_bounded_and_printable() {
        let detail = Detail::new("x", "x").field(format!("a\nb{}", "c".repeat(999)));
        assert_eq!(detail.field_path().map(str::len), Some(256));
        assert!(
            detail
                .field_path()
                .is_some_and(|field| field.starts_with("abc"))
        );
    }

    #[test]
    fn a_pointer_is_bounded_and_printable() {
        let detail = Detail::new("x", "x").pointer(format!("/a\nb{}", "c".repeat(999)));
        assert_eq!(detail.json_pointer().map(str::len), Some(256));
        assert!(
            detail
                .json_pointer()
                .is_some_and(|pointer| pointer.starts_with("/abc"))
        );
    }

    #[test]
    fn a_param_given_twice_keeps_the_last_value() {
        let detail = Detail::new("x", "x").param("max", 1).param("max", 2);
        assert!(detail.params().eq([("max", &Value::from(2))]));
    }
}
