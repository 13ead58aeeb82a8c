//! What can be wrong with configured limits, and, with the feature `serde`, the limits as plain data.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

use crate::Class;
use crate::elapsed::Seconds;

/// A configuration that makes no sense. It names the key, what was expected, and, where two values
/// contradict each other, both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    key: &'static str,
    other: Option<&'static str>,
    problem: Cow<'static, str>,
}

impl ConfigError {
    /// The key whose value is refused.
    #[must_use]
    pub fn key(&self) -> &str {
        self.key
    }

    /// The key which it contradicts, if it is good by itself.
    #[must_use]
    pub fn other(&self) -> Option<&str> {
        self.other
    }

    pub(crate) fn zero(key: &'static str) -> Self {
        Self {
            key,
            other: None,
            problem: Cow::Borrowed("must be longer than zero"),
        }
    }

    pub(crate) fn twice(key: &'static str) -> Self {
        Self {
            key,
            other: None,
            problem: Cow::Borrowed("is given twice but must be unique"),
        }
    }

    pub(crate) fn not_less(class: Class, than: Class) -> Self {
        Self::compared(class, "less than", than)
    }

    pub(crate) fn above(class: Class, most: Class) -> Self {
        Self::compared(class, "at most", most)
    }

    fn compared(class: Class, relation: &str, other: Class) -> Self {
        let problem = format!(
            "is {} but must be {relation} `{}`, which is {}",
            Seconds(class.limit()),
            other.name(),
            Seconds(other.limit()),
        );
        Self {
            key: class.name(),
            other: Some(other.name()),
            problem: Cow::Owned(problem),
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {}", self.key, self.problem)
    }
}

impl Error for ConfigError {}
