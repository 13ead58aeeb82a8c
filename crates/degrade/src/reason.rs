//! Why a component is missing: for operators, never for callers.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::time::Duration;

/// Why a component gave nothing.
#[derive(Debug)]
#[non_exhaustive]
pub enum Reason {
    /// It gave an error.
    Error(Box<dyn Error + Send + Sync>),
    /// It took longer than its own limit.
    Timeout(Duration),
    /// The deadline of the whole join came first, perhaps before it could start.
    Deadline,
    /// It panicked, with this message.
    Panic(String),
}

impl Reason {
    /// One word for a metric's label.
    #[must_use]
    pub fn label(&self) -> &'static str {
        match self {
            Self::Error(_) => "error",
            Self::Timeout(_) => "timeout",
            Self::Deadline => "deadline",
            Self::Panic(_) => "panic",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Error(_) => f.write_str("the component failed"),
            Self::Timeout(limit) => write!(f, "the component took longer than {limit:?}"),
            Self::Deadline => f.write_str("the deadline of the whole came first"),
            Self::Panic(message) => write!(f, "the component panicked: {message}"),
        }
    }
}

impl Error for Reason {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Error(error) => Some(&**error),
            _ => None,
        }
    }
}

/// A critical component gave nothing, so there is no answer. Answer 503.
///
/// `Display` and `source()` are for operators. Callers are told no more than that the service is
/// temporarily unavailable.
#[derive(Debug)]
pub struct Unavailable {
    component: Cow<'static, str>,
    reason: Reason,
}

impl Unavailable {
    pub(crate) fn new(component: Cow<'static, str>, reason: Reason) -> Self {
        Self { component, reason }
    }

    /// The name of the component.
    #[must_use]
    pub fn component(&self) -> &str {
        &self.component
    }

    /// Why it gave nothing.
    #[must_use]
    pub fn reason(&self) -> &Reason {
        &self.reason
    }
}

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "critical component `{}` is unavailable", self.component)
    }
}

impl Error for Unavailable {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.reason)
    }
}
