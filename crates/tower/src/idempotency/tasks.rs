//! Work that goes on when its caller has left.

use tokio_util::task::TaskTracker;

/// The tasks of an [`IdempotencyLayer`](super::IdempotencyLayer) and of its clones.
#[derive(Clone, Debug)]
pub struct Tasks(pub(super) TaskTracker);

impl Tasks {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Waits until there are none: at the end of a process, when its server takes no more requests.
    /// Bound the wait; what is left then has an outcome that nobody knows.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future does nothing.
    pub async fn ended(&self) {
        self.0.close();
        self.0.wait().await;
        // So that it can be waited for again, after more of them.
        self.0.reopen();
    }
}
