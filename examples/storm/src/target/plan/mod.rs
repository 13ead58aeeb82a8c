//! The plan: what storm may know of a service of the user's own. Every key is described in
//! `docs/guide/storm.md`.

mod leaf;

use std::fmt;
use std::fs;
use std::path::Path as File;
use std::time::Duration;

use serde::Deserialize;
use shop::config::{QuotaText, Span};

pub(crate) use leaf::{Headers, Json, Name, Path, Route};

/// Everything that a plan may say. What it does not say is not shown.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Plan {
    /// Sent with every request.
    #[serde(default)]
    pub(crate) headers: Headers,
    pub(crate) healthy: Healthy,
    pub(crate) inputs: Option<Inputs>,
    #[serde(default)]
    pub(crate) limits: Vec<Limit>,
    pub(crate) duplicates: Option<Duplicates>,
    pub(crate) slow_client: Option<SlowClient>,
    pub(crate) timeout: Option<Timeout>,
    pub(crate) breaker: Option<Breaker>,
    #[serde(default)]
    pub(crate) errors: Errors,
    #[serde(default)]
    pub(crate) ids: Ids,
    pub(crate) degradation: Option<Degradation>,
    pub(crate) health: Option<Health>,
}

/// A request that is served with a 2xx, before and after everything else.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Healthy {
    pub(crate) route: Route,
}

/// A route that takes a JSON object.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Inputs {
    pub(crate) route: Route,
    /// A body that it accepts.
    pub(crate) valid: Json,
    /// Fields that may be of any type.
    #[serde(default)]
    pub(crate) free: Vec<String>,
    /// In bytes.
    #[serde(default = "mebibyte")]
    pub(crate) body_limit: u32,
}

/// A limit by address.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Limit {
    pub(crate) route: Route,
    pub(crate) body: Option<Json>,
    pub(crate) quota: QuotaText,
}

/// A route whose answers are kept by key.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Duplicates {
    pub(crate) route: Route,
    pub(crate) body: Json,
    /// Another one that it would accept.
    pub(crate) other_body: Option<Json>,
    #[serde(default = "idempotency_key")]
    pub(crate) header: Name,
}

/// Connections that do nothing, or little.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SlowClient {
    /// How long such a connection may be kept.
    pub(crate) within: Span,
}

/// A route that takes too long right now.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Timeout {
    pub(crate) route: Route,
    /// How long it may take.
    pub(crate) within: Span,
}

/// A route whose dependency is down right now.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Breaker {
    pub(crate) route: Route,
    /// After how many failures in a row the dependency is left alone.
    #[serde(default = "five")]
    pub(crate) failures: u16,
}

/// What errors must not say, and where to look for some.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Errors {
    pub(crate) forbidden: Vec<String>,
    pub(crate) routes: Vec<Route>,
}

/// How an answer is told from another.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Ids {
    pub(crate) header: Name,
}

/// A route of which a part is missing right now.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Degradation {
    pub(crate) route: Route,
    /// The key of the answer that is true when a part is missing.
    #[serde(default = "partial")]
    pub(crate) field: String,
}

/// The probes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Health {
    pub(crate) live: Path,
    pub(crate) ready: Option<Path>,
    /// The longest that the first may take, whatever goes on.
    #[serde(default = "half_a_second")]
    pub(crate) within: Within,
}

/// A time with a default.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(crate) struct Within(#[serde(deserialize_with = "span")] pub(crate) Duration);

fn span<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    Span::deserialize(deserializer).map(|span| span.get())
}

const fn mebibyte() -> u32 {
    1024 * 1024
}

fn idempotency_key() -> Name {
    Name::of("idempotency-key")
}

const fn five() -> u16 {
    5
}

fn partial() -> String {
    "partial".to_owned()
}

const fn half_a_second() -> Within {
    Within(Duration::from_millis(500))
}

impl Default for Ids {
    fn default() -> Self {
        Self {
            header: Name::of("x-request-id"),
        }
    }
}

/// What is wrong with a plan: where, which key, and what was expected there.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    line: Option<usize>,
    key: Option<String>,
    message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}, ")?;
        }
        if let Some(key) = &self.key {
            write!(f, "`{key}`, ")?;
        }
        f.write_str(&self.message)
    }
}

impl Plan {
    /// Reads a file.
    pub(crate) fn read(file: &File) -> Result<Self, Fault> {
        let text = fs::read_to_string(file).map_err(|error| Fault {
            line: None,
            key: None,
            message: error.to_string(),
        })?;
        Self::parse(&text)
    }

    pub(crate) fn parse(text: &str) -> Result<Self, Fault> {
        toml::from_str(text).map_err(|error| {
            let place = error.span().and_then(|span| text.get(..span.start));
            let key = place.and_then(|before| key(before, text));
            Fault {
                line: place.map(|before| before.matches('\n').count() + 1),
                key,
                message: error.message().replace('\n', " "),
            }
        })
    }
}

/// The key or the section of the line in which something is wrong.
fn key(before: &str, text: &str) -> Option<String> {
    let start = before.rfind('\n').map_or(0, |end| end + 1);
    let line = text[start..].lines().next()?;
    let name = line.split('=').next()?.trim().trim_matches(['[', ']', ' ']);
    (!name.is_empty() && name.len() <= 64).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAST: &str = "[healthy]\nroute = \"GET /\"\n";

    #[track_caller]
    fn refuses(text: &str, line: usize, key: &str, expected: &str) {
        let fault = Plan::parse(text).unwrap_err();
        assert_eq!(fault.line, Some(line), "{fault}");
        assert_eq!(fault.key.as_deref(), Some(key), "{fault}");
        assert!(fault.message.contains(expected), "{fault}");
        assert!(!fault.to_string().contains('\n'), "{fault}");
    }

    #[test]
    fn the_least_plan_has_every_default() {
        let plan = Plan::parse(LEAST).unwrap();
        assert!(plan.inputs.is_none() && plan.limits.is_empty());
        assert_eq!(plan.ids.header.as_str(), "x-request-id");
    }

    #[test]
    fn each_fault_names_its_line_and_key() {
        refuses("[healthy]\n", 1, "healthy", "route");
        refuses("[healthy]\nroute = 7\n", 2, "route", "a string");
        refuses("[healthy]\nroute = \"GET\"\n", 2, "route", "GET /path");
        refuses("[healthy]\nroute = \"GET /a b\"\n", 2, "route", "GET /path");
        let with = |text: &str| format!("{LEAST}{text}");
        refuses(&with("[helth]\n"), 3, "helth", "unknown field `helth`");
        let limit = "[[limits]]\nroute = \"GET /\"\nquota = \"0/minute\"\n";
        refuses(&with(limit), 5, "quota", "at least 1");
        let inputs = "[inputs]\nroute = \"POST /\"\nvalid = \"[1]\"\n";
        refuses(&with(inputs), 5, "valid", "JSON object");
        let slow = "[slow_client]\nwithin = \"soon\"\n";
        refuses(&with(slow), 4, "within", "soon");
        let named = "[headers]\n\"a b\" = \"x\"\n";
        refuses(&with(named), 4, "\"a b\"", "header");
        refuses("[healthy\n", 1, "healthy", "");
    }
}
