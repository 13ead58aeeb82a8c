//! What reading costs in memory.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

use std::borrow::Cow;

use allocation_counter::measure;
use proptest::prelude::*;
use seawall_validate::{Limits, Validate, from_json};

#[derive(Debug, Validate)]
struct User {
    #[validate(normalize(trim, lower), chars(..=254), email)]
    email: String,
    #[validate(normalize(single_line), chars(1..=100))]
    name: String,
    #[validate(range(0..=150))]
    age: Option<u8>,
}

#[derive(Debug, Validate)]
struct Borrowed<'a> {
    #[validate(normalize(trim, lower), chars(..=254), email)]
    email: Cow<'a, str>,
    #[validate(normalize(single_line), chars(1..=100))]
    name: &'a str,
}

#[derive(Debug, Validate)]
struct Order {
    #[validate(items(..=2000))]
    lines: Vec<Line>,
    #[validate(chars(..=100))]
    note: Option<String>,
}

#[derive(Debug, Validate)]
struct Line {
    #[validate(chars(..=16), slug)]
    sku: String,
    #[validate(range(1..=99))]
    count: u8,
}

/// How many allocations a number costs: one with `serde_json`'s feature `arbitrary_precision`, with
/// which it hands over each number as a string of its own; none without.
fn cost_of_a_number() -> u64 {
    let kept: serde_json::Value = serde_json::from_str("1.000").unwrap();
    u64::from(kept.to_string().len() == "1.000".len())
}

#[test]
fn a_good_user_costs_its_own_two_strings() {
    let body = br#"{"email":"alice@example.com","name":"Alice Smith","age":30}"#;
    let info = measure(|| {
        let user: User = from_json(body, &Limits::API).unwrap();
        assert_eq!(
            (user.email.len(), user.name.len(), user.age),
            (17, 11, Some(30))
        );
    });
    assert_eq!(info.count_total, 2 + cost_of_a_number());
}

#[test]
fn a_borrowed_user_costs_nothing() {
    let body = br#"{"email":"alice@example.com","name":" Alice Smith"}"#;
    let info = measure(|| {
        // The name has a space to lose, and borrowing cannot lose one inside; here it is outside.
        let user: Borrowed<'_> =
            from_json(br#"{"email":" a@b.co","name":"A"}"#, &Limits::API).unwrap();
        assert_eq!((user.email.as_ref(), user.name), ("a@b.co", "A"));
    });
    assert_eq!(info.count_total, 0);
    assert!(from_json::<Borrowed<'_>>(body, &Limits::API).is_err());
}

#[test]
fn a_long_string_over_its_maximum_is_never_copied() {
    let limits = Limits::API.body(4 << 20);
    let body = format!(r#"{{"email":"a@b.co","name":"{}"}}"#, "x".repeat(1 << 20));
    let info = measure(|| {
        assert!(from_json::<User>(body.as_bytes(), &limits).is_err());
    });
    assert!(info.bytes_max < 4096, "{}", info.bytes_max);
}

#[test]
fn a_good_body_peaks_no_higher_than_with_serde_alone() {
    #[derive(Debug, serde::Deserialize)]
    #[expect(dead_code, reason = "only read")]
    struct PlainOrder {
        lines: Vec<PlainLine>,
        note: Option<String>,
    }
    #[derive(Debug, serde::Deserialize)]
    #[expect(dead_code, reason = "only read")]
    struct PlainLine {
        sku: String,
        count: u8,
    }
    let line = r#"{"sku":"abc-1","count":7}"#;
    let body = format!(r#"{{"lines":[{}]}}"#, vec![line; 1300].join(","));
    let ours = measure(|| drop(from_json::<Order>(body.as_bytes(), &Limits::API).unwrap()));
    let plain = measure(|| drop(serde_json::from_str::<PlainOrder>(&body).unwrap()));
    assert!(
        ours.bytes_max <= plain.bytes_max,
        "{} and {}",
        ours.bytes_max,
        plain.bytes_max
    );
    assert!(ours.count_total <= plain.count_total + 1300 * cost_of_a_number());
}

#[test]
fn a_bad_body_peaks_at_twice_its_size() {
    let escaped = "\\u0061".repeat(20_000);
    let bodies = [
        format!(r#"{{"lines":[],"note":"{escaped}"}}"#),
        format!(r#"{{"lines":[{}]}}"#, vec!["7"; 40_000].join(",")),
        format!(r#"{{"{escaped}":1}}"#),
        format!(r#"{{"x":[{}]}}"#, vec!["{\"a\":[]}"; 10_000].join(",")),
    ];
    for body in bodies {
        let info = measure(|| drop(from_json::<Order>(body.as_bytes(), &Limits::API)));
        let most = 2 * body.len() as u64 + 16_384;
        assert!(
            info.bytes_max <= most,
            "{} for {} bytes",
            info.bytes_max,
            body.len()
        );
    }
}

#[test]
fn a_flood_of_mistakes_costs_no_more_than_the_cap() {
    let keys: Vec<_> = (0..200).map(|at| format!(r#""key{at}":{at}"#)).collect();
    let body = format!("{{{}}}", keys.join(","));
    let refused = from_json::<User>(body.as_bytes(), &Limits::API).unwrap_err();
    assert_eq!(refused.len(), 32);
    assert!(refused.is_truncated());
}

/// The pieces of bodies: what opens and is never closed, what is long, what is wrong, what is good.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        prop::sample::select(vec![
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            "null",
            "true",
            "7",
            "1e999",
            "\"a\"",
            "\"lines\":",
            "\"note\":",
            "{\"sku\":\"abc-1\",\"count\":7},",
            "\"\\u0061\"",
            "\"\\ud800\"",
            "-",
            "0.1e-7",
        ])
        .prop_map(str::to_owned),
        (1_usize..3000).prop_map(|count| format!("\"{}\"", "x".repeat(count))),
        (1_usize..500).prop_map(|count| format!("\"{}\":1,", "\\u00e4".repeat(count))),
        (1_usize..2000).prop_map(|count| "[".repeat(count)),
        (1_usize..200).prop_map(|count| "{\"a\":".repeat(count)),
        (1_usize..600).prop_map(|count| "{\"sku\":\"\",\"count\":0},".repeat(count)),
    ];
    (0_usize..3, prop::collection::vec(piece, 0..12)).prop_map(|(start, pieces)| {
        let start = ["", "{\"lines\":[", "{\"note\":"][start];
        format!("{start}{}", pieces.concat())
    })
}

proptest! {
    #[test]
    fn whatever_comes_peaks_at_twice_its_size(body in pieces()) {
        let mut accepted = false;
        let info = measure(|| {
            accepted = from_json::<Order>(body.as_bytes(), &Limits::API).is_ok();
        });
        let most = 2 * body.len() as u64 + 16_384;
        prop_assert!(info.bytes_max <= most, "{} for {} bytes: {accepted}", info.bytes_max, body.len());
    }

    #[test]
    fn a_good_body_costs_what_it_becomes(skus in prop::collection::vec("[a-z]{1,16}", 0..60), note in "[ -!#-\\[\\]-~]{0,100}") {
        let lines: Vec<_> = skus.iter().map(|sku| format!(r#"{{"sku":"{sku}","count":7}}"#)).collect();
        let body = format!(r#"{{"lines":[{}],"note":"{note}"}}"#, lines.join(","));
        // What is pushed one by one grows by doubling.
        let mut grown = 0;
        let own = measure(|| {
            let mut list: Vec<Line> = Vec::new();
            for sku in &skus {
                list.push(Line { sku: sku.clone(), count: 7 });
            }
            grown = list.len();
            drop((list, note.clone()));
        });
        let read = measure(|| drop(from_json::<Order>(body.as_bytes(), &Limits::API).unwrap()));
        prop_assert_eq!(grown, skus.len());
        prop_assert!(read.count_total <= own.count_total + skus.len() as u64 * cost_of_a_number());
        prop_assert!(read.bytes_max <= own.bytes_max + 64);
    }
}
