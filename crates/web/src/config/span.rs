//! Times as text, such as `"1m 30s"`; never nothing.

use std::borrow::Cow;
use std::time::Duration;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serializer};

pub(super) fn serialize<S: Serializer>(span: &Duration, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(&humantime::format_duration(*span))
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    let text = Cow::<'de, str>::deserialize(from)?;
    match humantime::parse_duration(&text) {
        Ok(span) if span.is_zero() => Err(D::Error::custom("expected a time above zero")),
        Ok(span) => Ok(span),
        Err(error) => Err(D::Error::custom(format_args!(
            "{error}, expected a time as in \"30s\""
        ))),
    }
}

/// The same where there may be none.
pub(super) mod optional {
    use super::{Duration, Serializer};
    use serde::{Deserialize, Deserializer};

    #[derive(Deserialize)]
    struct Span(#[serde(with = "super")] Duration);

    pub(in super::super) fn serialize<S: Serializer>(
        span: &Option<Duration>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        match span {
            Some(span) => super::serialize(span, to),
            None => to.serialize_none(),
        }
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Duration>, D::Error> {
        Ok(Option::<Span>::deserialize(from)?.map(|Span(span)| span))
    }
}
