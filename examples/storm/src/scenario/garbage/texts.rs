//! Texts that are none, and texts that have broken things before.

use super::case::{Expect, Kind};
use super::plan::{MALFORMED, Plan};
use super::write::Draft;

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
