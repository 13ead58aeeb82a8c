//! Error answers that are not ours: which of their headers stay when their body goes.

/// Whether a header describes the body, and would be a lie on the one that takes its place.
#[must_use]
pub fn describes_body(name: &str) -> bool {
    ENTITY_HEADERS.contains(&name)
}

/// Whether a header's meaning is for callers, and cannot well be something that broke: what a foreign
/// 5xx may say. All others (an upstream's `X-Debug`, `Server`) are for the operator.
///
/// The name is in lower case.
#[must_use]
pub fn is_for_callers(name: &str) -> bool {
    PUBLIC_HEADERS.contains(&name)
        || PUBLIC_FAMILIES
            .iter()
            .any(|family| name.starts_with(family))
}

/// The headers that describe a body, its digests included.
pub const ENTITY_HEADERS: [&str; 15] = [
    "content-type",
    "content-length",
    "content-encoding",
    "content-language",
    "content-location",
    "content-disposition",
    "content-range",
    "etag",
    "last-modified",
    "transfer-encoding",
    "trailer",
    "accept-ranges",
    "digest",
    "content-digest",
    "repr-digest",
];

const PUBLIC_HEADERS: [&str; 25] = [
    "allow",
    "alt-svc",
    "cache-control",
    "connection",
    "content-security-policy",
    "cross-origin-embedder-policy",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
    "date",
    "deprecation",
    "idempotent-replayed",
    "idempotent-replayed-body",
    "permissions-policy",
    "proxy-authenticate",
    "referrer-policy",
    "retry-after",
    "set-cookie",
    "strict-transport-security",
    "sunset",
    "timing-allow-origin",
    "vary",
    "www-authenticate",
    "x-content-type-options",
    "x-frame-options",
    "x-request-id",
];

/// Whole families of such headers.
const PUBLIC_FAMILIES: [&str; 3] = ["access-control-", "ratelimit", "x-ratelimit-"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_for_callers_is_told_from_what_broke() {
        for name in [
            "allow",
            "retry-after",
            "access-control-allow-origin",
            "ratelimit-policy",
        ] {
            assert!(is_for_callers(name), "{name}");
        }
        for name in ["server", "x-debug", "x-powered-by", "via"] {
            assert!(!is_for_callers(name), "{name}");
        }
        assert!(describes_body("etag") && !describes_body("allow"));
    }
}
