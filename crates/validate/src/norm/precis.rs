//! The forms in which PRECIS compares names and passwords (RFC 8264 to 8266).
//!
//! Each leaves a text that its profile refuses as it is, for the rule of the same name to refuse:
//! a derive that is told to normalise by a profile also checks by it.

use std::borrow::Cow;

use precis_profiles::{Nickname, OpaqueString, UsernameCaseMapped, UsernameCasePreserved};

use crate::rule::enforce;

/// Puts a user name into the form that is compared (`UsernameCaseMapped`, RFC 8265): usual width,
/// lower case, normal form C.
///
/// # Examples
///
/// ```
/// use seawall_validate::norm::precis_username;
///
/// assert_eq!(precis_username("Ｊｕｌｉｅｔ"), "juliet");
/// assert_eq!(precis_username("two words"), "two words"); // no user name
/// ```
#[must_use]
pub fn precis_username(text: &str) -> Cow<'_, str> {
    enforce(&UsernameCaseMapped::new(), text).unwrap_or(Cow::Borrowed(text))
}

/// Puts a user name into its form as [`precis_username`] does, but keeps its case
/// (`UsernameCasePreserved`).
#[must_use]
pub fn precis_username_cased(text: &str) -> Cow<'_, str> {
    enforce(&UsernameCasePreserved::new(), text).unwrap_or(Cow::Borrowed(text))
}

/// Puts a nickname into its form (RFC 8266): one space between words, none at the ends, normal form
/// KC.
#[must_use]
pub fn precis_nickname(text: &str) -> Cow<'_, str> {
    enforce(&Nickname::new(), text).unwrap_or(Cow::Borrowed(text))
}

/// Puts a password into its form (`OpaqueString`, RFC 8265), so that it is the same typed on any
/// keyboard: spaces of all kinds become U+0020, and normal form C.
#[must_use]
pub fn precis_opaque(text: &str) -> Cow<'_, str> {
    enforce(&OpaqueString::new(), text).unwrap_or(Cow::Borrowed(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_take_the_form_that_is_compared() {
        for (text, form) in [
            ("Fußball", "fußball"),
            ("Σ", "σ"),
            // Letter by letter: a sigma at the end is no other sigma.
            ("ΣΑΣ", "σασ"),
            ("ｊuliet", "juliet"),
            ("e\u{301}a", "éa"),
        ] {
            assert_eq!(precis_username(text), form);
        }
        assert_eq!(precis_username_cased("Ｆe\u{301}"), "Fé");
    }

    #[test]
    fn nicknames_and_passwords_are_tidied_each_in_its_way() {
        assert_eq!(precis_nickname("  Foo   Bar "), "Foo Bar");
        assert_eq!(precis_nickname("henry\u{2163}"), "henryIV");
        assert_eq!(precis_opaque("foo\u{1680}bar  a\u{30a}"), "foo bar  å");
    }

    #[test]
    fn what_is_refused_or_in_form_is_borrowed() {
        for text in ["foo bar", "", "juliet", "fußball"] {
            assert!(matches!(precis_username(text), Cow::Borrowed(same) if same == text));
        }
        assert!(matches!(precis_nickname("a\u{7}"), Cow::Borrowed("a\u{7}")));
        assert!(matches!(precis_opaque("a\u{7}"), Cow::Borrowed("a\u{7}")));
    }
}
