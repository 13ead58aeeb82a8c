//! The checked values that a configuration is made of.

use std::borrow::Cow;
use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::Duration;

use serde::Deserialize;
use serde::de::{self, Deserializer};

/// A quota as people write it: `"10/minute"`.
///
/// Only the grammar is checked here; the guard that enforces it parses the same text again. The bare
/// service, which enforces nothing, refuses a bad quota all the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuotaText {
    limit: NonZeroU32,
    unit: Unit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Second,
    Minute,
    Hour,
    Day,
}

impl Unit {
    const ALL: [(Self, &'static str, u64); 4] = [
        (Self::Second, "second", 1),
        (Self::Minute, "minute", 60),
        (Self::Hour, "hour", 60 * 60),
        (Self::Day, "day", 24 * 60 * 60),
    ];

    fn row(self) -> (&'static str, u64) {
        let [second, minute, hour, day] = Self::ALL.map(|(_, name, seconds)| (name, seconds));
        match self {
            Self::Second => second,
            Self::Minute => minute,
            Self::Hour => hour,
            Self::Day => day,
        }
    }
}

impl QuotaText {
    pub(crate) const fn per_minute(limit: u32) -> Self {
        Self::of(limit, Unit::Minute)
    }

    pub(crate) const fn per_hour(limit: u32) -> Self {
        Self::of(limit, Unit::Hour)
    }

    const fn of(limit: u32, unit: Unit) -> Self {
        Self {
            limit: NonZeroU32::new(limit).expect("the defaults are above zero"),
            unit,
        }
    }

    /// How many.
    #[must_use]
    pub const fn limit(&self) -> NonZeroU32 {
        self.limit
    }

    /// In how long.
    #[must_use]
    pub fn period(&self) -> Duration {
        Duration::from_secs(self.unit.row().1)
    }
}

impl fmt::Display for QuotaText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.limit, self.unit.row().0)
    }
}

impl FromStr for QuotaText {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unusable = || {
            format!(
                "`{text}` is no quota; expected one such as `10/minute` (second, minute, hour, day)"
            )
        };
        let (limit, unit) = text.split_once('/').ok_or_else(unusable)?;
        let limit: u32 = limit.parse().map_err(|_| unusable())?;
        let limit = NonZeroU32::new(limit)
            .ok_or_else(|| format!("`{text}` allows nothing; expected at least 1"))?;
        let (unit, ..) = Unit::ALL
            .into_iter()
            .find(|(_, name, _)| *name == unit)
            .ok_or_else(unusable)?;
        Ok(Self { limit, unit })
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
