//! Texts that are none, and texts that have broken things before.

use super::case::{Expect, Kind};
use super::plan::{MALFORMED, Plan};
use super::write::{Draft, percent_encoded};
use crate::cli::Length;
use crate::client::raw::Piece;

pub(super) fn invalid_utf8(plan: &mut Plan) {
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

        let escaped = percent_encoded(bytes);
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

pub(super) fn naughty_strings(plan: &mut Plan) {
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
        let escaped = percent_encoded(text.as_bytes());
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

/// The public list of naughty strings, for every text that the service takes. A quick run puts each
/// string into one of them, a whole run into all.
pub(super) fn all_naughty_strings(plan: &mut Plan, length: Length) {
    const PLACES: usize = 5;
    for (number, text) in naughty_strings::BLNS.iter().enumerate() {
        for place in 0..PLACES {
            if number % length.pick(1, PLACES) == place % length.pick(1, PLACES) {
                let (pieces, expect) = naughty(text, place);
                plan.add(
                    Kind::Naughty,
                    format!("{text:.40?}, place {place}"),
                    pieces,
                    expect,
                );
            }
        }
    }
}

fn naughty(text: &str, place: usize) -> (Vec<Piece>, Expect) {
    let quoted = serde_json::to_string(text).expect("text is JSON");
    let escaped = percent_encoded(text.as_bytes());
    let users = |body: String| Draft::post_json("/api/users").body(body);
    match place {
        0 => (
            users(format!(
                "{{\"email\":\"ann@example.com\",\"name\":{quoted}}}"
            )),
            Expect::Harmless,
        ),
        // None of them is an address.
        1 => (
            users(format!("{{\"email\":{quoted},\"name\":\"Ann\"}}")),
            Expect::Status(&[422]),
        ),
        2 => {
            let target = format!("/api/search?q={escaped}");
            (Draft::new("GET", &target).body(""), Expect::Harmless)
        }
        // Some are numbers, of users that there may be.
        3 => {
            let target = format!("/api/users/{escaped}");
            (Draft::new("GET", &target).body(""), Expect::Harmless)
        }
        _ => {
            let target = format!("/api/projects/{escaped}/builds");
            (Draft::post_json(&target).body("{}"), Expect::Harmless)
        }
    }
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
