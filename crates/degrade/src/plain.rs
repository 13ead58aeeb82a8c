//! The settings as plain data, for a configuration file.

use std::num::NonZeroUsize;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Degrade;

/// The settings of [`Degrade`] as a configuration file has them: durations as people write them,
/// absent keys at their defaults, unknown keys refused.
///
/// ```
/// use seawall_degrade::{Config, Degrade};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let config: Config = serde_json::from_str(r#"{ "per_component": "800ms", "concurrency": 4 }"#)?;
/// let degrade = Degrade::from(config);
/// # let _ = degrade;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Config {
    /// See [`Degrade::per_component`].
    #[serde(with = "humane", skip_serializing_if = "Option::is_none")]
    pub per_component: Option<Duration>,
    /// See [`Degrade::overall`].
    #[serde(with = "humane", skip_serializing_if = "Option::is_none")]
    pub overall: Option<Duration>,
    /// See [`Degrade::concurrency`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<NonZeroUsize>,
}

impl From<Config> for Degrade {
    fn from(config: Config) -> Self {
        let mut settings = Self::new();
        if let Some(limit) = config.per_component {
            settings = settings.per_component(limit);
        }
        if let Some(limit) = config.overall {
            settings = settings.overall(limit);
        }
        if let Some(most) = config.concurrency {
            settings = settings.concurrency(most);
        }
        settings
    }
}

/// Durations as text: "800ms", "2s", "1m 30s".
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
                "expected a duration such as \"800ms\" or \"2s\"",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_it_does_not_know() {
        for wrong in [
            r#"{"per_part": "1s"}"#,
            r#"{"overall": 2}"#,
            r#"{"concurrency": 0}"#,
        ] {
            assert!(serde_json::from_str::<Config>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn sets_what_it_says_and_leaves_the_rest() {
        let text = r#"{"per_component":"800ms","concurrency":4}"#;
        let config: Config = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&config).unwrap(), text);
        let settings = Degrade::from(config);
        assert_eq!(settings.per_component, Duration::from_millis(800));
        assert_eq!(settings.overall, None);
        assert_eq!(settings.concurrency.get(), 4);
    }
}
