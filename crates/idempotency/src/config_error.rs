//! What is wrong with a configuration.

use std::error::Error;
use std::fmt;

/// Says which setting cannot be, and what was expected of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    setting: &'static str,
    expected: &'static str,
}

impl ConfigError {
    pub(crate) const fn new(setting: &'static str, expected: &'static str) -> Self {
        Self { setting, expected }
    }

    /// Returns the name of the setting.
    #[must_use]
    pub const fn setting(&self) -> &'static str {
        self.setting
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: expected {}", self.setting, self.expected)
    }
}

impl Error for ConfigError {}
