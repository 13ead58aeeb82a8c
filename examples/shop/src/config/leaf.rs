//! The checked values that a configuration is made of.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use seawall_ratelimit::Quota;
use serde::Deserialize;
use serde::de::{self, Deserializer};

/// A quota as people write it, `"10/minute"`, that lets something pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuotaText(Quota);

impl QuotaText {
    pub(crate) const fn per_minute(limit: u32) -> Self {
        Self(Quota::per_minute(limit))
    }

    pub(crate) const fn per_hour(limit: u32) -> Self {
        Self(Quota::per_hour(limit))
    }

    /// The quota itself.
    #[must_use]
    pub const fn quota(&self) -> Quota {
        self.0
    }
}

impl fmt::Display for QuotaText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for QuotaText {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let quota: Quota = text.parse().map_err(|error| {
            format!("`{text}` is no quota ({error}); expected one such as `10/minute`")
        })?;
        if quota.limit() == 0 || quota.burst() == 0 {
            return Err(format!("`{text}` allows nothing; expected at least 1"));
        }
        Ok(Self(quota))
    }
}

impl<'de> Deserialize<'de> for QuotaText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Cow::<'_, str>::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}

/// A length of time as people write it: `"5s"`, `"1m 30s"`; above zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span(Duration);

impl Span {
    pub(crate) const fn from_secs(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }

    pub(crate) const fn from_millis(milliseconds: u64) -> Self {
        Self(Duration::from_millis(milliseconds))
    }

    /// The duration itself.
    #[must_use]
    pub const fn get(self) -> Duration {
        self.0
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'_, str>::deserialize(deserializer)?;
        let span = humantime::parse_duration(&text).map_err(|_| {
            de::Error::custom(format!(
                "`{text}` is no span of time; expected one such as `5s`"
            ))
        })?;
        if span.is_zero() {
            return Err(de::Error::custom(format!(
                "`{text}` is no time; expected a span above zero"
            )));
        }
        Ok(Self(span))
    }
}

/// Text that must not be shown.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Secret(String);

impl Secret {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for the one place that must compare or key with it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.is_empty() {
            return Err(de::Error::custom(
                "a secret or token is empty; expected some text",
            ));
        }
        Ok(Self(text))
    }
}
