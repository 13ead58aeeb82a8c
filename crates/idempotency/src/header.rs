//! Which headers of an answer are of that one answer only.

use bytes::Bytes;

/// Whether a header is never stored.
pub(crate) fn is_denied(name: &[u8]) -> bool {
    let is = |denied: &&str| name.eq_ignore_ascii_case(denied.as_bytes());
    let begins = |prefix: &&str| {
        let start = name.get(..prefix.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(prefix.as_bytes()))
    };
    DENIED.iter().any(is) || PREFIXES.iter().any(begins)
}

/// Whether the `Connection` lines among the headers name this one.
pub(crate) fn is_of_connection(name: &[u8], headers: &[(Bytes, Bytes)]) -> bool {
    headers
        .iter()
        .filter(|(line, _)| line.eq_ignore_ascii_case(b"connection"))
        .flat_map(|(_, value)| value.split(|byte| *byte == b','))
        .any(|named| named.trim_ascii().eq_ignore_ascii_case(name))
}

const DENIED: &[&str] = &[
    // Of a connection (RFC 9110, 7.6.1).
    "connection",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    // Of one message.
    "age",
    "content-length",
    "date",
    "request-id",
    "server-timing",
    "traceparent",
    "tracestate",
    "x-request-id",
    // Of one caller's session: whoever replays may have another.
    "authentication-info",
    "proxy-authenticate",
    "proxy-authentication-info",
    "set-cookie",
    "set-cookie2",
    "www-authenticate",
    // Ours.
    "idempotency-replayed",
    "idempotent-replayed",
];

const PREFIXES: &[&str] = &["ratelimit", "x-ratelimit-"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn denied_and_kept() {
        for name in [
            "Date",
            "SET-COOKIE",
            "RateLimit",
            "ratelimit-policy",
            "X-RateLimit-Reset",
        ] {
            assert!(is_denied(name.as_bytes()), "{name}");
        }
        for name in [
            "location",
            "etag",
            "content-type",
            "x-rate",
            "retry-after",
            "",
        ] {
            assert!(!is_denied(name.as_bytes()), "{name}");
        }
    }

    #[test]
    fn what_connection_names_is_of_the_connection() {
        let headers = [
            (Bytes::from("Connection"), Bytes::from("close, X-Hop")),
            (Bytes::from("connection"), Bytes::from("x-other")),
        ];
        assert!(is_of_connection(b"x-hop", &headers));
        assert!(is_of_connection(b"X-Other", &headers));
        assert!(!is_of_connection(b"x-kept", &headers));
    }
}
