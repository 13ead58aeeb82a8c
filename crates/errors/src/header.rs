//! Which headers an error may add to its answer.

use std::time::Duration;

/// A header that passed the checks.
pub(crate) enum Checked {
    Header(&'static str, String),
    RetryAfter(Duration),
}

/// Checks a header that the user of the crate gave; the error says what is wrong with it, and does
/// not repeat the value.
pub(crate) fn check(name: &'static str, value: String) -> Result<Checked, &'static str> {
    let name = lower_case(name).ok_or("not a header name in lower case")?;
    if OWN.contains(&name) {
        return Err("the renderer or the server writes it");
    }
    let value = trimmed(value);
    if value.len() > MAX_VALUE {
        return Err("the value is longer than 8 KiB");
    }
    if value.bytes().any(|b| b.is_ascii_control()) {
        return Err("the value has a control character");
    }
    if !value.is_ascii() {
        return Err("the value is not ASCII");
    }
    if name == "retry-after" {
        let seconds = value
            .parse()
            .map_err(|_| "the value is not a number of seconds")?;
        return Ok(Checked::RetryAfter(Duration::from_secs(seconds)));
    }
    Ok(Checked::Header(name, value))
}

fn trimmed(value: String) -> String {
    let inner = value.trim_matches([' ', '\t']);
    if inner.len() == value.len() {
        value
    } else {
        inner.to_owned()
    }
}

/// A `&'static str` cannot be lowered without a copy that lives as long, so only the names that
/// people write in capitals are translated.
fn lower_case(name: &'static str) -> Option<&'static str> {
    let lower =
        |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"!#$%&'*+-.^_`|~".contains(&b);
    if !name.is_empty() && name.bytes().all(lower) {
        return Some(name);
    }
    WELL_KNOWN
        .iter()
        .find(|known| known.eq_ignore_ascii_case(name))
        .copied()
}

/// What the renderer writes, and what describes a connection or a body that is not ours.
const OWN: [&str; 15] = [
    "cache-control",
    "connection",
    "content-encoding",
    "content-length",
    "content-range",
    "content-type",
    "date",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "vary",
    "x-content-type-options",
    "x-request-id",
];

const WELL_KNOWN: [&str; 25] = [
    "accept",
    "accept-encoding",
    "accept-patch",
    "accept-post",
    "accept-ranges",
    "accept-signature",
    "allow",
    "clear-site-data",
    "content-language",
    "deprecation",
    "etag",
    "idempotent-replayed",
    "link",
    "location",
    "proxy-authenticate",
    "ratelimit",
    "ratelimit-policy",
    "retry-after",
    "server-timing",
    "set-cookie",
    "sunset",
    "www-authenticate",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
];

const MAX_VALUE: usize = 8 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(name: &'static str, value: &str) -> Option<(&'static str, String)> {
        match check(name, value.to_owned()) {
            Ok(Checked::Header(name, value)) => Some((name, value)),
            _ => None,
        }
    }

    #[test]
    fn names_come_out_in_lower_case() {
        assert_eq!(
            kept("WWW-Authenticate", "Bearer"),
            Some(("www-authenticate", "Bearer".into()))
        );
        assert_eq!(kept("x-mine", "1"), Some(("x-mine", "1".into())));
        for bad in ["X-Mine", "", "a b", "a:b", "a\r\nb", "é"] {
            assert_eq!(kept(bad, "1"), None, "{bad:?}");
        }
    }

    #[test]
    fn values_are_printable_ascii() {
        assert_eq!(
            kept("allow", " GET, POST\t"),
            Some(("allow", "GET, POST".into()))
        );
        let longest = "a".repeat(8192);
        assert_eq!(kept("allow", &longest), Some(("allow", longest.clone())));
        for bad in [
            "a\r\nset-cookie: x",
            "a\0",
            "a\tb",
            "\u{7f}",
            "é",
            &"a".repeat(8193),
        ] {
            assert_eq!(kept("allow", bad), None, "{bad:?}");
        }
    }

    #[test]
    fn headers_of_the_body_and_the_connection_are_not_the_users() {
        for name in OWN {
            assert_eq!(kept(name, "x"), None, "{name}");
        }
        assert_eq!(kept("Content-Type", "text/html"), None);
    }

    #[test]
    fn retry_after_in_seconds_is_the_delay() {
        assert!(matches!(
            check("Retry-After", "7".into()),
            Ok(Checked::RetryAfter(delay)) if delay == Duration::from_secs(7)
        ));
        assert!(check("retry-after", "Tue, 24 Nov 2026 05:00:00 GMT".into()).is_err());
    }
}
