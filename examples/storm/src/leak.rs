//! Does an answer give away what lives inside the service?

use shop::config::DEMO_WEBHOOK_SECRET;
use shop::domain::canary::{self, Kind};

use crate::answer::Answer;

/// What an answer gives away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Trace {
    /// A planted text.
    Canary(Kind),
    /// The handwriting of the implementation: nothing planted, but no caller's business either.
    Handwriting(&'static str),
}

impl Trace {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Canary(kind) => kind.name(),
            Self::Handwriting(text) => text,
        }
    }
}

/// Everything that an answer gives away, each trace once.
pub(crate) fn traces(answer: &Answer) -> Vec<Trace> {
    let mut text = String::from_utf8_lossy(&answer.body).into_owned();
    for (name, value) in &answer.headers {
        text.push('\n');
        text.push_str(name.as_str());
        text.push_str(": ");
        text.push_str(&String::from_utf8_lossy(value.as_bytes()));
    }

    let mut found: Vec<Trace> = canary::ALL
        .iter()
        .filter(|planted| text.contains(planted.text))
        .map(|planted| Trace::Canary(planted.kind))
        .collect();
    if text.contains(DEMO_WEBHOOK_SECRET) {
        found.push(Trace::Canary(Kind::Secret));
    }
    // What a caller sent may come back in a success, and callers may send anything; an error has no
    // reason to sound like this.
    if answer.is_error() {
        let marks = HANDWRITING.into_iter().filter(|mark| text.contains(mark));
        found.extend(marks.map(Trace::Handwriting));
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// Texts by which the libraries and the language underneath are recognised.
const HANDWRITING: [&str; 12] = [
    "panicked",
    "unwrap()",
    "stack backtrace",
    ".rs:",
    "Failed to deserialize",
    "Failed to parse the request body",
    "target type",
    "Some(\"",
    "serde",
    "tokio",
    "axum",
    "core::",
];

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::HeaderMap;

    use super::*;

    fn found(status: u16, body: &str, header: &'static str) -> Vec<Trace> {
        let mut headers = HeaderMap::new();
        headers.insert("x-debug", header.parse().unwrap());
        traces(&Answer::new(
            status,
            &headers,
            body.to_owned().into(),
            Duration::ZERO,
        ))
    }

    #[test]
    fn each_planted_text_is_found_wherever_it_is() {
        for planted in canary::ALL {
            let wrapped = format!("oh no: {}!", planted.text);
            assert_eq!(found(200, &wrapped, ""), [Trace::Canary(planted.kind)]);
        }
        assert_eq!(found(200, "", canary::SQLSTATE), [Trace::Canary(Kind::Sql)]);
    }

    #[test]
    fn only_errors_are_searched_for_handwriting() {
        assert_eq!(
            found(500, "thread panicked", ""),
            [Trace::Handwriting("panicked")]
        );
        assert!(found(201, "{\"name\":\"he panicked\"}", "").is_empty());
        assert!(found(422, "Email format is invalid", "").is_empty());
    }
}
