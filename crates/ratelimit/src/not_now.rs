//! The short answer to who may not pass.

use std::time::Duration;

use crate::verdict::NEVER;

/// The answer of [`Limiter::admit`](crate::Limiter::admit) and
/// [`Policies::admit`](crate::Policies::admit) to whom they do not let pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotNow {
    wait_us: u64,
}

impl NotNow {
    /// `None` where no wait helps.
    #[inline]
    pub(crate) const fn after_micros(wait_us: Option<u64>) -> Self {
        match wait_us {
            Some(wait_us) => Self { wait_us },
            None => Self { wait_us: NEVER },
        }
    }

    pub(crate) fn after(wait: Option<Duration>) -> Self {
        Self::after_micros(wait.map(crate::verdict::micros))
    }

    /// The one that has to wait longer.
    #[inline]
    pub(crate) fn or_longer(self, other: Self) -> Self {
        Self {
            wait_us: self.wait_us.max(other.wait_us),
        }
    }

    /// After what time the same request may pass; `None` where no wait helps.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        match self.wait_us {
            NEVER => None,
            us => Some(Duration::from_micros(us)),
        }
    }
}
