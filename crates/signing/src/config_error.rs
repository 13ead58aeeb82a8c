//! What is wrong with a configuration.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

/// Says which setting cannot be, and what was expected of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    setting: &'static str,
    expected: Cow<'static, str>,
}

impl ConfigError {
    pub(crate) fn new(setting: &'static str, expected: impl Into<Cow<'static, str>>) -> Self {
        Self {
            setting,
            expected: expected.into(),
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_names_the_setting_and_what_was_expected() {
        let wrong = ConfigError::new("label", "a lower-case key");
        assert_eq!(wrong.setting(), "label");
        assert_eq!(wrong.to_string(), "label: expected a lower-case key");
    }
}
