//! The only reader of the clock.

use std::time::Instant;

/// The runtime's clock, which a test can pause.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the clock"
)]
pub(crate) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}
