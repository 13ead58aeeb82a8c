//! Laws, held against random input and slow, obvious models.

use std::borrow::Cow;

use proptest::prelude::*;
use seawall_validate::{Limits, Validate, from_json, from_query, norm, rule};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::article::CreateUserRequest;

/// Text with many of the characters that matter.
fn text() -> impl Strategy<Value = String> {
    let awkward = prop::sample::select(vec![
        ' ', '\t', '\n', '\r', '\u{0}', '\u{7f}', '\u{85}', '\u{a0}', '\u{ad}', '\u{130}', 'ß',
        'Σ', 'ς', '\u{200b}', '\u{200d}', '\u{202e}', '\u{3000}', '\u{feff}', 'ﬁ', '\u{fdfa}', '@',
        '.', '-', 'a', 'B', '9', 'é', '\u{301}', '😀', '%', '+', '&', '=', ':', '/', '~',
    ]);
    prop::collection::vec(prop_oneof![4 => awkward, 1 => any::<char>()], 0..24)
        .prop_map(|chars| chars.into_iter().collect())
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|n| json!(n)),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(
                prop_oneof![
                    Just("email".to_owned()),
                    Just("name".to_owned()),
                    Just("age".to_owned()),
                    text()
                ],
                inner,
                0..6
            )
            .prop_map(|map| map.into_iter().collect::<serde_json::Map<_, _>>().into()),
        ]
    })
}

/// The same fields, as serde reads them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only read")]
struct Plain {
    email: String,
    name: String,
    age: Option<u8>,
}

#[derive(Debug, Validate)]
struct Pair {
    #[serde(default)]
    first: Option<bool>,
    #[validate(range(0..=9))]
    second: u8,
}

#[derive(Debug, PartialEq, Validate)]
struct Line {
    #[validate(chars(..=99))]
    value: String,
}

/// Values of every kind, and the same as serde reads them.
macro_rules! both {
    ($($(#[$attr:meta])* $kind:ident $ours:ident $plain:ident { $($body:tt)* })*) => {$(
        #[derive(Debug, Validate)]
        $(#[$attr])*
        #[allow(dead_code, reason = "only read")]
        $kind $ours { $($body)* }
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        $(#[$attr])*
        #[allow(dead_code, reason = "only read")]
        $kind $plain { $($body)* }
    )*};
}

mod ours {
    pub(super) use super::{OurInner as Inner, OurTagged as Tagged};
}

both! {
    struct OurInner PlainInner { left: i8, right: Option<bool> }
    #[serde(tag = "kind")]
    enum OurTagged PlainTagged { Empty, Point { x: f32, y: Option<u16> } }
}

#[derive(Debug, Validate)]
#[allow(dead_code, reason = "only read")]
struct Wide {
    one: char,
    pair: (u8, bool),
    three: [i16; 3],
    #[validate(items(..=100))]
    list: Vec<u64>,
    #[validate(entries(..=100))]
    map: std::collections::BTreeMap<u8, f64>,
    inner: Option<Box<ours::Inner>>,
    tagged: ours::Tagged,
    #[serde(default)]
    extra: i128,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only read")]
struct PlainWide {
    one: char,
    pair: (u8, bool),
    three: [i16; 3],
    list: Vec<u64>,
    map: std::collections::BTreeMap<u8, f64>,
    inner: Option<Box<PlainInner>>,
    tagged: PlainTagged,
    #[serde(default)]
    extra: i128,
}

/// A good one, in which up to two places hold something else, are gone, or have company.
fn wide() -> impl Strategy<Value = Value> {
    let places = prop::sample::select(vec![
        "/one",
        "/pair",
        "/pair/1",
        "/three",
        "/three/0",
        "/list",
        "/list/1",
        "/map",
        "/map/7",
        "/inner",
        "/inner/left",
        "/inner/right",
        "/tagged",
        "/tagged/kind",
        "/tagged/x",
        "/tagged/y",
        "/extra",
    ]);
    let other = prop_oneof![
        json_value(),
        (-300_i64..70_000).prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        prop::sample::select(vec!["a", "ab", "Empty", "Point", "Nobody", "7"])
            .prop_map(Value::from),
    ];
    let change = (
        places,
        prop_oneof![other.clone().prop_map(Some), Just(None)],
    );
    let unknown = prop::option::weighted(0.1, (text(), other));
    (prop::collection::vec(change, 0..3), unknown).prop_map(|(changes, unknown)| {
        let mut value = json!({
            "one": "a", "pair": [1, true], "three": [1, -2, 3], "list": [1, 2], "map": {"7": 0.5},
            "inner": {"left": -1, "right": null}, "tagged": {"kind": "Point", "x": 1.5, "y": 2},
            "extra": 3,
        });
        for (place, new) in changes {
            match (value.pointer_mut(place), new) {
                (Some(at), Some(new)) => *at = new,
                (Some(_), None) => {
                    let (parent, key) = place.rsplit_once('/').unwrap();
                    if let Some(map) = value.pointer_mut(parent).and_then(Value::as_object_mut) {
                        map.remove(key);
                    }
                }
                (None, _) => {}
            }
        }
        if let Some((key, new)) = unknown {
            value.as_object_mut().unwrap().insert(key, new);
        }
        value
    })
}

type Normalizer = fn(&str) -> Cow<'_, str>;

const NORMALIZERS: &[(&str, Normalizer)] = &[
    ("trim", |text| norm::trim(text).into()),
    ("lower", norm::lower),
    ("upper", norm::upper),
    ("lower_ascii", norm::lower_ascii),
    ("upper_ascii", norm::upper_ascii),
    ("lower_domain", norm::lower_domain),
    ("collapse_ws", norm::collapse_ws),
    ("strip_control", norm::strip_control),
    ("single_line", norm::single_line),
    ("strip_invisible", norm::strip_invisible),
    ("strip_bidi", norm::strip_bidi),
    ("digits_only", norm::digits_only),
    ("default_if_blank", |text| {
        norm::default_if_blank(text, "x").into()
    }),
    #[cfg(feature = "unicode")]
    ("precis_username", norm::precis_username),
    #[cfg(feature = "unicode")]
    ("precis_username_cased", norm::precis_username_cased),
    #[cfg(feature = "unicode")]
    ("precis_nickname", norm::precis_nickname),
    #[cfg(feature = "unicode")]
    ("precis_opaque", norm::precis_opaque),
    #[cfg(feature = "unicode")]
    ("nfc", norm::nfc),
    #[cfg(feature = "unicode")]
    ("nfkc", norm::nfkc),
    #[cfg(feature = "unicode")]
    ("casefold", norm::casefold),
];

/// Whether some crate has turned on that feature of `serde_json`'s.
fn with_arbitrary_precision() -> bool {
    serde_json::from_str::<Value>("1.000").is_ok_and(|kept| kept.to_string().len() == "1.000".len())
}

proptest! {
    #[test]
    fn normalisers_are_idempotent(text in text()) {
        for (name, normalize) in NORMALIZERS {
            let once = normalize(&text).into_owned();
            let twice = normalize(&once);
            prop_assert!(matches!(twice, Cow::Borrowed(_)) || *twice == *once, "{name}");
            prop_assert_eq!(&*twice, &*once, "{}", name);
        }
    }

    #[cfg(feature = "unicode")]
    #[test]
    fn a_profile_accepts_what_it_has_normalised(text in text()) {
        type Profile = (Normalizer, fn(&str) -> bool);
        let profiles: [Profile; 4] = [
            (norm::precis_username, rule::is_precis_username),
            (norm::precis_username_cased, rule::is_precis_username_cased),
            (norm::precis_nickname, rule::is_precis_nickname),
            (norm::precis_opaque, rule::is_precis_opaque),
        ];
        for (normalize, is_normal) in profiles {
            let form = normalize(&text);
            // Either the form is accepted, or the profile has refused and nothing was changed.
            prop_assert!(is_normal(&form) || *form == *text);
            prop_assert!(!is_normal(&text) || *form == *text);
            if is_normal(&form) {
                prop_assert!(!form.is_empty() && !form.contains(char::is_control));
            }
        }
    }

    #[test]
    fn normalisers_agree_with_their_models(text in text()) {
        let words: Vec<_> = text.split_whitespace().collect();
        prop_assert_eq!(norm::collapse_ws(&text), words.join(" "));
        let stripped: String = text.chars().filter(|c| !c.is_control()).collect();
        prop_assert_eq!(norm::strip_control(&text), stripped);
        prop_assert_eq!(norm::lower(&text), text.to_lowercase());
        prop_assert_eq!(norm::upper(&text), text.to_uppercase());
        let kept: String = text.chars().filter(|c| c.is_whitespace() || !c.is_control()).collect();
        let words: Vec<_> = kept.split_whitespace().collect();
        prop_assert_eq!(norm::single_line(&text), words.join(" "));
    }

    #[test]
    fn lengths_are_counts(text in text(), bound in 0_usize..30) {
        let count = text.chars().count();
        prop_assert_eq!(rule::more_chars_than(&text, bound), count > bound);
        prop_assert_eq!(rule::fewer_chars_than(&text, bound), count < bound);
    }

    #[test]
    fn an_accepted_address_is_harmless(local in "[a-c.\"@ ]{0,6}", domain in "[a-c.0-9\\[\\]-]{0,9}") {
        let address = format!("{local}@{domain}");
        if rule::is_email(address.as_bytes()) {
            prop_assert!(rule::is_email_structure(address.as_bytes()));
            prop_assert!(rule::is_email_rfc5321(address.as_bytes()));
            prop_assert!(!address.contains(char::is_whitespace));
            prop_assert_eq!(address.matches('@').count(), 1);
            prop_assert!(rule::is_fqdn(domain.as_bytes()));
        }
    }

    #[test]
    fn structure_is_its_expression(text in "[a@. \n]{0,8}") {
        let model = text.matches('@').count() == 1 && {
            let (local, domain) = text.split_once('@').unwrap();
            let inner: Vec<_> = domain.char_indices().filter(|(_, c)| *c == '.').collect();
            !local.is_empty() && inner.iter().any(|(at, _)| *at > 0 && at + 1 < domain.len())
        };
        prop_assert_eq!(rule::is_email_structure(text.as_bytes()), model, "{:?}", text);
    }

    #[test]
    fn addresses_agree_with_the_standard_library(text in "[0-9a-f:.]{0,20}|([0-9]{1,3}\\.){3}[0-9]{1,3}|([0-9a-f]{1,4}:){0,7}:?([0-9a-f]{1,4})?") {
        prop_assert_eq!(rule::is_ipv4(text.as_bytes()), text.parse::<std::net::Ipv4Addr>().is_ok());
        prop_assert_eq!(rule::is_ipv6(text.as_bytes()), text.parse::<std::net::Ipv6Addr>().is_ok());
    }

    #[test]
    fn dates_are_those_of_the_calendar(year in 0_u32..3000, month in 0_u32..14, day in 0_u32..33) {
        let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
        let days = [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
        let real = (1..=12).contains(&month) && day >= 1 && day <= days[month as usize - 1];
        prop_assert_eq!(rule::is_date(format!("{year:04}-{month:02}-{day:02}").as_bytes()), real);
    }

    #[test]
    fn what_is_accepted_is_accepted_again_unchanged(name in text(), local in "[a-zA-Z]{1,9}", age in any::<Option<u8>>()) {
        let body = json!({"email": format!(" {local}@Example.com"), "name": name, "age": age}).to_string();
        if let Ok(user) = from_json::<CreateUserRequest>(body.as_bytes(), &Limits::API) {
            let body = json!({"email": user.email, "name": user.name, "age": user.age}).to_string();
            let again: CreateUserRequest = from_json(body.as_bytes(), &Limits::API).unwrap();
            prop_assert_eq!(again, user);
        }
    }

    #[test]
    fn where_serde_refuses_so_do_we(value in json_value()) {
        let body = value.to_string();
        let ours = from_json::<CreateUserRequest>(body.as_bytes(), &Limits::API);
        if serde_json::from_str::<Plain>(&body).is_err() {
            prop_assert!(ours.is_err());
        }
        if let Err(refused) = ours {
            prop_assert!(!refused.is_empty() && refused.len() <= 32);
        }
    }

    #[test]
    fn where_serde_refuses_any_kind_so_do_we(value in wide()) {
        let body = value.to_string();
        let ours = from_json::<Wide>(body.as_bytes(), &Limits::API);
        let theirs = serde_json::from_str::<PlainWide>(&body);
        if with_arbitrary_precision() {
            // There, serde itself reads no number in an enum with a tag inside.
            return Ok(());
        }
        // These types have no rule that serde does not have, but for one: what stands beside the tag of
        // a variant without fields is skipped by serde, even where unknown fields are denied.
        let tagged = value.pointer("/tagged").and_then(Value::as_object);
        let skipped = tagged.is_some_and(|it| it.len() > 1 && it.get("kind") == Some(&json!("Empty")));
        prop_assert_eq!(ours.is_ok(), theirs.is_ok() && !skipped, "{} {:?} {:?}", body, ours, theirs);
    }

    #[test]
    fn broken_bytes_never_panic_and_agree_with_serde(value in json_value(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut body = value.to_string().into_bytes();
        let at = at.index(body.len());
        body[at] = byte;
        let ours = from_json::<CreateUserRequest>(&body, &Limits::API);
        if serde_json::from_slice::<serde::de::IgnoredAny>(&body).is_err() {
            prop_assert!(ours.is_err());
        }
    }

    #[test]
    fn reading_goes_on_behind_whatever_is_wrong(value in json_value()) {
        let body = format!(r#"{{"first":{value},"second":10}}"#);
        let refused = from_json::<Pair>(body.as_bytes(), &Limits::API).unwrap_err();
        let last = refused.iter().last().unwrap();
        prop_assert_eq!(last.field(), Some("second".to_owned()));
        prop_assert_eq!(last.code(), "number_too_large");
    }

    #[test]
    fn queries_decode_what_was_encoded(value in text()) {
        let encoded: String = value.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let line: Line = from_query(&format!("value={encoded}"), &Limits::API).unwrap();
        prop_assert_eq!(line.value, value);
    }

    #[test]
    fn any_text_is_a_query_or_is_refused(query in text()) {
        let _ = from_query::<Line>(&query, &Limits::API);
    }
}

#[test]
fn naughty_strings_are_kept_or_refused() {
    for text in naughty_strings::BLNS {
        let body = json!({"email": "a@b.co", "name": text}).to_string();
        if let Ok(user) = from_json::<CreateUserRequest>(body.as_bytes(), &Limits::API) {
            assert!((1..=100).contains(&user.name.chars().count()));
            assert!(!user.name.contains(char::is_control));
        }
        let body = json!({"email": text, "name": "a"}).to_string();
        let accepted = from_json::<CreateUserRequest>(body.as_bytes(), &Limits::API).is_ok();
        assert!(!accepted || text.contains('@'), "{text}");
    }
}
