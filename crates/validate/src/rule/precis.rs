//! Names and passwords in all scripts, as PRECIS keeps them (RFC 8264 to 8266).

use std::borrow::Cow;

use precis_profiles::precis_core::profile::Profile;
use precis_profiles::{Nickname, OpaqueString, UsernameCaseMapped, UsernameCasePreserved};

/// Whether this is a user name in the form that RFC 8265 compares (`UsernameCaseMapped`): letters and
/// digits of any script and the signs of ASCII, in lower case, of usual width, in normal form C,
/// and in one direction. No space, no symbol, and no letter younger than Unicode 6.3, at which the
/// registry of PRECIS stands.
#[must_use]
pub fn is_precis_username(text: &str) -> bool {
    is_enforced(&UsernameCaseMapped::new(), text)
}

/// Whether this is a user name as [`is_precis_username`] has it, but in any case
/// (`UsernameCasePreserved`).
#[must_use]
pub fn is_precis_username_cased(text: &str) -> bool {
    is_enforced(&UsernameCasePreserved::new(), text)
}

/// Whether this is a nickname in its form of RFC 8266: words of any script and symbols, one space
/// between them, in normal form KC.
#[must_use]
pub fn is_precis_nickname(text: &str) -> bool {
    is_enforced(&Nickname::new(), text)
}

/// Whether this is a password in its form of RFC 8265 (`OpaqueString`): anything but control
/// characters and code points without a character, its spaces U+0020, in normal form C.
#[must_use]
pub fn is_precis_opaque(text: &str) -> bool {
    is_enforced(&OpaqueString::new(), text)
}

fn is_enforced(profile: &impl Profile, text: &str) -> bool {
    enforce(profile, text).is_some_and(|form| form == text)
}

/// Puts a text into the form of a profile; none where the profile refuses it.
///
/// A mapping may make work for another, so the profile is applied until nothing changes, and what
/// does not settle is refused (RFC 8264, section 7).
pub(crate) fn enforce<'a>(profile: &impl Profile, text: &'a str) -> Option<Cow<'a, str>> {
    let mut form = Cow::Borrowed(text);
    for _ in 0..=FURTHER_ROUNDS {
        let next = profile.enforce(form.as_ref()).ok()?;
        if next == form {
            return Some(form);
        }
        form = Cow::Owned(next.into_owned());
    }
    None
}

const FURTHER_ROUNDS: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_names_have_letters_and_no_spaces() {
        for good in ["juliet@example.com", "fussball", "fußball", "π", "ς", "א1"] {
            assert!(is_precis_username(good), "{good}");
            assert!(is_precis_username_cased(good), "{good}");
        }
        // RFC 8265, section 3.5: a space, nothing, a numeral, a symbol; then a control character,
        // two directions in one name, an invisible character, a letter of Unicode 11.
        for bad in [
            "foo bar",
            "",
            "henry\u{2163}",
            "\u{265a}",
            "a\u{7}",
            "א-a",
            "a\u{200b}",
            "\u{1c90}",
        ] {
            assert!(!is_precis_username(bad), "{bad}");
            assert!(!is_precis_username_cased(bad), "{bad}");
        }
    }

    #[test]
    fn only_one_of_the_two_tells_case_apart() {
        assert!(!is_precis_username("Juliet") && is_precis_username_cased("Juliet"));
        assert!(!is_precis_username("Σ") && is_precis_username_cased("Σ"));
        // Wide letters and letters with loose accents are of neither form.
        for other in ["ｊuliet", "e\u{301}a"] {
            assert!(
                !is_precis_username(other) && !is_precis_username_cased(other),
                "{other}"
            );
        }
    }

    #[test]
    fn nicknames_have_words_and_symbols() {
        for good in ["Foo", "Foo Bar", "Σ", "\u{265a}"] {
            assert!(is_precis_nickname(good), "{good}");
        }
        for bad in [
            "",
            " ",
            " foo",
            "foo ",
            "foo  bar",
            "henry\u{2163}",
            "a\u{7}",
        ] {
            assert!(!is_precis_nickname(bad), "{bad}");
        }
    }

    #[test]
    fn passwords_keep_case_and_spaces() {
        for good in [
            "correct horse battery staple",
            "Correct Horse",
            "πßå",
            "Jack of \u{2666}s",
            " a  b ",
        ] {
            assert!(is_precis_opaque(good), "{good}");
        }
        for bad in ["", "foo\u{1680}bar", "my cat is a \u{9}by", "a\u{30a}"] {
            assert!(!is_precis_opaque(bad), "{bad}");
        }
    }
}
