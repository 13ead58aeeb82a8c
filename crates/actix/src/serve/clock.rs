//! The one reader of the clock: tokio's, so that a paused runtime pauses the server's limits too.

use tokio::time::Instant;

#[expect(clippy::disallowed_methods, reason = "this is the clock")]
pub(super) fn now() -> Instant {
    Instant::now()
}
