//! A piece of garbage: of which kind, what bytes, and what answer it asks for.

use crate::audit::Speaker;
use crate::client::Unanswered;
use crate::client::raw::{Exchange, Piece};

use super::write::ENORMOUS;

/// One piece of garbage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Case {
    pub(crate) kind: Kind,
    /// Which of its kind, for people.
    pub(crate) note: String,
    pub(crate) pieces: Vec<Piece>,
    pub(crate) speaker: Speaker,
    pub(crate) expect: Expect,
}

impl Case {
    pub(crate) fn label(&self) -> String {
        format!("{} ({})", self.kind.name(), self.note)
    }
}

/// The kinds of garbage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    MalformedJson,
    Corpus,
    WrongType,
    Deep,
    Wide,
    MassAssignment,
    HeaderInjection,
    OversizedByLength,
    OversizedInChunks,
    InvalidUtf8,
    Naughty,
    HeaderFlood,
    QueryFlood,
    LyingType,
    Compressed,
    Multipart,
    LyingLength,
}

impl Kind {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::MalformedJson => "malformed JSON",
            Self::Corpus => "JSON by the grammar",
            Self::WrongType => "wrong type",
            Self::Deep => "10,000 deep",
            Self::Wide => "100,000 wide",
            Self::MassAssignment => "mass assignment",
            Self::HeaderInjection => "header injection",
            Self::OversizedByLength => "64 MiB by length",
            Self::OversizedInChunks => "64 MiB in chunks",
            Self::InvalidUtf8 => "invalid UTF-8",
            Self::Naughty => "naughty string",
            Self::HeaderFlood => "header flood",
            Self::QueryFlood => "query flood",
            Self::LyingType => "lying content type",
            Self::Compressed => "compressed bomb",
            Self::Multipart => "multipart lie",
            Self::LyingLength => "lying length",
        }
    }

    pub(crate) const fn is_oversized(self) -> bool {
        matches!(self, Self::OversizedByLength | Self::OversizedInChunks)
    }

    /// Whether the report shows one answer of this kind.
    pub(crate) const fn is_shown(self) -> bool {
        matches!(
            self,
            Self::MalformedJson
                | Self::WrongType
                | Self::MassAssignment
                | Self::HeaderInjection
                | Self::LyingType
                | Self::Compressed
        )
    }
}

/// What kind of answer a piece of garbage asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expect {
    /// One of these.
    Status(&'static [u16]),
    /// Any 4xx.
    Refused,
    /// 413, or the connection closed long before everything was taken.
    TooLarge,
    /// It may be accepted: it is odd, not wrong. No 5xx, and no silence.
    Harmless,
    /// The same, and a close without a word is fine: it is no HTTP.
    HarmlessOrClosed,
}

impl Expect {
    pub(crate) fn check(self, exchange: &Exchange) -> Result<(), String> {
        match &exchange.answer {
            Ok(answer) => {
                let ok = match self {
                    Self::Status(statuses) => statuses.contains(&answer.status),
                    Self::Refused => (400..500).contains(&answer.status),
                    Self::TooLarge => answer.status == 413,
                    Self::Harmless | Self::HarmlessOrClosed => answer.status < 500,
                };
                if ok {
                    Ok(())
                } else {
                    Err(answer.status.to_string())
                }
            }
            Err(Unanswered::Closed) => {
                let ok = match self {
                    Self::TooLarge => exchange.taken < ENORMOUS as u64 / 2,
                    Self::HarmlessOrClosed => true,
                    Self::Status(_) | Self::Refused | Self::Harmless => false,
                };
                if ok {
                    Ok(())
                } else {
                    Err(Unanswered::Closed.name().to_owned())
                }
            }
            Err(unanswered) => Err(unanswered.name().to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::HeaderMap;

    use super::*;
    use crate::answer::Answer;

    fn checked(expect: Expect, answer: Result<u16, Unanswered>, taken: u64) -> bool {
        let answer = answer.map(|status| {
            Answer::new(
                status,
                &HeaderMap::new(),
                bytes::Bytes::new(),
                Duration::ZERO,
            )
        });
        expect.check(&Exchange { answer, taken }).is_ok()
    }

    #[test]
    fn no_expectation_bears_a_5xx_or_silence() {
        for expect in [
            Expect::Status(&[400]),
            Expect::Refused,
            Expect::TooLarge,
            Expect::Harmless,
            Expect::HarmlessOrClosed,
        ] {
            assert!(!checked(expect, Ok(500), 0), "{expect:?}");
            assert!(!checked(expect, Err(Unanswered::TimedOut), 0), "{expect:?}");
        }
        assert!(checked(Expect::TooLarge, Err(Unanswered::Closed), 1 << 20));
        assert!(!checked(
            Expect::TooLarge,
            Err(Unanswered::Closed),
            60 << 20
        ));
        assert!(!checked(Expect::TooLarge, Ok(201), 0));
        assert!(!checked(Expect::Harmless, Err(Unanswered::Closed), 0));
    }
}
