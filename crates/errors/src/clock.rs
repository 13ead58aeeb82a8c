//! The only reader of the clock.

use std::time::Duration;

/// The time since 1970, by the wall clock; zero when the clock stands before that.
#[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the clock"
)]
pub(crate) fn unix() -> Duration {
    use std::time::SystemTime;

    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default()
}

/// This target has no clock that the standard library could read; ids are unique without one.
#[cfg(all(target_family = "wasm", target_os = "unknown"))]
pub(crate) fn unix() -> Duration {
    Duration::ZERO
}
