//! In which dialects rate limit headers are written.

use seawall_ratelimit::headers::{Dialect, Dialects};
use serde::{Deserialize, Serialize};

/// A family of rate limit headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum HeaderDialect {
    /// `X-RateLimit-Limit`, `-Remaining` and `-Reset`.
    #[serde(rename = "x-ratelimit")]
    XRateLimit,
    /// `RateLimit-Policy` and `RateLimit`, of the IETF draft.
    #[serde(rename = "ietf")]
    Ietf,
}

impl HeaderDialect {
    /// All of these.
    #[must_use]
    pub fn set(dialects: &[Self]) -> Dialects {
        dialects.iter().fold(Dialects::NONE, |set, dialect| {
            set.with(match dialect {
                Self::XRateLimit => Dialect::XRateLimit,
                Self::Ietf => Dialect::Ietf,
            })
        })
    }
}
