//! Policies as plain data, for configuration files.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::config_error::ConfigError;
use crate::policy::{InFlight, Keep, OnOutage, OnUnknown, Policy, Presence};

/// A policy as it stands in a configuration file: durations as people write them, absent keys at
/// their defaults, unknown keys refused. `on_unknown` has no default, as [`Policy`] has none.
///
/// # Examples
///
/// ```
/// use seawall_idempotency::{OnUnknown, Policy, PolicyConfig};
///
/// let config: PolicyConfig = serde_json::from_str(r#"{
///     "on_unknown": "refuse",
///     "retention": "7days",
///     "lease": "30s",
///     "in_flight": { "wait": { "most": "5s" } },
///     "presence": "required",
///     "keep": { "404": "release" }
/// }"#)?;
/// let policy = Policy::try_from(config)?;
/// assert_eq!(policy.unknown(), OnUnknown::Refuse);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct PolicyConfig {
    /// `"refuse"`, `"retry"` or `"replay"`; see [`OnUnknown`].
    pub on_unknown: OnUnknown,
    /// See [`Policy::retention`].
    #[serde(
        default,
        with = "humane::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub retention: Option<Duration>,
    /// See [`Policy::lease`].
    #[serde(
        default,
        with = "humane::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub lease: Option<Duration>,
    /// See [`Policy::longest`].
    #[serde(
        default,
        with = "humane::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub longest: Option<Duration>,
    /// `"refuse"` or `{"wait": {"most": "5s"}}`; see [`Policy::in_flight`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_flight: Option<InFlight>,
    /// `"closed"` or `"open"`; see [`Policy::on_outage`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_outage: Option<OnOutage>,
    /// `"required"` or `"optional"`; see [`Policy::presence`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub presence: Option<Presence>,
    /// In bytes; see [`Policy::largest`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub largest: Option<usize>,
    /// From a status to `"store"`, `"release"` or `"unknown"`; see [`Policy::keep_status`].
    #[serde(default, with = "statuses", skip_serializing_if = "BTreeMap::is_empty")]
    pub keep: BTreeMap<u16, Keep>,
    /// Names of headers; see [`Policy::deny_header`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deny_headers: Vec<String>,
}

impl PolicyConfig {
    /// A policy with defaults for everything else.
    #[must_use]
    pub const fn new(on_unknown: OnUnknown) -> Self {
        Self {
            on_unknown,
            retention: None,
            lease: None,
            longest: None,
            in_flight: None,
            on_outage: None,
            presence: None,
            largest: None,
            keep: BTreeMap::new(),
            deny_headers: Vec::new(),
        }
    }
}

impl TryFrom<PolicyConfig> for Policy {
    type Error = ConfigError;

    fn try_from(config: PolicyConfig) -> Result<Self, ConfigError> {
        let mut policy = match config.on_unknown {
            OnUnknown::Refuse => Self::at_most_once(),
            OnUnknown::Retry => Self::at_least_once(),
            OnUnknown::Replay => Self::replaying_failures(),
        };
        if let Some(retention) = config.retention {
            policy = policy.retention(retention);
        }
        if let Some(lease) = config.lease {
            policy = policy.lease(lease);
        }
        if let Some(longest) = config.longest {
            policy = policy.longest(longest);
        }
        if let Some(in_flight) = config.in_flight {
            policy = policy.in_flight(in_flight);
        }
        if let Some(on_outage) = config.on_outage {
            policy = policy.on_outage(on_outage);
        }
        if let Some(presence) = config.presence {
            policy = policy.presence(presence);
        }
        if let Some(largest) = config.largest {
            policy = policy.largest(largest);
        }
        for (status, keep) in config.keep {
            if !(200..=599).contains(&status) {
                return Err(ConfigError::new("keep", "statuses from 200 to 599"));
            }
            policy = policy.keep_status(status, keep);
        }
        for name in config.deny_headers {
            policy = policy.deny_header(name);
        }
        policy.check()?;
        Ok(policy)
    }
}

/// Durations as text: "1500ms", "2s", "1m 30s".
pub(crate) mod humane {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(crate) fn serialize<S: Serializer>(span: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&humantime::format_duration(*span))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        let text = String::deserialize(from)?;
        humantime::parse_duration(&text).map_err(|_| {
            D::Error::custom("expected a duration such as \"1500ms\", \"30s\" or \"7days\"")
        })
    }

    /// The same, where the key may be absent.
    pub(crate) mod optional {
        use super::{Deserializer, Duration, Serializer};

        #[expect(clippy::ref_option, reason = "serde calls it so")]
        pub(crate) fn serialize<S: Serializer>(
            span: &Option<Duration>,
            to: S,
        ) -> Result<S::Ok, S::Error> {
            match span {
                Some(span) => super::serialize(span, to),
                None => to.serialize_none(),
            }
        }

        pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
            from: D,
        ) -> Result<Option<Duration>, D::Error> {
            super::deserialize(from).map(Some)
        }
    }
}

/// Statuses are text where they are keys: some formats know no others.
mod statuses {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use crate::policy::Keep;

    pub(super) fn serialize<S: Serializer>(
        keeps: &BTreeMap<u16, Keep>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.collect_map(
            keeps
                .iter()
                .map(|(status, keep)| (status.to_string(), keep)),
        )
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<BTreeMap<u16, Keep>, D::Error> {
        let keeps = BTreeMap::<String, Keep>::deserialize(from)?;
        let status = |text: String| {
            text.parse()
                .map_err(|_| D::Error::custom("expected a status such as \"404\""))
        };
        keeps
            .into_iter()
            .map(|(text, keep)| Ok((status(text)?, keep)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(text: &str) -> Policy {
        let config: PolicyConfig = serde_json::from_str(text).unwrap();
        config.try_into().unwrap()
    }

    #[test]
    fn nothing_but_the_choice_is_the_choice_with_its_defaults() {
        for (text, expected) in [
            ("refuse", Policy::at_most_once()),
            ("retry", Policy::at_least_once()),
            ("replay", Policy::replaying_failures()),
        ] {
            assert_eq!(policy(&format!(r#"{{"on_unknown":"{text}"}}"#)), expected);
        }
    }

    #[test]
    fn every_key_is_its_setting() {
        let text = r#"{"on_unknown":"retry","retention":"2days","lease":"10s","longest":"1m 30s",
            "in_flight":{"wait":{"most":"1500ms"}},"on_outage":"open","presence":"required",
            "largest":4096,"keep":{"404":"release","503":"store"},"deny_headers":["X-Mine"]}"#;
        let s = Duration::from_secs;
        let expected = Policy::at_least_once()
            .retention(s(2 * 24 * 60 * 60))
            .lease(s(10))
            .longest(s(90))
            .in_flight(InFlight::Wait {
                most: Duration::from_millis(1500),
            })
            .on_outage(OnOutage::Open)
            .presence(Presence::Required)
            .largest(4096)
            .keep_status(404, Keep::Release)
            .keep_status(503, Keep::Store)
            .deny_header("x-mine");
        assert_eq!(policy(text), expected);
    }

    #[test]
    fn writes_what_it_reads() {
        let text = r#"{"on_unknown":"refuse","lease":"1m 30s","in_flight":"refuse","keep":{"409":"unknown"}}"#;
        let config: PolicyConfig = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&config).unwrap(), text);
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        for wrong in [
            r#"{}"#,
            r#"{"on_unknown":"maybe"}"#,
            r#"{"on_unknown":"retry","leases":"1s"}"#,
            r#"{"on_unknown":"retry","lease":30}"#,
            r#"{"on_unknown":"retry","lease":"soon"}"#,
            r#"{"on_unknown":"retry","in_flight":{"wait":{"most":"1s","least":"1s"}}}"#,
            r#"{"on_unknown":"retry","keep":{"not found":"store"}}"#,
        ] {
            assert!(
                serde_json::from_str::<PolicyConfig>(wrong).is_err(),
                "{wrong}"
            );
        }
    }

    #[test]
    fn what_cannot_work_is_refused_by_name() {
        let refused = |text: &str| {
            let config: PolicyConfig = serde_json::from_str(text).unwrap();
            Policy::try_from(config).unwrap_err().setting()
        };
        assert_eq!(refused(r#"{"on_unknown":"retry","lease":"1ms"}"#), "lease");
        assert_eq!(
            refused(r#"{"on_unknown":"retry","retention":"1m"}"#),
            "retention"
        );
        assert_eq!(
            refused(r#"{"on_unknown":"retry","keep":{"101":"store"}}"#),
            "keep"
        );
    }
}
