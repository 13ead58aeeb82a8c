//! The only reader of the clock: tokio's, so that a paused runtime pauses every check too.

use std::time::{Duration, Instant};

#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place which tells the time"
)]
pub(crate) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// `from + span`, or about thirty years from `from` where that overflows: no process waits for it.
pub(crate) fn later(from: Instant, span: Duration) -> Instant {
    match from.checked_add(span) {
        Some(at) => at,
        None => from + NEVER,
    }
}

/// Sleeps until `at`, an instant of [`now`].
pub(crate) fn sleep_until(at: Instant) -> tokio::time::Sleep {
    tokio::time::sleep_until(tokio::time::Instant::from_std(at))
}

const NEVER: Duration = Duration::from_secs(86_400 * 365 * 30);
