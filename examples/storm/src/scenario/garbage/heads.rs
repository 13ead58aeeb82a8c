//! Heads that lie or flood: content types, headers, queries, lengths.

use super::case::{Expect, Kind};
use super::plan::{GOOD, MALFORMED, Plan};
use super::write::Draft;
use crate::client::raw::Piece;

pub(super) fn lying_types(plan: &mut Plan) {
    const UNSUPPORTED: Expect = Expect::Status(&[415]);
    for name in [
        "text/plain",
        "application/xml",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonx",
        "json",
        "*/*",
        "",
    ] {
        let draft = Draft::new("POST", "/api/users").header("content-type", name);
        plan.add(
            Kind::LyingType,
            format!("{name:?}"),
            draft.body(GOOD),
            UNSUPPORTED,
        );
    }
    let none = Draft::new("POST", "/api/users").body(GOOD);
    plan.add(Kind::LyingType, "none", none, UNSUPPORTED);
    let charset = Draft::new("POST", "/api/users")
        .header("content-type", "application/json; charset=utf-16")
        .body(GOOD);
    plan.add(
        Kind::LyingType,
        "another charset",
        charset,
        Expect::Harmless,
    );
    let twice = Draft::post_json("/api/users")
        .header("content-type", "text/plain")
        .body(GOOD);
    plan.add(Kind::LyingType, "two", twice, Expect::Harmless);
    let binary = [0x1f, 0x8b, 0x08, 0x00, 0xff, 0x00, 0xfe];
    for coding in ["gzip", "br", "zstd"] {
        let draft = Draft::post_json("/api/users").header("content-encoding", coding);
        plan.add(
            Kind::LyingType,
            format!("{coding}, and is none"),
            draft.body(binary),
            Expect::Status(&[400, 415]),
        );
    }
    plan.users(Kind::LyingType, "JSON, and is binary", binary, MALFORMED);
}

pub(super) fn header_floods(plan: &mut Plan) {
    let many = |count: usize, size: usize| {
        (0..count)
            .fold(Draft::new("GET", "/api/users/1"), |draft, number| {
                draft.header(&format!("x-flood-{number}"), "f".repeat(size))
            })
            .body("")
    };
    for (note, pieces) in [
        ("90 headers", many(90, 20)),
        ("200 headers", many(200, 20)),
        ("5,000 headers", many(5_000, 20)),
        ("a header of 64 KiB", many(1, 64 * 1024)),
        ("a header of 2 MiB", many(1, 2 * 1024 * 1024)),
        ("50 headers of 4 KiB", many(50, 4 * 1024)),
    ] {
        plan.add(Kind::HeaderFlood, note, pieces, Expect::HarmlessOrClosed);
    }
    for (note, line) in [
        ("a name with a space", "x flood: a"),
        ("a folded header", "x-flood: a\r\n b"),
        ("a bare carriage return", "x-flood: a\rb"),
        ("a zero byte", "x-flood: a\0b"),
        ("no colon", "x-flood"),
    ] {
        let head = format!("GET /api/users/1 HTTP/1.1\r\nhost: shop.example\r\n{line}\r\n\r\n");
        plan.add(
            Kind::HeaderFlood,
            note,
            vec![Piece::once(head)],
            Expect::HarmlessOrClosed,
        );
    }
}

pub(super) fn query_floods(plan: &mut Plan) {
    let search = |query: &str| Draft::new("GET", &format!("/api/search?{query}")).body("");
    let long = format!("q={}", "s".repeat(10_000));
    plan.add(
        Kind::QueryFlood,
        "10,000 characters",
        search(&long),
        Expect::Refused,
    );
    let longer = format!("q={}", "s".repeat(200 * 1024));
    plan.add(
        Kind::QueryFlood,
        "200 KiB",
        search(&longer),
        Expect::HarmlessOrClosed,
    );
    let many: String = (0..5_000).map(|number| format!("p{number}=1&")).collect();
    plan.add(
        Kind::QueryFlood,
        "5,000 parameters",
        search(&many),
        Expect::Refused,
    );
    let same = format!("{}q=sea", "q=sea&".repeat(5_000));
    plan.add(
        Kind::QueryFlood,
        "5,000 times the same",
        search(&same),
        Expect::Harmless,
    );
    let path = Draft::new("GET", &format!("/api/{}", "users/".repeat(2_000))).body("");
    plan.add(Kind::QueryFlood, "2,000 segments", path, Expect::Refused);
    plan.add(
        Kind::QueryFlood,
        "only ampersands",
        search(&"&".repeat(10_000)),
        Expect::Refused,
    );
}

pub(super) fn lying_lengths(plan: &mut Plan) {
    let users = || Draft::post_json("/api/users").unsaid_length();
    for (note, pieces) in [
        (
            "negative",
            users().header("content-length", "-1").body(GOOD),
        ),
        (
            "not a number",
            users().header("content-length", "ten").body(GOOD),
        ),
        (
            "beyond 64 bits",
            users()
                .header("content-length", "99999999999999999999")
                .body(GOOD),
        ),
        ("two of them", {
            users()
                .header("content-length", "5")
                .header("content-length", "49")
                .body(GOOD)
        }),
        ("both kinds", {
            users()
                .header("content-length", "5")
                .header("transfer-encoding", "chunked")
                .body("0\r\n\r\n")
        }),
        (
            "chunks that are none",
            users().header("transfer-encoding", "chunked").body(GOOD),
        ),
        ("a chunk beyond 64 bits", {
            users()
                .header("transfer-encoding", "chunked")
                .body("fffffffffffffffff\r\n{}\r\n")
        }),
        (
            "an unknown coding",
            users().header("transfer-encoding", "rot13").body(GOOD),
        ),
        (
            "less than there is",
            users().header("content-length", "5").body(GOOD),
        ),
        (
            "another version",
            vec![Piece::once("GET / HTTP/9.9\r\n\r\n")],
        ),
        (
            "no HTTP at all",
            vec![
                Piece::once(&b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..]),
                { Piece::once("\r\n\r\n") },
            ],
        ),
    ] {
        plan.add(Kind::LyingLength, note, pieces, Expect::HarmlessOrClosed);
    }
}
