//! The configuration of a service as plain data, for files.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

mod adopt;
mod errors;
mod fault;
mod headers;
mod key;
mod limit;
mod peers;
mod reload;
mod span;

pub use errors::{ErrorFormat, ErrorsConfig};
pub use fault::ConfigError;
pub use headers::HeaderDialect;
pub use key::{InvalidKeyPart, KeyPart, MissingKey};
pub use limit::{LimitConfig, Stage};
pub use peers::{ProxiesConfig, ProxyHeader, RequestIdConfig, TraceConfig};
pub use reload::Reload;

/// Everything that the `Seawall` builders of the framework crates can be told in a file.
///
/// Plain data: what a file does not say stays at its default, and a key that is not known is refused,
/// since a misspelt limit is a limit that is off. Times are text such as `"30s"`, quotas are text such
/// as `"10/minute"`, sizes are bytes.
///
/// What no file can say (stores, authentication, code) is for the builder.
///
/// # Examples
///
/// ```
/// use seawall_web::config::SeawallConfig;
///
/// let config: SeawallConfig = toml::from_str(r#"
///     deadline = "10s"
///     body.limit = 65_536
///
///     [proxies]
///     trusted = ["10.0.0.0/8"]
///
///     [limits.address]
///     quota = "1000/minute"
///     key = ["address"]
///
///     [limits.login]
///     quota = "5 per 15 minutes"
///     key = ["principal"]
///     mode = "shadow"
///     on_store_error = "fail_closed"
/// "#)?;
/// config.check()?;
/// assert_eq!(config.deadline.as_secs(), 10);
/// assert_eq!(config.limits["address"].quota.limit(), 1000);
///
/// let misspelt = toml::from_str::<SeawallConfig>("dead_line = \"10s\"").unwrap_err();
/// assert!(misspelt.message().contains("unknown field `dead_line`"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// The same in JSON:
///
/// ```
/// use seawall_web::config::SeawallConfig;
///
/// let config: SeawallConfig = serde_json::from_str(r#"{
///     "deadline": "10s",
///     "body": {"limit": 65536},
///     "proxies": {"trusted": ["10.0.0.0/8"]},
///     "limits": {
///         "address": {"quota": "1000/minute", "key": ["address"]}
///     }
/// }"#)?;
/// config.check()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct SeawallConfig {
    /// Keeps the counts apart from other services on the same store. Default: empty.
    pub namespace: String,
    /// How long a request may take in all. Default: `"30s"`, below the minute after which common
    /// proxies and clients give up, so that the answer is ours.
    #[serde(with = "span")]
    pub deadline: Duration,
    /// Whether trusted [`proxies`](Self::proxies) may ask for less time, in `x-request-timeout-ms` or
    /// `grpc-timeout`. Default: no.
    pub budgets: bool,
    /// What is read of a request.
    pub body: BodyConfig,
    /// Who stands in front of this service.
    pub proxies: ProxiesConfig,
    /// Whose request ids are believed.
    pub request_ids: RequestIdConfig,
    /// Whose traces are continued.
    pub traces: TraceConfig,
    /// In which dialects the rate limit headers are written. Default: `["x-ratelimit", "ietf"]`.
    pub headers: Vec<HeaderDialect>,
    /// How errors are answered.
    pub errors: ErrorsConfig,
    /// Rate limits by name. Default: none, since nobody else knows what a service can bear.
    pub limits: BTreeMap<String, LimitConfig>,
}

/// What is read of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct BodyConfig {
    /// The longest body, in bytes. Default: 1,048,576: ample for JSON, harmless for memory.
    pub limit: u64,
    /// How long a body may take from the first wait to its end. Default: `"30s"`, in which a phone on
    /// a bad line sends a mebibyte.
    #[serde(with = "span")]
    pub read_within: Duration,
}

impl Default for SeawallConfig {
    fn default() -> Self {
        Self {
            namespace: String::new(),
            deadline: Duration::from_secs(30),
            budgets: false,
            body: BodyConfig::default(),
            proxies: ProxiesConfig::default(),
            request_ids: RequestIdConfig::default(),
            traces: TraceConfig::default(),
            headers: vec![HeaderDialect::XRateLimit, HeaderDialect::Ietf],
            errors: ErrorsConfig::default(),
            limits: BTreeMap::new(),
        }
    }
}

impl Default for BodyConfig {
    fn default() -> Self {
        Self {
            limit: 1024 * 1024,
            read_within: Duration::from_secs(30),
        }
    }
}

#[cfg(test)]
mod tests {
    use seawall_ratelimit::{Mode, OnStoreError};

    use super::*;

    fn read(text: &str) -> SeawallConfig {
        toml::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    const FULL: &str = r#"
        namespace = "shop"
        deadline = "1m 30s"
        budgets = true
        headers = ["ietf"]
        body = {limit = 10, read_within = "5s"}
        proxies = {trusted = ["10.0.0.0/8"], header = "forwarded", ipv6_prefix = 56}
        request_ids.trusted = ["10.0.0.1"]
        traces = {enabled = false, trusted = ["fd00::/8"]}
        errors = {format = "problem", type_base = "https://errors.example.com/"}

        [limits.login]
        quota = "5 per 15 minutes"
        key = ["principal", "header:x-device"]
        missing = "refuse"
        decide = "after-authentication"
        cost = 2
        mode = "shadow"
        on_store_error = {local = {replicas = 3}}
        block_for = "1h"
        count = "failures"
    "#;

    #[test]
    fn an_empty_file_is_the_default_and_the_default_works() {
        let config = read("");
        assert_eq!(config, SeawallConfig::default());
        assert_eq!(config.check(), Ok(()));
    }

    #[test]
    fn everything_reads_back_in_both_formats() {
        let config = read(FULL);
        assert_eq!(config.check(), Ok(()));
        assert_eq!(config.limits["login"].mode, Mode::Shadow);
        let local = matches!(
            config.limits["login"].on_store_error,
            OnStoreError::Local { .. }
        );
        assert!(local);
        let json = serde_json::to_string(&config).unwrap();
        assert_eq!(
            serde_json::from_str::<SeawallConfig>(&json).unwrap(),
            config
        );
    }

    #[test]
    fn what_cannot_be_read_says_what_was_expected() {
        let check = |text: &str, expected: &str| {
            let error = toml::from_str::<SeawallConfig>(text)
                .unwrap_err()
                .to_string();
            assert!(error.contains(expected), "{text}: {error}");
        };
        check("dead_line = '1s'", "unknown field `dead_line`");
        check("deadline = 30", "string");
        check("deadline = 'soon'", "expected a time as in \"30s\"");
        check("deadline = '0s'", "above zero");
        check("body.size = 1", "unknown field `size`");
        check("body.limit = -1", "u64");
        check(
            "proxies.header = 'x-real-ip'",
            "unknown variant `x-real-ip`",
        );
        check("proxies.nets = []", "unknown field `nets`");
        check("request_ids.from = []", "unknown field `from`");
        check("traces.on = true", "unknown field `on`");
        check("headers = ['x-rate']", "unknown variant `x-rate`");
        check("errors.format = 'xml'", "unknown variant `xml`");
        check("errors.style = 'plain'", "unknown field `style`");
        check("limits.a.quota = '1/s'", "missing field `key`");
        check("limits.a.key = []", "missing field `quota`");
        let limit = |more: &str| format!("[limits.a]\nquota = '1/s'\nkey = ['address']\n{more}");
        check(&limit("burst = 2"), "unknown field `burst`");
        check(&limit("mode = 'loud'"), "unknown variant `loud`");
        check(
            &limit("block_for = 'soon'"),
            "expected a time as in \"30s\"",
        );
        check(&limit("cost = 0"), "nonzero");
        check(
            "limits.a = {quota = '10', key = ['address']}",
            "expected `/` or `per`",
        );
        check(
            "limits.a = {quota = '1/s', key = ['ip']}",
            "expected `everyone`, `address`",
        );
        check(
            "limits.a = {quota = '1/s', key = ['header:']}",
            "`header:NAME`",
        );
    }

    #[test]
    fn what_cannot_work_names_its_key() {
        let check = |text: &str, key: &str| {
            let error = read(text).check().unwrap_err();
            assert_eq!(error.key(), key, "{error}");
            assert!(error.expected().contains("expected"), "{error}");
        };
        check("body.limit = 0", "body.limit");
        check("proxies.trusted = ['10.0.0.0/33']", "proxies.trusted");
        check("proxies.ipv6_prefix = 0", "proxies.ipv6_prefix");
        check("proxies.ipv6_prefix = 129", "proxies.ipv6_prefix");
        check("budgets = true", "budgets");
        check("request_ids.trusted = ['me']", "request_ids.trusted");
        check("traces.trusted = ['me']", "traces.trusted");
        let limit = |more: &str| format!("[limits.a]\nquota = '1/s'\n{more}");
        check(&limit("key = []"), "limits.a.key");
        check(&limit("key = ['address']\ncost = 2"), "limits.a.cost");
        check(
            &limit("key = ['principal']\ndecide = 'before-authentication'"),
            "limits.a.decide",
        );
        check(
            &limit("key = ['route']\nblock_for = '1000days'"),
            "limits.a.block_for",
        );
        check(
            "limits.'a b' = {quota = '1/s', key = ['route']}",
            "limits.a b.name",
        );
    }

    #[test]
    fn limits_are_decided_as_soon_as_their_key_is_known() {
        let stage = |parts: &[&str]| {
            let parts = parts.iter().map(|part| part.parse().unwrap());
            LimitConfig::new(seawall_ratelimit::Quota::per_minute(1), parts).stage()
        };
        assert_eq!(stage(&["address"]), Stage::BeforeAuthentication);
        assert_eq!(stage(&["everyone"]), Stage::BeforeAuthentication);
        assert_eq!(stage(&["header:x", "route"]), Stage::BeforeAuthentication);
        assert_eq!(stage(&["address", "principal"]), Stage::AfterAuthentication);
        assert_eq!(stage(&["path:id"]), Stage::AfterAuthentication);
        assert_eq!(stage(&["integer-path:id"]), Stage::AfterAuthentication);
    }

    #[test]
    fn what_takes_a_restart_is_refused_by_name() {
        let now = read(FULL);
        let check = |from: &str, to: &str, key: &str| {
            assert!(FULL.contains(from), "{from}");
            let error = now
                .check_change(&read(&FULL.replace(from, to)))
                .unwrap_err();
            assert_eq!(error.key(), key, "{error}");
        };
        check("\"shop\"", "\"bar\"", "namespace");
        check("budgets = true", "", "budgets");
        check("\"ietf\"", "", "headers");
        check("56", "64", "proxies");
        check("10.0.0.1\"]", "10.0.0.2\"]", "request_ids");
        check("enabled = false", "enabled = true", "traces");
        check("\"problem\"", "\"plain\"", "errors");
        check(", \"header:x-device\"", "", "limits.login.key");
        check("\"refuse\"", "\"skip\"", "limits.login.missing");
        check("limits.login", "limits.logon", "limits.login");
        check("limit = 10", "limit = 0", "body.limit");
        let more = format!("{FULL}\n[limits.new]\nquota = '1/s'\nkey = ['route']");
        assert_eq!(
            now.check_change(&read(&more)).unwrap_err().key(),
            "limits.new"
        );
    }

    #[test]
    fn what_can_change_may() {
        let now = read(FULL);
        for (from, to) in [
            ("1m 30s", "10s"),
            ("limit = 10", "limit = 20"),
            ("\"5s\"", "\"6s\""),
            ("5 per 15 minutes", "9/minute"),
            ("cost = 2", "cost = 3"),
            ("\"shadow\"", "\"enforce\""),
            ("{local = {replicas = 3}}", "\"fail_closed\""),
            ("\"1h\"", "\"2h\""),
            ("\"failures\"", "\"always\""),
            ("decide = \"after-authentication\"", ""),
        ] {
            let next = read(&FULL.replace(from, to));
            assert_ne!(next, now, "{from}");
            assert_eq!(now.check_change(&next), Ok(()), "{from}");
        }
    }

    /// Every key of the default with its value, as the chapter's table has it.
    #[test]
    fn the_chapter_tells_the_defaults() {
        let chapter = include_str!("../../../../docs/guide/configuration.md");
        let check = |key: &str, value: &serde_json::Value| {
            let row = format!("| `{key}` | `{value}` |");
            assert!(chapter.contains(&row), "the chapter lacks {row}");
        };
        let default = serde_json::to_value(SeawallConfig::default()).unwrap();
        for (key, value) in default.as_object().unwrap() {
            match value.as_object().filter(|inner| !inner.is_empty()) {
                Some(inner) => inner
                    .iter()
                    .for_each(|(name, value)| check(&format!("{key}.{name}"), value)),
                None => check(key, value),
            }
        }
    }
}
