//! The only place that reads the clock.

use std::time::{SystemTime, UNIX_EPOCH};

use jiff::Timestamp;

/// The present by the clock of the operating system; its nearest end where a broken clock shows a
/// time that no calendar has.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the clock that everything else is given"
)]
pub(crate) fn now() -> Timestamp {
    let now = SystemTime::now();
    Timestamp::try_from(now).unwrap_or(if now < UNIX_EPOCH {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    })
}
