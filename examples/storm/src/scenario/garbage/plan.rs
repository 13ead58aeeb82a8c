//! Which garbage is sent, and what answer each kind asks for. Follows from the seed alone.

use crate::audit::Speaker;
use crate::cli::Length;
use crate::client::Unanswered;
use crate::client::raw::{Exchange, Piece};
use crate::dice::Dice;

use super::write::{Draft, ENORMOUS};

/// One piece of garbage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Case {
    pub(super) kind: Kind,
    /// Which of its kind, for people.
    note: String,
    pub(super) pieces: Vec<Piece>,
    pub(super) speaker: Speaker,
    pub(super) expect: Expect,
}

impl Case {
    pub(super) fn label(&self) -> String {
        format!("{} ({})", self.kind.name(), self.note)
    }
}

/// The kinds of garbage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    MalformedJson,
    WrongType,
    Deep,
    OversizedByLength,
    OversizedInChunks,
    InvalidUtf8,
    Naughty,
    HeaderFlood,
    QueryFlood,
    LyingType,
    LyingLength,
}

impl Kind {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::MalformedJson => "malformed JSON",
            Self::WrongType => "wrong type",
            Self::Deep => "10,000 deep",
            Self::OversizedByLength => "64 MiB by length",
            Self::OversizedInChunks => "64 MiB in chunks",
            Self::InvalidUtf8 => "invalid UTF-8",
            Self::Naughty => "naughty string",
            Self::HeaderFlood => "header flood",
            Self::QueryFlood => "query flood",
            Self::LyingType => "lying content type",
            Self::LyingLength => "lying length",
        }
    }

    pub(super) const fn is_oversized(self) -> bool {
        matches!(self, Self::OversizedByLength | Self::OversizedInChunks)
    }

    /// Whether the report shows one answer of this kind.
    pub(super) const fn is_shown(self) -> bool {
        matches!(
            self,
            Self::MalformedJson | Self::WrongType | Self::LyingType
        )
    }
}

/// What kind of answer a piece of garbage asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expect {
    /// One of these.
    Status(&'static [u16]),
    /// Any 4xx.
    Refused,
    /// 413, or the connection closed long before everything was taken.
    TooLarge,
    /// It may be accepted: it is odd, not wrong. No 5xx, and no silence.
    Harmless,
    /// The same, and a close without a word is fine: it is no HTTP.
    HarmlessOrClosed,
}

impl Expect {
    pub(super) fn check(self, exchange: &Exchange) -> Result<(), String> {
        match &exchange.answer {
            Ok(answer) => {
                let ok = match self {
                    Self::Status(statuses) => statuses.contains(&answer.status),
                    Self::Refused => (400..500).contains(&answer.status),
                    Self::TooLarge => answer.status == 413,
                    Self::Harmless | Self::HarmlessOrClosed => answer.status < 500,
                };
                if ok {
                    Ok(())
                } else {
                    Err(answer.status.to_string())
                }
            }
            Err(Unanswered::Closed) => {
                let ok = match self {
                    Self::TooLarge => exchange.taken < ENORMOUS as u64 / 2,
                    Self::HarmlessOrClosed => true,
                    Self::Status(_) | Self::Refused | Self::Harmless => false,
                };
                if ok {
                    Ok(())
                } else {
                    Err(Unanswered::Closed.name().to_owned())
                }
            }
            Err(unanswered) => Err(unanswered.name().to_owned()),
        }
    }
}

/// The whole plan of a seed, in an order by chance.
pub(super) fn plan(seed: u64, length: Length) -> Vec<Case> {
    let mut dice = Dice::new(seed, "garbage");
    let mut plan = Plan { cases: Vec::new() };
    for _ in 0..length.pick(6, 2) {
        malformed_json(&mut plan, &mut dice);
        wrong_types(&mut plan);
        naughty_strings(&mut plan);
        lying_types(&mut plan);
        invalid_utf8(&mut plan);
        deep(&mut plan);
    }
    for _ in 0..length.pick(3, 1) {
        header_floods(&mut plan);
        query_floods(&mut plan);
        lying_lengths(&mut plan);
    }
    for _ in 0..length.pick(4, 2) {
        oversized(&mut plan);
    }
    dice.shuffle(&mut plan.cases);
    plan.cases
}

struct Plan {
    cases: Vec<Case>,
}

impl Plan {
    fn add(&mut self, kind: Kind, note: impl Into<String>, pieces: Vec<Piece>, expect: Expect) {
        let speaker = match kind {
            Kind::HeaderFlood | Kind::QueryFlood | Kind::LyingLength => Speaker::Parser,
            _ => Speaker::Service,
        };
        self.cases.push(Case {
            kind,
            note: note.into(),
            pieces,
            speaker,
            expect,
        });
    }

    fn users(
        &mut self,
        kind: Kind,
        note: impl Into<String>,
        body: impl AsRef<[u8]>,
        expect: Expect,
    ) {
        self.add(
            kind,
            note,
            Draft::post_json("/api/users").body(body),
            expect,
        );
    }
}

const GOOD: &str = r#"{"email":"ann@example.com","name":"Ann","age":41}"#;
const MALFORMED: Expect = Expect::Status(&[400]);
const INVALID: Expect = Expect::Status(&[400, 422]);

fn malformed_json(plan: &mut Plan, dice: &mut Dice) {
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

fn wrong_types(plan: &mut Plan) {
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

fn deep(plan: &mut Plan) {
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

fn oversized(plan: &mut Plan) {
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

fn invalid_utf8(plan: &mut Plan) {
    for (note, bytes) in [
        ("a lone continuation", &b"\x80"[..]),
        ("an overlong slash", b"\xc0\xaf"),
        ("a surrogate", b"\xed\xa0\x80"),
        ("beyond Unicode", b"\xf5\x80\x80\x80"),
        ("cut short", b"\xe2\x82"),
        ("Latin-1", b"Ren\xe9"),
    ] {
        let mut body = b"{\"email\":\"ann@example.com\",\"name\":\"".to_vec();
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\"}");
        plan.users(
            Kind::InvalidUtf8,
            format!("{note}, in a body"),
            body,
            MALFORMED,
        );

        let escaped: String = bytes.iter().map(|byte| format!("%{byte:02x}")).collect();
        let query = Draft::new("GET", &format!("/api/search?q={escaped}")).body("");
        plan.add(
            Kind::InvalidUtf8,
            format!("{note}, in a query"),
            query,
            Expect::Harmless,
        );
        let path = Draft::new("GET", &format!("/api/users/{escaped}")).body("");
        plan.add(
            Kind::InvalidUtf8,
            format!("{note}, in a path"),
            path,
            Expect::Refused,
        );
        let header = Draft::new("GET", "/api/users/1")
            .header("x-note", bytes)
            .body("");
        plan.add(
            Kind::InvalidUtf8,
            format!("{note}, in a header"),
            header,
            Expect::Harmless,
        );
        let token = [b"Bearer ", bytes].concat();
        let bearer = Draft::post_json("/api/send-email")
            .header("authorization", token)
            .body("{}");
        plan.add(
            Kind::InvalidUtf8,
            format!("{note}, in a token"),
            bearer,
            Expect::Refused,
        );
    }
}

fn naughty_strings(plan: &mut Plan) {
    for text in NAUGHTY {
        let quoted = serde_json::to_string(text).expect("text is JSON");
        let user = format!("{{\"email\":\"ann@example.com\",\"name\":{quoted}}}");
        plan.users(
            Kind::Naughty,
            format!("{text:?} as a name"),
            user,
            Expect::Harmless,
        );
        let user = format!("{{\"email\":{quoted},\"name\":\"Ann\"}}");
        plan.users(
            Kind::Naughty,
            format!("{text:?} as an address"),
            user,
            Expect::Harmless,
        );
        let escaped: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let search = Draft::new("GET", &format!("/api/search?q={escaped}")).body("");
        plan.add(
            Kind::Naughty,
            format!("{text:?} as a query"),
            search,
            Expect::Harmless,
        );
        let path = Draft::new("GET", &format!("/api/users/{escaped}")).body("");
        plan.add(
            Kind::Naughty,
            format!("{text:?} as an id"),
            path,
            Expect::Refused,
        );
    }
    let long = "n".repeat(100_000);
    let user = format!("{{\"email\":\"ann@example.com\",\"name\":\"{long}\"}}");
    plan.users(
        Kind::Naughty,
        "a name of 100,000 letters",
        user,
        Expect::Harmless,
    );
}

/// Strings that have broken things before.
const NAUGHTY: [&str; 26] = [
    "' OR '1'='1",
    "'; DROP TABLE shop_users; --",
    "\" OR \"\"=\"",
    "<script>alert(1)</script>",
    "{{7*7}}",
    "${jndi:ldap://example.com/a}",
    "$(reboot)",
    "`id`",
    "; cat /etc/passwd",
    "../../../../etc/passwd",
    "..\\..\\windows\\win.ini",
    "%s%s%s%n",
    "%00",
    "\0",
    "line\r\nset-cookie: a=b",
    "\u{1b}[2J",
    "\u{202e}drowssap",
    "\u{feff}name",
    "Z\u{338}\u{34a}\u{302}a\u{336}lg\u{489}o",
    "👩‍👩‍👧‍👦",
    "ﷺ",
    "Ω≈ç√∫",
    "null",
    "undefined",
    "NaN",
    "1e1000",
];

fn lying_types(plan: &mut Plan) {
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

fn header_floods(plan: &mut Plan) {
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

fn query_floods(plan: &mut Plan) {
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

fn lying_lengths(plan: &mut Plan) {
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::Duration;

    use http::HeaderMap;

    use super::*;
    use crate::answer::Answer;

    #[test]
    fn the_plan_follows_from_the_seed() {
        assert_eq!(plan(1, Length::Quick), plan(1, Length::Quick));
        assert_ne!(plan(1, Length::Quick), plan(2, Length::Quick));
    }

    #[test]
    fn even_a_quick_plan_has_every_kind() {
        let kinds: BTreeSet<Kind> = plan(1, Length::Quick)
            .iter()
            .map(|case| case.kind)
            .collect();
        assert_eq!(kinds.len(), 11);
    }

    #[test]
    fn malformed_bodies_are_malformed() {
        for case in plan(5, Length::Quick) {
            if case.kind == Kind::MalformedJson {
                let bytes = &case.pieces[0].bytes;
                let head = bytes.windows(4).position(|end| end == b"\r\n\r\n").unwrap();
                let body = &bytes[head + 4..];
                assert!(
                    serde_json::from_slice::<serde_json::Value>(body).is_err(),
                    "{case:?}"
                );
            }
        }
    }

    fn checked(expect: Expect, answer: Result<u16, Unanswered>, taken: u64) -> bool {
        let answer = answer.map(|status| {
            Answer::new(
                status,
                &HeaderMap::new(),
                bytes::Bytes::new(),
                Duration::ZERO,
            )
        });
        expect.check(&Exchange { answer, taken }).is_ok()
    }

    #[test]
    fn no_expectation_bears_a_5xx_or_silence() {
        for expect in [
            MALFORMED,
            Expect::Refused,
            Expect::TooLarge,
            Expect::Harmless,
            Expect::HarmlessOrClosed,
        ] {
            assert!(!checked(expect, Ok(500), 0), "{expect:?}");
            assert!(!checked(expect, Err(Unanswered::TimedOut), 0), "{expect:?}");
        }
        assert!(checked(Expect::TooLarge, Err(Unanswered::Closed), 1 << 20));
        assert!(!checked(
            Expect::TooLarge,
            Err(Unanswered::Closed),
            60 << 20
        ));
        assert!(!checked(Expect::TooLarge, Ok(201), 0));
        assert!(!checked(Expect::Harmless, Err(Unanswered::Closed), 0));
    }
}
