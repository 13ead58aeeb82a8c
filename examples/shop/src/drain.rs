//! The one-way switch from "serving" to "going away".

use tokio::sync::watch;

/// Tells everybody in the process that the service has been told to stop. Clones share one switch.
#[derive(Clone, Debug)]
pub struct Drain(watch::Sender<bool>);

impl Default for Drain {
    fn default() -> Self {
        Self(watch::Sender::new(false))
    }
}

impl Drain {
    /// Starts the drain. Further calls change nothing.
    pub fn start(&self) {
        self.0.send_replace(true);
    }

    /// Whether the drain has started.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        *self.0.borrow()
    }

    /// Resolves once the drain has started, at once if it already has.
    pub async fn started(&self) {
        let mut receiver = self.0.subscribe();
        // The sender lives in `self`, so the wait cannot fail for want of one.
        let _ = receiver.wait_for(|draining| *draining).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_waiter_that_comes_late_is_not_left_waiting() {
        let drain = Drain::default();
        assert!(!drain.is_draining());
        drain.clone().start();
        drain.started().await;
        assert!(drain.is_draining());
    }
}
