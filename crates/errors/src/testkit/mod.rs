//! A leak kit for the tests of your own service: plant secrets where failures start, then search
//! what callers receive, and the log.
//!
//! A *canary* is a random word. Plant one in each place from which a careless service leaks: the
//! text of a database error, a panic, the body of an upstream's answer. Provoke the failure through
//! your real stack. Then no canary may be found in the answer, in whatever encoding, and each has to
//! be in the log exactly once: not lost, and not repeated by every layer.
//!
//! # Examples
//!
//! ```
//! use seawall_errors::{ApiError, RenderContext, Renderer, codes};
//! use seawall_errors::testkit::{Answer, Canaries};
//!
//! let mut canaries = Canaries::new();
//! let sql = canaries.plant("sql", |word| format!("relation \"{word}\" does not exist"));
//! let chain = canaries.chain("causes", 3);
//!
//! // Stands for a request to your service.
//! let error = ApiError::new(codes::INTERNAL_ERROR).source(chain).note(sql);
//! let rendered = Renderer::new().render(&error, &RenderContext::new());
//! let log = error.private().report();
//!
//! let mut answer = Answer::new().body(&rendered.body);
//! for (name, value) in &rendered.headers {
//!     answer = answer.header(name, value.as_bytes());
//! }
//! canaries.assert_hidden(&answer);
//! canaries.assert_logged_once(&log);
//! ```
//!
//! Give it the decoded body: what is compressed is not searched. And let a test of the kit's own use
//! fail first, by searching an answer that leaks, so that you know it looks in the right place.

mod answer;
mod encoding;

use std::{error::Error, fmt};

pub use answer::{Answer, Place};

use crate::random;
use encoding::Needle;

/// Holds the canaries of one test.
#[derive(Clone, Debug, Default)]
pub struct Canaries {
    planted: Vec<Canary>,
}

#[derive(Clone, Debug)]
struct Canary {
    what: &'static str,
    word: String,
}

/// Says that a canary was found in an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Leak {
    /// What the canary stands for, as it was planted.
    pub what: &'static str,
    /// Where it was found.
    pub place: Place,
    /// In which encoding.
    pub encoding: &'static str,
}

/// Says that a canary is not in the log exactly once.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Miscount {
    /// What the canary stands for, as it was planted.
    pub what: &'static str,
    /// How often it was found.
    pub times: usize,
}

/// An error whose text, and that of each of its causes, holds a canary; see [`Canaries::chain`].
#[derive(Debug)]
pub struct CanaryError {
    text: String,
    cause: Option<Box<Self>>,
}

impl Canaries {
    /// Has planted nothing yet.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            planted: Vec::new(),
        }
    }

    /// Plants a canary: `text` makes of the word what the failure would say. `what` names it in
    /// the findings.
    pub fn plant(&mut self, what: &'static str, text: impl FnOnce(&str) -> String) -> String {
        // Letters and digits only, so that escaping for JSON, HTML, URLs or logs leaves it whole.
        let word = format!("canary{:016x}{:016x}", random::bits(), random::bits());
        let text = text(&word);
        self.planted.push(Canary { what, word });
        text
    }

    /// Plants a chain of causes, each with a canary of its own.
    ///
    /// # Panics
    ///
    /// When `depth` is 0.
    pub fn chain(&mut self, what: &'static str, depth: usize) -> CanaryError {
        let level = |canaries: &mut Self, level| {
            canaries.plant(what, |word| format!("cause {level} of {what}: {word}"))
        };
        assert!(depth > 0, "a chain has at least one cause");
        let innermost = CanaryError {
            text: level(self, depth),
            cause: None,
        };
        (1..depth)
            .rev()
            .fold(innermost, |cause, position| CanaryError {
                text: level(self, position),
                cause: Some(Box::new(cause)),
            })
    }

    /// How many canaries were planted.
    #[must_use]
    pub fn len(&self) -> usize {
        self.planted.len()
    }

    /// Whether none was planted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.planted.is_empty()
    }

    /// Finds canaries in an answer: as they are in any letter case, in Base64, in hexadecimal
    /// digits and in UTF-16.
    #[must_use]
    pub fn search(&self, answer: &Answer<'_>) -> Vec<Leak> {
        let mut leaks = Vec::new();
        for canary in &self.planted {
            let needles = Needle::all(&canary.word);
            for (place, text) in answer.parts() {
                if let Some(needle) = needles.iter().find(|needle| needle.is_in(text)) {
                    let (what, place) = (canary.what, place.clone());
                    leaks.push(Leak {
                        what,
                        place,
                        encoding: needle.encoding(),
                    });
                }
            }
        }
        leaks
    }

    /// Counts each canary in a log, and returns those that are not there exactly once.
    #[must_use]
    pub fn miscounted(&self, log: &str) -> Vec<Miscount> {
        let count = |canary: &Canary| (canary.what, log.matches(&canary.word).count());
        self.planted
            .iter()
            .map(count)
            .filter(|(_, times)| *times != 1)
            .map(|(what, times)| Miscount { what, times })
            .collect()
    }

    /// Asserts that no canary is in the answer.
    ///
    /// # Panics
    ///
    /// When one is, or when none was planted; the message says which and where.
    #[track_caller]
    pub fn assert_hidden(&self, answer: &Answer<'_>) {
        assert!(
            !self.is_empty(),
            "no canary was planted, so nothing can be found"
        );
        let leaks: Vec<_> = self.search(answer).iter().map(Leak::to_string).collect();
        assert!(leaks.is_empty(), "the answer leaks: {}", leaks.join("; "));
    }

    /// Asserts that each canary is in the log exactly once.
    ///
    /// # Panics
    ///
    /// When one is not; the message says which and how often.
    #[track_caller]
    pub fn assert_logged_once(&self, log: &str) {
        let miscounted: Vec<_> = self
            .miscounted(log)
            .iter()
            .map(Miscount::to_string)
            .collect();
        assert!(
            miscounted.is_empty(),
            "the log miscounts: {}",
            miscounted.join("; ")
        );
    }
}

impl fmt::Display for Leak {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` in the {}, {}",
            self.what, self.place, self.encoding
        )
    }
}

impl fmt::Display for Miscount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {} times", self.what, self.times)
    }
}

impl fmt::Display for CanaryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Error for CanaryError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as _)
    }
}
