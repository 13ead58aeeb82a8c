//! Addresses and names.

use std::borrow::Cow;

use super::text_type;
use crate::read::{TextRules, chars, then};
use crate::{Code, Cx, Schema, Violation, norm, rule};

/// An email address, trimmed and in lower case: what [`rule::is_email`] accepts.
///
/// # Examples
///
/// ```
/// use seawall_validate::types::Email;
///
/// let email = Email::parse(" Alice@Example.COM ")?;
/// assert_eq!(email.as_str(), "alice@example.com");
/// assert_eq!(email.domain(), "example.com");
/// # Ok::<_, seawall_validate::Violations>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Email(String);

impl Email {
    const MOST: usize = 254;

    /// What stands behind the `@`.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.0.split_once('@').map_or("", |(_, domain)| domain)
    }
}

/// The rules of [`Email`].
#[derive(Debug)]
pub(crate) struct EmailRules;

impl TextRules for EmailRules {
    const RAW: Option<usize> = Some(4 * Email::MOST);

    fn too_long() -> Violation {
        Violation::new(Code::STRING_TOO_LONG).param("max", Email::MOST)
    }

    fn normalize(text: Cow<'_, str>) -> Cow<'_, str> {
        then(then(text, |text| norm::trim(text).into()), norm::lower)
    }

    fn check(text: &str, cx: &mut Cx<'_>) {
        if chars(text, 0, Email::MOST, cx) && !rule::is_email(text.as_bytes()) {
            cx.fault(Code::INVALID_EMAIL);
        }
    }

    fn describe(schema: &mut Schema) {
        schema.set("maxLength", Email::MOST);
        schema.set("format", "email");
    }
}

text_type!([] Email, EmailRules);

/// A user's name for logging in: trimmed, in lower case, 3 to 32 of `a-z`, `0-9` and `_`, a letter
/// first. No two of them look alike, which is what a wider alphabet would have to be defended
/// against.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Username(String);

impl Username {
    const LEAST: usize = 3;
    const MOST: usize = 32;
}

/// The rules of [`Username`].
#[derive(Debug)]
pub(crate) struct UsernameRules;

const PLAIN: Code = Code::new(
    "charset",
    "must contain only {set}, and begin with a letter",
);

impl TextRules for UsernameRules {
    const RAW: Option<usize> = Some(4 * Username::MOST);

    fn too_long() -> Violation {
        Violation::new(Code::STRING_TOO_LONG).param("max", Username::MOST)
    }

    fn normalize(text: Cow<'_, str>) -> Cow<'_, str> {
        then(
            then(text, |text| norm::trim(text).into()),
            norm::lower_ascii,
        )
    }

    fn check(text: &str, cx: &mut Cx<'_>) {
        let plain = |c: char| matches!(c, 'a'..='z' | '0'..='9' | '_');
        if chars(text, Username::LEAST, Username::MOST, cx)
            && !(text.chars().all(plain) && text.starts_with(|c: char| c.is_ascii_lowercase()))
        {
            cx.report(Violation::new(PLAIN).param("set", "a-z, 0-9 and _"));
        }
    }

    fn describe(schema: &mut Schema) {
        schema.set("minLength", Username::LEAST);
        schema.set("maxLength", Username::MOST);
        schema.also_pattern("^[a-z][a-z0-9_]*$");
    }
}

text_type!([] Username, UsernameRules);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain() {
        assert_eq!(Username::parse(" Alice_1 ").unwrap().as_str(), "alice_1");
        for bad in ["al", "1alice", "ali ce", "älice", "p\u{430}ypal"] {
            assert!(Username::parse(bad).is_err(), "{bad}");
        }
    }
}
