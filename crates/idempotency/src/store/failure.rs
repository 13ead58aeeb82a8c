//! What a store's error means.

use std::convert::Infallible;
use std::error::Error;
use std::fmt;

/// Says how a store failed, with the cause for operators.
#[derive(Debug)]
pub struct StoreFailure {
    unavailable: bool,
    source: Box<dyn Error + Send + Sync>,
}

impl StoreFailure {
    /// The store could not be reached, or did not answer in time: the step may have been made.
    #[must_use]
    pub fn unavailable(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            unavailable: true,
            source: source.into(),
        }
    }

    /// The store answered that it cannot do what it was asked. Nothing runs unprotected for that,
    /// whatever the policy: a client might provoke it.
    #[must_use]
    pub fn refused(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            unavailable: false,
            source: source.into(),
        }
    }

    /// Returns whether the store was unavailable, and did not refuse.
    #[must_use]
    pub const fn is_unavailable(&self) -> bool {
        self.unavailable
    }
}

impl fmt::Display for StoreFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.unavailable {
            "the idempotency store did not answer"
        } else {
            "the idempotency store refused"
        })
    }
}

impl Error for StoreFailure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.source)
    }
}

impl From<Infallible> for StoreFailure {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}
