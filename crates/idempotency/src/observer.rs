//! A seat for metrics and logs.

use std::sync::Arc;

use crate::answer::{Finished, Refused};
use crate::store::StoreFailure;

/// Is told what happens. It does nothing by default.
///
/// The calls come inline: keep them short. Nothing of a client's is in them, so that
/// [`Event::as_str`] and the words of what it holds are fit for labels.
pub trait Observer: Send + Sync + 'static {
    /// Something happened.
    fn observe(&self, event: Event<'_>) {
        let _ = event;
    }
}

impl<O: Observer + ?Sized> Observer for Arc<O> {
    fn observe(&self, event: Event<'_>) {
        (**self).observe(event);
    }
}

/// Is something that happened.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// Work begins.
    Begun {
        /// Counts attempts; above 1, somebody was taken over.
        attempt: u32,
    },
    /// A request was answered from the record.
    Replayed,
    /// A request was refused.
    Refused(&'a Refused),
    /// A duplicate waits for the first.
    Waiting,
    /// Work has ended and was settled.
    Finished(&'a Finished),
    /// Work was dropped before it had ended: its caller left, or it panicked.
    Dropped,
    /// A renewal found that the record has another owner.
    Lost,
    /// Work has taken longer than its lease is renewed; somebody else may take over.
    Overdue,
    /// The store failed at a step.
    StoreFailed {
        /// Is `reserve`, `complete`, `release` or `renew`.
        step: &'static str,
        /// Is how.
        failure: &'a StoreFailure,
    },
    /// Work begins without protection, as the store did not answer.
    FailedOpen,
}

impl Event<'_> {
    /// Returns a word for it, of a closed vocabulary.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Begun { .. } => "begun",
            Self::Replayed => "replayed",
            Self::Refused(_) => "refused",
            Self::Waiting => "waiting",
            Self::Finished(_) => "finished",
            Self::Dropped => "dropped",
            Self::Lost => "lost",
            Self::Overdue => "overdue",
            Self::StoreFailed { .. } => "store_failed",
            Self::FailedOpen => "failed_open",
        }
    }
}

/// Observes nothing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unobserved;

impl Observer for Unobserved {}
