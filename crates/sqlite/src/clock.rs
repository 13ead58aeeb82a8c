//! The only place that reads the clock: the host's, which all processes on a file share.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The time since 1970. A clock set before that reads as zero.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the clock that everything else is given"
)]
pub(crate) fn system() -> Duration {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
}
