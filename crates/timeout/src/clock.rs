//! The only reader of the clock: tokio's, so that a paused runtime pauses every deadline too.

use std::time::{Duration, Instant};

/// The present, as the current tokio runtime sees it; outside a runtime, the system's own.
///
/// `std::time::Instant::now` would disagree with a paused runtime: its timers would fire at once and
/// its deadlines would never come.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place which tells the time"
)]
pub(crate) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// `from + span`, or about thirty years from `from` where that overflows: no process waits for it.
#[inline]
pub(crate) fn later(from: Instant, span: Duration) -> Instant {
    match from.checked_add(span) {
        Some(at) => at,
        None => from + NEVER,
    }
}

const NEVER: Duration = Duration::from_secs(86_400 * 365 * 30);
