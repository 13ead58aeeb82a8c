//! How far a signed timestamp may be from now.

use std::time::Duration;

use crate::clock::UnixTime;
use crate::refused::{Refused, RefusedKind};

/// Bounds how old, and how far ahead, a signed timestamp may be.
///
/// The two sides differ on purpose: an old message is late delivery, which is common; a message
/// from the future is a wrong clock or an attacker who buys time for a replay. Zero means zero: it
/// accepts only the current second and never turns the check off, as it does in some libraries. To
/// turn it off, write [`Tolerance::unchecked`].
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use seawall_signing::Tolerance;
///
/// let strict = Tolerance::new(Duration::from_secs(30), Duration::ZERO);
/// assert_eq!(strict.past(), Some(Duration::from_secs(30)));
/// assert_eq!(Tolerance::default().past(), Some(Duration::from_secs(300)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tolerance(Option<Window>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Window {
    past: Duration,
    future: Duration,
}

impl Tolerance {
    /// Accepts timestamps from `past` before now to `future` after it, both ends included.
    #[must_use]
    pub const fn new(past: Duration, future: Duration) -> Self {
        Self(Some(Window { past, future }))
    }

    /// Accepts any timestamp at all, for messages that are verified long after they came.
    ///
    /// Prefer [`Verifier::verify_at`](crate::Verifier::verify_at) with the time of receipt. Replay
    /// protection cannot be combined with this: a memory without an end is not bounded.
    #[must_use]
    pub const fn unchecked() -> Self {
        Self(None)
    }

    /// Returns how old a message may be, or `None` when that is not checked.
    #[must_use]
    pub fn past(&self) -> Option<Duration> {
        self.0.map(|window| window.past)
    }

    /// Returns how far ahead a message may be dated, or `None` when that is not checked.
    #[must_use]
    pub fn future(&self) -> Option<Duration> {
        self.0.map(|window| window.future)
    }

    pub(crate) fn check(&self, signed: UnixTime, now: UnixTime) -> Result<(), Refused> {
        let Some(window) = self.0 else { return Ok(()) };
        if now.since(signed) > window.past {
            Err(Refused::new(RefusedKind::TooOld))
        } else if signed.since(now) > window.future {
            Err(Refused::new(RefusedKind::TooNew))
        } else {
            Ok(())
        }
    }
}

impl Default for Tolerance {
    /// Five minutes back, which is what senders' retries and queues are built for, and one minute
    /// ahead, which is more than a clock kept by NTP ever needs.
    fn default() -> Self {
        Self::new(Duration::from_secs(300), Duration::from_secs(60))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(past: u64, future: u64, signed: u64, now: u64) -> Option<RefusedKind> {
        let tolerance = Tolerance::new(Duration::from_secs(past), Duration::from_secs(future));
        let verdict = tolerance.check(UnixTime::from_secs(signed), UnixTime::from_secs(now));
        verdict.err().map(|refused| refused.kind())
    }

    #[test]
    fn both_ends_belong_to_the_window() {
        assert_eq!(check(300, 60, 1000, 1300), None);
        assert_eq!(check(300, 60, 1000, 1301), Some(RefusedKind::TooOld));
        assert_eq!(check(300, 60, 1000, 940), None);
        assert_eq!(check(300, 60, 1000, 939), Some(RefusedKind::TooNew));
    }

    #[test]
    fn zero_never_disables() {
        assert_eq!(check(0, 0, 1000, 1000), None);
        assert_eq!(check(0, 0, 1000, 1001), Some(RefusedKind::TooOld));
        assert_eq!(check(0, 0, 1001, 1000), Some(RefusedKind::TooNew));
    }

    #[test]
    fn the_ends_of_time_do_not_overflow() {
        assert_eq!(check(300, 60, u64::MAX, 0), Some(RefusedKind::TooNew));
        assert_eq!(check(300, 60, 0, u64::MAX), Some(RefusedKind::TooOld));
        let any = Tolerance::unchecked();
        assert!(
            any.check(UnixTime::from_secs(u64::MAX), UnixTime::from_secs(0))
                .is_ok()
        );
    }

    #[test]
    fn either_side_can_be_read() {
        let uneven = Tolerance::new(Duration::from_secs(30), Duration::from_secs(5));
        assert_eq!(uneven.past(), Some(Duration::from_secs(30)));
        assert_eq!(uneven.future(), Some(Duration::from_secs(5)));
        let any = Tolerance::unchecked();
        assert_eq!((any.past(), any.future()), (None, None));
    }
}
