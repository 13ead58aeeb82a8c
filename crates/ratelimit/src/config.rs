//! Policies as plain data, for configuration files.

use std::borrow::Cow;
use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use serde::de::{Deserialize, Deserializer, Visitor};
use serde::ser::{Serialize, Serializer};

use crate::error::ConfigError;
use crate::policy::{CountRule, Mode, OnStoreError, Policy};
use crate::quota::Quota;

/// A policy as it stands in a configuration file. Unknown keys are refused.
///
/// # Examples
///
/// ```
/// use seawall_ratelimit::{Policy, PolicyConfig};
///
/// let config: PolicyConfig = serde_json::from_str(r#"{
///     "name": "login",
///     "quota": "5 per 15 minutes",
///     "on_store_error": "fail_closed",
///     "block_for": "1h",
///     "count": "failures"
/// }"#)?;
/// let policy = Policy::try_from(config)?;
/// assert_eq!(policy.quota().limit(), 5);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct PolicyConfig {
    /// The name; see [`Policy::new`].
    pub name: String,
    /// The quota, as in `"10/minute"`.
    pub quota: Quota,
    /// What a request costs. Default: 1.
    #[serde(default = "one")]
    pub cost: NonZeroU32,
    /// `"enforce"` (default), `"shadow"` or `"off"`.
    #[serde(default)]
    pub mode: Mode,
    /// `"fail_open"` (default), `"fail_closed"` or `{"local": {"replicas": 3}}`.
    #[serde(default)]
    pub on_store_error: OnStoreError,
    /// How long a key that is over its limit is blocked, as in `"5m"`. Default: not at all.
    #[serde(default, with = "humane", skip_serializing_if = "Option::is_none")]
    pub block_for: Option<Duration>,
    /// `"always"` (default), `"failures"` or `"successes"`.
    #[serde(default)]
    pub count: CountConfig,
}

/// Which responses count, as far as a configuration file can say it.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CountConfig {
    /// All.
    #[default]
    Always,
    /// Those with a status of 400 and above.
    Failures,
    /// Those with a status below 400.
    Successes,
}

impl PolicyConfig {
    /// A policy with defaults for everything else.
    #[must_use]
    pub fn new(name: impl Into<String>, quota: Quota) -> Self {
        Self {
            name: name.into(),
            quota,
            cost: one(),
            mode: Mode::default(),
            on_store_error: OnStoreError::default(),
            block_for: None,
            count: CountConfig::default(),
        }
    }
}

impl TryFrom<PolicyConfig> for Policy {
    type Error = ConfigError;

    fn try_from(config: PolicyConfig) -> Result<Self, ConfigError> {
        let policy = Self::new(&config.name, config.quota)?
            .cost(config.cost)
            .mode(config.mode)
            .on_store_error(config.on_store_error)
            .count(match config.count {
                CountConfig::Always => CountRule::Always,
                CountConfig::Failures => CountRule::Failures,
                CountConfig::Successes => CountRule::Successes,
            });
        let policy = match config.block_for {
            Some(time) => policy.block_for(time),
            None => policy,
        };
        policy.validate()?;
        Ok(policy)
    }
}

impl Serialize for Quota {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Quota {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl Visitor<'_> for Text {
            type Value = Quota;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a quota, as in \"10/minute\"")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Quota, E> {
                text.parse().map_err(E::custom)
            }
        }

        deserializer.deserialize_str(Text)
    }
}

mod humane {
    use super::{Cow, Deserialize, Deserializer, Duration, Serializer};
    use serde::de::Error as _;

    pub(super) fn serialize<S: Serializer>(
        time: &Option<Duration>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match time {
            Some(time) => serializer.collect_str(&humantime::format_duration(*time)),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Duration>, D::Error> {
        let text = Option::<Cow<'de, str>>::deserialize(deserializer)?;
        let parse = |text: Cow<'_, str>| {
            humantime::parse_duration(&text)
                .map_err(|error| D::Error::custom(format_args!("{error}, expected as in \"30s\"")))
        };
        text.map(parse).transpose()
    }
}

const fn one() -> NonZeroU32 {
    NonZeroU32::MIN
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<PolicyConfig, serde_json::Error> {
        serde_json::from_str(text)
    }

    #[test]
    fn defaults_are_those_of_a_policy() {
        let config = read(r#"{"name": "p", "quota": "10/minute"}"#).unwrap();
        assert_eq!(config, PolicyConfig::new("p", Quota::per_minute(10)));
    }

    #[test]
    fn everything_reads_back() {
        let mut config = PolicyConfig::new("p", Quota::per_minute(10).with_burst(3));
        config.cost = NonZeroU32::new(2).unwrap();
        config.mode = Mode::Shadow;
        config.on_store_error = OnStoreError::Local {
            replicas: NonZeroU32::new(3).unwrap(),
        };
        config.block_for = Some(Duration::from_secs(90));
        config.count = CountConfig::Successes;
        let text = serde_json::to_string(&config).unwrap();
        assert!(text.contains(r#""quota":"10/minute;burst=3""#), "{text}");
        assert!(text.contains(r#""block_for":"1m 30s""#), "{text}");
        assert_eq!(read(&text).unwrap(), config);
    }

    #[test]
    fn says_what_was_expected() {
        let check = |text: &str, expected: &str| {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        };
        check(r#"{"name": "p", "quota": "10"}"#, "expected `/` or `per`");
        check(
            r#"{"name": "p", "quota": 10}"#,
            "a quota, as in \"10/minute\"",
        );
        check(
            r#"{"name": "p", "quota": "1/s", "burst": 2}"#,
            "unknown field `burst`",
        );
        check(
            r#"{"name": "p", "quota": "1/s", "block_for": "soon"}"#,
            "expected as in \"30s\"",
        );
        check(r#"{"name": "p", "quota": "1/s", "cost": 0}"#, "nonzero");
        check(
            r#"{"name": "p", "quota": "1/s", "mode": "loud"}"#,
            "unknown variant",
        );
    }

    #[test]
    fn a_cost_that_never_fits_makes_no_policy() {
        let mut config = PolicyConfig::new("p", Quota::per_minute(1));
        config.cost = NonZeroU32::new(2).unwrap();
        assert_eq!(Policy::try_from(config).unwrap_err().key(), "cost");
    }
}
