//! What comes of a request.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use crate::outcome::Outcome;
use crate::store::StoreFailure;

/// Says why a request neither runs nor is answered from the record. None of these is a failure.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refused {
    /// The same request is being worked on.
    InProgress {
        /// Is what is left of its lease: later, it has either ended or is renewed.
        retry_after: Duration,
    },
    /// The key was used for another request.
    Mismatch,
    /// An earlier attempt has ended, nobody knows how, and the policy is not to try again.
    OutcomeUnknown {
        /// Is which attempt that was.
        attempt: u32,
    },
    /// The store has no room for a new key.
    Full,
}

impl Refused {
    /// Returns a word for it, of a closed vocabulary.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::InProgress { .. } => "in_progress",
            Self::Mismatch => "mismatch",
            Self::OutcomeUnknown { .. } => "outcome_unknown",
            Self::Full => "full",
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InProgress { .. } => "the same request is being worked on",
            Self::Mismatch => "the key was used for another request",
            Self::OutcomeUnknown { .. } => "the outcome of an earlier attempt is unknown",
            Self::Full => "the store has no room for a new key",
        })
    }
}

/// Says what became of the record, and so with what to answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
#[non_exhaustive]
pub enum Finished {
    /// The outcome is stored. Answer with it.
    Stored,
    /// The record is forgotten. Answer with the outcome; the request may come again.
    Released,
    /// The outcome was not to be stored, and something may have happened. Answer with it; the policy
    /// decides about the next request.
    Unknown,
    /// The outcome could not be stored: the store did not answer or has no room, or the key belongs to
    /// another request by now. Answer with it; the next request may find the outcome unknown, or none.
    Unsaved,
    /// A transaction within the work had completed the record, with this outcome. Answer with it: the
    /// work was done once, by this request.
    Completed(Outcome),
    /// Somebody else has taken over, and has completed the record with this outcome. Answer with it,
    /// as all who come later will be: whatever this request has done, it has done besides.
    Superseded(Outcome),
    /// Somebody else has taken over, and is at it or was. Answer with this.
    Refused(Refused),
}

impl Finished {
    /// Returns a word for it, of a closed vocabulary.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Stored => "stored",
            Self::Released => "released",
            Self::Unknown => "unknown",
            Self::Unsaved => "unsaved",
            Self::Completed(_) => "completed",
            Self::Superseded(_) => "superseded",
            Self::Refused(_) => "refused",
        }
    }
}

/// Is what [`Idempotency::run`](crate::Idempotency::run) comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
#[non_exhaustive]
pub enum Run {
    /// The work was done, with this outcome.
    Executed(Outcome),
    /// It had been done, with this outcome.
    Replayed(Outcome),
    /// It was not done.
    Refused(Refused),
}

impl Run {
    /// Returns the outcome, if there is one.
    #[must_use]
    pub const fn outcome(&self) -> Option<&Outcome> {
        match self {
            Self::Executed(outcome) | Self::Replayed(outcome) => Some(outcome),
            Self::Refused(_) => None,
        }
    }
}

/// Says that work failed, or could not be begun.
#[derive(Debug)]
#[non_exhaustive]
pub enum RunError<E> {
    /// The store failed, and nothing was done.
    Store(StoreFailure),
    /// The work failed. What becomes of the next request is up to the policy.
    Work(E),
}

impl<E: fmt::Display> fmt::Display for RunError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(failure) => failure.fmt(f),
            Self::Work(error) => error.fmt(f),
        }
    }
}

impl<E: Error + 'static> Error for RunError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Store(failure) => failure.source(),
            Self::Work(error) => error.source(),
        }
    }
}
