//! Structured Fields (RFC 9651): parsing, strictly, and writing in the one canonical form.
//!
//! Stricter than the RFC in two points, since both would let a sender and a verifier read different
//! things: a key that comes twice is an error, and so is Base64 that is not canonical.

mod parse;
mod write;

pub(super) use parse::{dictionary, item, list};
use write::write_parameters;
pub(super) use write::{write_bare, write_inner, write_item, write_member};

/// Is a value without parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Bare {
    Integer(i64),
    /// In thousandths.
    Decimal(i64),
    String(String),
    Token(String),
    Bytes(Vec<u8>),
    Boolean(bool),
    Date(i64),
    Display(String),
}

pub(super) type Parameters = Vec<(String, Bare)>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) bare: Bare,
    pub(super) parameters: Parameters,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct InnerList {
    pub(super) items: Vec<Item>,
    pub(super) parameters: Parameters,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Member {
    Item(Item),
    Inner(InnerList),
}

/// Writes a field again in canonical form, as whichever of the three kinds it is.
///
/// The kind of a field is not in its text. Where a text is both a list and a dictionary the two
/// canonical forms agree, but for keys that come twice, which are refused as a dictionary.
pub(super) fn canonical(text: &[u8]) -> Option<String> {
    let mut out = String::new();
    if let Some(members) = list(text) {
        for (at, member) in members.iter().enumerate() {
            if at > 0 {
                out.push_str(", ");
            }
            write_member(member, &mut out);
        }
        return Some(out);
    }
    for (at, (key, member)) in dictionary(text)?.iter().enumerate() {
        if at > 0 {
            out.push_str(", ");
        }
        out.push_str(key);
        match member {
            Member::Item(Item {
                bare: Bare::Boolean(true),
                parameters,
            }) => {
                write_parameters(parameters, &mut out);
            }
            member => {
                out.push('=');
                write_member(member, &mut out);
            }
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(text: &str, expected: Option<&str>) {
        assert_eq!(canonical(text.as_bytes()).as_deref(), expected, "{text}");
    }

    #[test]
    fn fields_have_one_canonical_form() {
        check(
            " a=1,    b=2;x=1;y=2,   c=(a   b   c)",
            Some("a=1, b=2;x=1;y=2, c=(a b c)"),
        );
        check("a;q=0.50, b", Some("a;q=0.5, b"));
        check("-1.100", Some("-1.1"));
        check("-0.5", Some("-0.5"));
        check("3.0", Some("3.0"));
        check("0.0", Some("0.0"));
        check("\"a\\\"b\\\\\"", Some("\"a\\\"b\\\\\""));
        check("a=?0, b=?1, c", Some("a=?0, b, c"));
        check("@1659578233", Some("@1659578233"));
        check("%\"f%c3%bc%c3%bc\"", Some("%\"f%c3%bc%c3%bc\""));
        check(":aGVsbG8=:", Some(":aGVsbG8=:"));
        check("", Some(""));
    }

    #[test]
    fn other_texts_are_none() {
        for text in [
            "a=1,",
            ",a",
            "a==1",
            "(a",
            "(a b))",
            "(\"a\"\"b\")",
            "\"a",
            "\"\\n\"",
            ":aGVsbG9=:",
            ":aGVsbG8:",
            "1234567890123456",
            "1.2345",
            "1.",
            ".5",
            "--1",
            "?2",
            "a=1;A=1",
            "a=1, a=2",
            "a;b;b",
            "\u{e9}",
            "a b",
            "%\"%C3%BC\"",
            "%\"%ff\"",
            "@1.5",
        ] {
            check(text, None);
        }
    }

    proptest! {
        #[test]
        fn the_canonical_form_is_its_own(text in "[a-c0-9=;,() \"\\\\:?@%.*-]{0,24}") {
            if let Some(once) = canonical(text.as_bytes()) {
                prop_assert_eq!(canonical(once.as_bytes()), Some(once.clone()), "{}", text);
            }
        }

        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = (canonical(&bytes), dictionary(&bytes), item(&bytes));
        }
    }

    #[test]
    fn every_list_has_64_members_at_most() {
        let keys = |count: usize, between| {
            let keys: Vec<_> = (0..count).map(|n| format!("k{n}")).collect();
            keys.join(between)
        };
        for (count, read) in [(64, true), (65, false)] {
            let members = keys(count, ", ");
            let inner = format!("({})", keys(count, " "));
            let parameters = format!("k;{}", keys(count, ";"));
            assert_eq!(dictionary(members.as_bytes()).is_some(), read, "{count}");
            assert_eq!(list(members.as_bytes()).is_some(), read, "{count}");
            assert_eq!(list(inner.as_bytes()).is_some(), read, "{count}");
            assert_eq!(item(parameters.as_bytes()).is_some(), read, "{count}");
        }
    }
}
