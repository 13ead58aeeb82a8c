//! What is wrong with a configuration.

use std::error::Error;
use std::fmt;

/// A setting that cannot work, or cannot change while the service runs: which one, and what was
/// expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    key: String,
    expected: String,
}

impl ConfigError {
    /// Names a setting, and says what was expected.
    pub fn new(key: impl Into<String>, expected: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            expected: expected.into(),
        }
    }

    pub(super) fn fixed(key: impl Into<String>) -> Self {
        Self::new(key, "expected no change: it takes a restart")
    }

    /// A setting that the limits refuse.
    pub(super) fn of_limits(error: &seawall_ratelimit::ConfigError) -> Self {
        let key = match error.policy() {
            Some(policy) => format!("limits.{policy}.{}", error.key()),
            None => format!("limits: {}", error.key()),
        };
        Self::new(key, error.expected())
    }

    /// The setting, with dots between the names of what it stands in: `limits.login.quota`.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// What it should have been.
    #[must_use]
    pub fn expected(&self) -> &str {
        &self.expected
    }
}

impl From<seawall_ratelimit::ConfigError> for ConfigError {
    fn from(error: seawall_ratelimit::ConfigError) -> Self {
        Self::of_limits(&error)
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.key.escape_debug(), self.expected)
    }
}

impl Error for ConfigError {}
