//! The reader against a corpus of JSON: `y_` is accepted, `n_` refused, `i_` either.

use seawall_validate::{Limits, Parser, Validate};

use crate::{Tally, folder};

#[derive(Debug, Validate)]
struct Anything(#[validate(serde)] serde_json::Value);

/// A field that nearly nothing fits, and behind it one that is wrong in a known way.
#[derive(Debug, Validate)]
struct Neighbours {
    first: Option<NoValue>,
    second: u8,
}

/// Accepts nothing, so that whatever comes is a recoverable error.
#[derive(Debug, Validate)]
enum NoValue {
    #[serde(rename = "no text of the corpus is this one")]
    Impossible,
}

const WIDE: Limits = Limits::API
    .body(64 << 20)
    .depth(usize::MAX)
    .nodes(usize::MAX)
    .keys(usize::MAX)
    .key(usize::MAX)
    .string(usize::MAX)
    .items(usize::MAX);

fn corpus() -> Vec<(String, Vec<u8>)> {
    let Some(folder) = folder().map(|folder| folder.join("json_parsing")) else {
        let kept: [(&str, &[u8]); 12] = [
            ("y_array", b"[1,\"a\",null]"),
            ("y_duplicate", br#"{"a":1,"a":2}"#),
            ("y_escapes", br#"["\u0061\ud834\udd1e\n"]"#),
            ("y_lonely", b"-0.5e1"),
            ("y_key", br#"{"$serde_json::private::Number":"1"}"#),
            ("n_comma", b"[1,]"),
            ("n_open", b"[1"),
            ("n_surrogate", br#"["\ud800"]"#),
            ("n_utf8", b"[\"\xff\"]"),
            ("n_two", b"1 2"),
            ("n_zero", b"[01]"),
            ("i_huge", b"[1e999]"),
        ];
        return kept
            .map(|(name, text)| (name.to_owned(), text.to_vec()))
            .into();
    };
    let mut all: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| {
            (
                entry.file_name().into_string().unwrap(),
                std::fs::read(entry.path()).unwrap(),
            )
        })
        .collect();
    all.sort();
    all
}

#[test]
fn corpus_is_accepted_and_refused_as_it_says() {
    let mut tally = Tally::default();
    let parser = Parser::new(&WIDE).allow_duplicate_keys();
    let mut accepted = Vec::new();
    for (name, text) in corpus() {
        let got = parser.json::<Anything>(&text).is_ok();
        match name.as_bytes() {
            [b'y', b'_', ..] if name == "y_key" => tally.case("reader", &name, false, got, &[]),
            [b'y', b'_', ..] => tally.case("reader", &name, true, got, &[]),
            [b'n', b'_', ..] => tally.case("reader", &name, false, got, &[]),
            [b'i', b'_', ..] => {
                tally.cases += 1;
                if got {
                    accepted.push(name);
                }
            }
            _ => tally.skip(name, 1),
        }
    }
    tally.skip(
        format!("(not judged) i_ accepted: {}", accepted.join(" ")),
        accepted.len(),
    );
    tally.finish("json corpus");
}

#[test]
fn fields_behind_a_wrong_value_are_read_right() {
    let mut tally = Tally::default();
    let parser = Parser::new(&WIDE);
    for (name, text) in corpus() {
        if !name.starts_with("y_") {
            continue;
        }
        let body = [br#"{"first":"#, text.as_slice(), br#","second":300}"#].concat();
        let refused = parser.json::<Neighbours>(&body).unwrap_err();
        let fields: Vec<_> = refused
            .iter()
            .map(|v| v.field().unwrap_or_default())
            .collect();
        let last = refused.iter().last().map(|v| v.code());
        let right = last == Some("number_too_large")
            && fields.last().map(String::as_str) == Some("second")
            && fields[..fields.len() - 1]
                .iter()
                .all(|field| field.starts_with("first"));
        tally.case("recovery", &format!("{name} {refused:?}"), true, right, &[]);
    }
    tally.finish("json recovery");
}
