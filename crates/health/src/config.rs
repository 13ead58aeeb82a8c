//! What can be wrong with the settings.

use std::error::Error;
use std::fmt;

/// Settings that make no sense. It names the check and the key, and what was expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    check: Option<String>,
    key: &'static str,
    expected: &'static str,
}

impl ConfigError {
    pub(crate) fn new(check: Option<&str>, key: &'static str, expected: &'static str) -> Self {
        Self {
            check: check.map(|name| name.escape_debug().take(64).collect()),
            key,
            expected,
        }
    }

    /// The check whose setting is refused, if it is one of a check.
    #[must_use]
    pub fn check(&self) -> Option<&str> {
        self.check.as_deref()
    }

    /// The setting which is refused.
    #[must_use]
    pub fn key(&self) -> &str {
        self.key
    }

    /// What it has to be.
    #[must_use]
    pub fn expected(&self) -> &str {
        self.expected
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.check {
            Some(check) => write!(
                f,
                "check \"{check}\": `{}` must be {}",
                self.key, self.expected
            ),
            None => write!(f, "`{}` must be {}", self.key, self.expected),
        }
    }
}

impl Error for ConfigError {}
