//! Durations as people write them in configuration files: "30s", "1m 30s".

use serde::{Deserialize, Deserializer, Serializer, de};
use std::time::Duration;

pub(crate) mod duration {
    use super::{Deserialize, Deserializer, Duration, Serializer, parse};

    pub(crate) fn serialize<S: Serializer>(value: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&humantime::format_duration(*value))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        parse(&String::deserialize(from)?)
    }
}

/// A duration that may be left out (with `serde(default)`).
pub(crate) mod some_duration {
    use super::{Deserializer, Duration};

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Duration>, D::Error> {
        super::duration::deserialize(from).map(Some)
    }
}

/// A duration, or "never".
pub(crate) mod optional_duration {
    use super::{Deserialize, Deserializer, Duration, NEVER, Serializer, parse};

    #[expect(
        clippy::ref_option,
        reason = "serde hands over a reference to the field"
    )]
    pub(crate) fn serialize<S: Serializer>(
        value: &Option<Duration>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => super::duration::serialize(value, to),
            None => to.serialize_str(NEVER),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Duration>, D::Error> {
        let text = String::deserialize(from)?;
        if text == NEVER {
            Ok(None)
        } else {
            parse(&text).map(Some)
        }
    }
}

const NEVER: &str = "never";

fn parse<E: de::Error>(text: &str) -> Result<Duration, E> {
    humantime::parse_duration(text)
        .map_err(|error| E::custom(format_args!("expected a duration such as \"30s\": {error}")))
}
