//! How errors are answered.

use seawall_errors::{Format, FormatPolicy, Renderer};
use serde::{Deserialize, Serialize};

/// How errors are answered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct ErrorsConfig {
    /// Their format. Default: `"negotiated"`.
    pub format: ErrorFormat,
    /// The URI to which a code is appended for the `type` of a problem. Default: none, and every
    /// `type` is `about:blank`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub type_base: Option<String>,
}

/// The format of an error's body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ErrorFormat {
    /// Plain JSON, and a problem for callers who prefer it in `Accept`.
    #[default]
    Negotiated,
    /// Plain JSON always.
    Plain,
    /// `application/problem+json` (RFC 9457) always.
    Problem,
}

impl ErrorsConfig {
    /// What writes such errors.
    #[must_use]
    pub fn renderer(&self) -> Renderer {
        let policy = match self.format {
            ErrorFormat::Negotiated => FormatPolicy::Negotiate {
                default: Format::Simple,
            },
            ErrorFormat::Plain => FormatPolicy::Always(Format::Simple),
            ErrorFormat::Problem => FormatPolicy::Always(Format::Problem),
        };
        let renderer = Renderer::new().policy(policy);
        match &self.type_base {
            Some(base) => renderer.type_base(base.clone()),
            None => renderer,
        }
    }
}
