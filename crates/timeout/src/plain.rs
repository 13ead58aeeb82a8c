//! The limits as plain data, for a configuration file.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Classes, ConfigError};

/// [`Classes`] as a configuration file has them: durations as people write them, absent keys at their
/// defaults, unknown keys refused.
///
/// ```
/// use std::time::Duration;
/// use seawall_timeout::{Classes, Config};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let config: Config = serde_json::from_str(r#"{ "simple_read": "1s 500ms", "client_timeout": "30s" }"#)?;
/// let limits = Classes::try_from(config)?;
/// assert_eq!(limits.simple_read().limit(), Duration::from_millis(1500));
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Config {
    /// See [`Builder::simple_read`](crate::Builder::simple_read).
    #[serde(with = "humane", skip_serializing_if = "Option::is_none")]
    pub simple_read: Option<Duration>,
    /// See [`Builder::complex_query`](crate::Builder::complex_query).
    #[serde(with = "humane", skip_serializing_if = "Option::is_none")]
    pub complex_query: Option<Duration>,
    /// See [`Builder::external`](crate::Builder::external).
    #[serde(with = "humane", skip_serializing_if = "Option::is_none")]
    pub external: Option<Duration>,
    /// See [`Builder::total`](crate::Builder::total).
    #[serde(with = "humane", skip_serializing_if = "Option::is_none")]
    pub total: Option<Duration>,
    /// See [`Builder::client_timeout`](crate::Builder::client_timeout).
    #[serde(with = "humane", skip_serializing_if = "Option::is_none")]
    pub client_timeout: Option<Duration>,
}

impl TryFrom<Config> for Classes {
    type Error = ConfigError;

    fn try_from(config: Config) -> Result<Self, ConfigError> {
        let mut builder = Self::builder();
        if let Some(limit) = config.simple_read {
            builder = builder.simple_read(limit);
        }
        if let Some(limit) = config.complex_query {
            builder = builder.complex_query(limit);
        }
        if let Some(limit) = config.external {
            builder = builder.external(limit);
        }
        if let Some(limit) = config.total {
            builder = builder.total(limit);
        }
        if let Some(limit) = config.client_timeout {
            builder = builder.client_timeout(limit);
        }
        builder.build()
    }
}

/// Durations as text: "1500ms", "2s", "1m 30s".
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
                "expected a duration such as \"1500ms\" or \"30s\"",
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
            r#"{"simple_reads": "1s"}"#,
            r#"{"total": 30}"#,
            r#"{"total": "soon"}"#,
            r#"{"total": "-1s"}"#,
        ] {
            assert!(serde_json::from_str::<Config>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_contradicts_itself_is_refused_by_both_names() {
        let text = r#"{"total": "45s", "client_timeout": "30s"}"#;
        let config: Config = serde_json::from_str(text).unwrap();
        let error = Classes::try_from(config).unwrap_err();
        assert_eq!(
            (error.key(), error.other()),
            ("total", Some("client_timeout"))
        );
    }

    #[test]
    fn writes_what_it_reads() {
        let text = r#"{"external":"1s 500ms","total":"20s"}"#;
        let config: Config = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&config).unwrap(), text);
    }
}
