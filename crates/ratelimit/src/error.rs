//! Configuration that does not construct.

use std::error::Error;
use std::fmt;

use crate::quota::QuotaError;

/// A setting that cannot work: which one, and what was expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    policy: Option<Box<str>>,
    key: &'static str,
    expected: &'static str,
}

impl ConfigError {
    pub(crate) const fn new(key: &'static str, expected: &'static str) -> Self {
        Self {
            policy: None,
            key,
            expected,
        }
    }

    pub(crate) fn of(self, policy: &str) -> Self {
        Self {
            policy: Some(policy.into()),
            ..self
        }
    }

    /// The policy that is meant, if one is.
    #[must_use]
    pub fn policy(&self) -> Option<&str> {
        self.policy.as_deref()
    }

    /// The setting.
    #[must_use]
    pub const fn key(&self) -> &'static str {
        self.key
    }

    /// What it should have been.
    #[must_use]
    pub const fn expected(&self) -> &'static str {
        self.expected
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(policy) = &self.policy {
            write!(f, "policy `{}`: ", policy.escape_debug())?;
        }
        write!(f, "{}: {}", self.key, self.expected)
    }
}

impl Error for ConfigError {}

impl From<QuotaError> for ConfigError {
    fn from(error: QuotaError) -> Self {
        Self::new("quota", error.message())
    }
}
