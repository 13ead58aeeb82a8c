//! The numbers of a check and of a drain as plain data, for a configuration file.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Check, Drain};

/// The numbers of a [`Check`] as a configuration file has them: durations as people write them, absent
/// keys at what the code says, unknown keys refused. What a check asks and what it means stays code.
///
/// ```
/// use seawall_health::{Check, CheckConfig, Health};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let config: CheckConfig = serde_json::from_str(r#"{ "every": "10s", "timeout": "800ms" }"#)?;
/// let check = Check::new("database", async || Ok::<_, std::io::Error>(())).configure(&config);
/// Health::builder().check(check).build()?; // looks at them all together
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct CheckConfig {
    /// See [`Check::every`]. Has no effect on a check that runs on demand.
    #[serde(with = "humane", skip_serializing_if = "Option::is_none")]
    pub every: Option<Duration>,
    /// See [`Check::jitter`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jitter: Option<f64>,
    /// See [`Check::timeout`].
    #[serde(with = "humane", skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Duration>,
    /// See [`Check::fail_after`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fail_after: Option<u32>,
    /// See [`Check::recover_after`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recover_after: Option<u32>,
    /// See [`Check::stale_after`].
    #[serde(with = "humane", skip_serializing_if = "Option::is_none")]
    pub stale_after: Option<Duration>,
}

/// The numbers of a [`Drain`] as a configuration file has them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct DrainConfig {
    /// See [`Drain::pause`].
    #[serde(with = "humane", skip_serializing_if = "Option::is_none")]
    pub pause: Option<Duration>,
    /// See [`Drain::maximum`].
    #[serde(with = "humane", skip_serializing_if = "Option::is_none")]
    pub maximum: Option<Duration>,
}

impl Check {
    /// Takes over the numbers that the configuration has.
    #[cfg_attr(docsrs, doc(cfg(feature = "serde")))]
    pub fn configure(mut self, config: &CheckConfig) -> Self {
        self.pace = match (self.pace, config.every) {
            (crate::check::Pace::Every(_), Some(interval)) => crate::check::Pace::Every(interval),
            (pace, _) => pace,
        };
        self.jitter = config.jitter.unwrap_or(self.jitter);
        self.timeout = config.timeout.unwrap_or(self.timeout);
        self.fail_after = config.fail_after.unwrap_or(self.fail_after);
        self.recover_after = config.recover_after.unwrap_or(self.recover_after);
        self.stale_after = config.stale_after.or(self.stale_after);
        self
    }
}

impl Drain {
    /// Takes over the numbers that the configuration has.
    #[must_use]
    #[cfg_attr(docsrs, doc(cfg(feature = "serde")))]
    pub fn configure(mut self, config: &DrainConfig) -> Self {
        if let Some(pause) = config.pause {
            self = self.pause(pause);
        }
        if let Some(maximum) = config.maximum {
            self = self.maximum(maximum);
        }
        self
    }
}

/// Durations as text: "800ms", "5s", "1m 30s".
mod humane {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    #[expect(clippy::ref_option, reason = "serde calls it so")]
    pub(super) fn serialize<S: Serializer>(
        span: &Option<Duration>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match span {
            Some(span) => serializer.collect_str(&humantime::format_duration(*span)),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Duration>, D::Error> {
        let text = String::deserialize(deserializer)?;
        match humantime::parse_duration(&text) {
            Ok(span) => Ok(Some(span)),
            Err(_) => Err(D::Error::custom(
                "expected a duration such as \"800ms\" or \"5s\"",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Pace;

    #[test]
    fn refuses_what_it_does_not_know() {
        for wrong in [
            r#"{"interval": "1s"}"#,
            r#"{"every": 5}"#,
            r#"{"fail_after": -1}"#,
        ] {
            assert!(
                serde_json::from_str::<CheckConfig>(wrong).is_err(),
                "{wrong}"
            );
        }
        assert!(serde_json::from_str::<DrainConfig>(r#"{"wait": "5s"}"#).is_err());
    }

    #[test]
    fn sets_what_it_says_and_leaves_the_rest() {
        let text = r#"{"every":"10s","fail_after":4}"#;
        let config: CheckConfig = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&config).unwrap(), text);
        let check = || Check::new("db", async || Ok::<_, String>(()));
        let set = check().recover_after(7).configure(&config);
        assert_eq!(set.pace, Pace::Every(Duration::from_secs(10)));
        assert_eq!((set.fail_after, set.recover_after), (4, 7));
        let ttl = Duration::from_secs(1);
        assert_eq!(
            check().on_demand(ttl).configure(&config).pace,
            Pace::OnDemand(ttl)
        );
    }
}
