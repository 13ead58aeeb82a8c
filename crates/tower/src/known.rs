//! Names and values that layers write again and again, checked when this is compiled rather than for
//! each answer.

use http::{HeaderName, HeaderValue};

/// A name in lower case, if it is one of ours.
#[inline]
pub(crate) fn name(name: &str) -> Option<HeaderName> {
    macro_rules! known {
        ($($known:literal)*) => {
            match name {
                $($known => const { HeaderName::from_static($known) },)*
                _ => return None,
            }
        };
    }
    Some(known!(
        "x-ratelimit-limit" "x-ratelimit-remaining" "x-ratelimit-reset"
        "ratelimit-policy" "ratelimit" "retry-after"
        "content-type" "cache-control" "x-content-type-options" "vary" "www-authenticate"
    ))
}

/// A value, if it is one of ours.
#[inline]
pub(crate) fn value(value: &str) -> Option<HeaderValue> {
    macro_rules! known {
        ($($known:literal)*) => {
            match value {
                $($known => const { HeaderValue::from_static($known) },)*
                _ => return None,
            }
        };
    }
    Some(known!(
        "application/json" "application/problem+json" "no-store" "nosniff" "accept" "Bearer"
    ))
}
