//! Bodies that are malformed, of the wrong type, too deep, too large.

use super::case::{Expect, Kind};
use super::plan::{GOOD, INVALID, MALFORMED, Plan};
use super::write::Draft;
use crate::dice::Dice;

pub(super) fn malformed_json(plan: &mut Plan, dice: &mut Dice) {
    for text in [
        "",
        " ",
        "nonsense",
        "{",
        "}",
        "{\"email\"}",
        "{\"email\":}",
        "{'email':'ann@example.com'}",
        "{\"email\":\"ann@example.com\",}",
        "{\"email\":\"ann@example.com\" \"name\":\"Ann\"}",
        "{\"email\":\"a\nb\"}",
        "{\"email\":\"\\x\"}",
        "{\"email\":\"\\ud800\"}",
        "{\"age\":041}",
        "{\"age\":NaN}",
        "{\"age\":+1}",
        "{\"age\":1.}",
        "{\"age\":0x29}",
        "// Ann\n{}",
        "\u{feff}{}",
    ] {
        plan.users(Kind::MalformedJson, format!("{text:?}"), text, MALFORMED);
    }
    // What is wrong with these first is a matter of reading order: a value that is not enough, or
    // what follows it.
    for text in ["{}}", "{\"email\":\"ann@example.com\"}{", "{}nonsense"] {
        plan.users(Kind::MalformedJson, format!("{text:?}"), text, INVALID);
    }
    for _ in 0..20 {
        // Every proper beginning of an object is malformed.
        let cut = 1 + dice.below(GOOD.len() - 1);
        plan.users(
            Kind::MalformedJson,
            format!("cut after {cut}"),
            &GOOD[..cut],
            MALFORMED,
        );
    }
}

pub(super) fn wrong_types(plan: &mut Plan) {
    for text in [
        "null",
        "true",
        "7",
        "\"Ann\"",
        "[]",
        "[{\"email\":\"ann@example.com\",\"name\":\"Ann\"}]",
        "{\"email\":7,\"name\":\"Ann\"}",
        "{\"email\":{\"$gt\":\"\"},\"name\":\"Ann\"}",
        "{\"email\":\"ann@example.com\",\"name\":[\"Ann\"]}",
        "{\"email\":\"ann@example.com\",\"name\":null}",
        "{\"email\":\"ann@example.com\",\"name\":\"Ann\",\"age\":\"41\"}",
        "{\"email\":\"ann@example.com\",\"name\":\"Ann\",\"age\":-1}",
        "{\"email\":\"ann@example.com\",\"name\":\"Ann\",\"age\":4.1}",
        "{\"email\":\"ann@example.com\",\"name\":\"Ann\",\"age\":1e99}",
        "{\"email\":\"ann@example.com\",\"name\":\"Ann\",\"age\":99999999999999999999}",
        "{\"name\":\"Ann\"}",
        "{}",
    ] {
        plan.users(Kind::WrongType, text, text, INVALID);
    }
    for id in [
        "abc",
        "-1",
        "1.5",
        "99999999999999999999999",
        "%00",
        "1%2f2",
    ] {
        let pieces = Draft::new("GET", &format!("/api/users/{id}")).body("");
        plan.add(
            Kind::WrongType,
            format!("user {id}"),
            pieces,
            Expect::Refused,
        );
    }
}

pub(super) fn deep(plan: &mut Plan) {
    const DEPTH: usize = 10_000;
    const TOO_DEEP: Expect = Expect::Status(&[400, 413, 422]);
    let arrays = "[".repeat(DEPTH) + &"]".repeat(DEPTH);
    let objects = "{\"a\":".repeat(DEPTH) + "1" + &"}".repeat(DEPTH);
    plan.users(Kind::Deep, "arrays", &arrays, TOO_DEEP);
    plan.users(Kind::Deep, "objects", &objects, TOO_DEEP);
    plan.users(Kind::Deep, "never closed", &arrays[..DEPTH], TOO_DEEP);
    plan.users(
        Kind::Deep,
        "in a field",
        format!("{{\"email\":{arrays}}}"),
        TOO_DEEP,
    );
    let unknown = format!("{{\"email\":\"a@example.com\",\"name\":\"A\",\"x\":{objects}}}");
    plan.users(Kind::Deep, "in an unknown field", unknown, TOO_DEEP);
}

pub(super) fn oversized(plan: &mut Plan) {
    let prefix = "{\"email\":\"ann@example.com\",\"name\":\"Ann\",\"padding\":\"";
    let by_length = Draft::post_json("/api/users").enormous(prefix, "\"}");
    plan.add(
        Kind::OversizedByLength,
        "announced",
        by_length,
        Expect::TooLarge,
    );
    let in_chunks = Draft::post_json("/api/users").enormous_in_chunks(prefix, "\"}");
    plan.add(
        Kind::OversizedInChunks,
        "unannounced",
        in_chunks,
        Expect::TooLarge,
    );
}
