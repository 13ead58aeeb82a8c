//! What a quota means, as plain functions over plain values: no clock, no lock, no I/O.
//!
//! Every store keeps a [`State`] for each key, and every store comes to the same decisions, because
//! all of them do what these functions do. A store in another language (a Lua script, an SQL
//! function) repeats the arithmetic of [`State::consume`] and its siblings, hands the state that it
//! read or wrote back to [`measure`], and so needs no second copy of the figures that a caller is
//! shown. All times are whole microseconds.

pub(crate) mod gcra;
pub(crate) mod window;

use crate::clock::Now;
use crate::quota::{Algorithm, Quota};
use crate::store::Grant;
use crate::verdict::Verdict;

pub use window::Windows;

/// What a store remembers about one key under one quota.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum State {
    /// For [`Algorithm::Gcra`]: the theoretical arrival time, the moment at which the bucket is
    /// full again, on the store's monotonic clock. At or before now it means the same as no state.
    Gcra {
        /// Microseconds on the store's monotonic clock.
        tat: u64,
    },
    /// For both window algorithms.
    Windows(Windows),
}

impl State {
    /// The state of a key that was never seen.
    #[must_use]
    pub const fn new(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Gcra => Self::Gcra { tat: 0 },
            _ => Self::Windows(Windows::EMPTY),
        }
    }

    /// Charges `cost` if it fits. `None` is a denial, which changes nothing (but see
    /// [`clamped`](Self::clamped)).
    #[must_use]
    pub fn consume(&self, quota: &Quota, cost: u32, now: Now) -> Option<Self> {
        match self.fitting(quota) {
            Self::Gcra { tat } => {
                gcra::consume(quota, tat, cost, now.mono_us()).map(|tat| Self::Gcra { tat })
            }
            Self::Windows(windows) => {
                window::consume(quota, windows, cost, now.unix_us()).map(Self::Windows)
            }
        }
    }

    /// Charges as much of `cost` as there is room for.
    #[must_use]
    pub fn consume_up_to(&self, quota: &Quota, cost: u32, now: Now) -> Self {
        match self.fitting(quota) {
            Self::Gcra { tat } => Self::Gcra {
                tat: gcra::consume_up_to(quota, tat, cost, now.mono_us()),
            },
            Self::Windows(windows) => {
                Self::Windows(window::consume_up_to(quota, windows, cost, now.unix_us()))
            }
        }
    }

    /// Gives `cost` back, but never more than what of the grant has not come back by itself.
    ///
    /// Without a grant, the bound is what is in use now.
    #[must_use]
    pub fn refund(&self, quota: &Quota, cost: u32, grant: Option<Grant>, now: Now) -> Self {
        match self.fitting(quota) {
            Self::Gcra { tat } => {
                let paid_until = grant.map(|grant| grant.paid_until());
                Self::Gcra {
                    tat: gcra::refund(quota, tat, cost, paid_until, now.mono_us()),
                }
            }
            Self::Windows(windows) => {
                let paid_at = grant.map(|g| g.at.unix_us());
                Self::Windows(window::refund(quota, windows, cost, paid_at, now.unix_us()))
            }
        }
    }

    /// What a denial of `cost` has to leave behind where this state is further ahead than the quota
    /// can owe: a quota that shrank, or a clock that jumped back. `None`, nearly always: nothing.
    ///
    /// Without it, a caller who waits as long as it was told would be told so again.
    #[must_use]
    pub fn clamped(&self, quota: &Quota, cost: u32, now: Now) -> Option<Self> {
        match self.fitting(quota) {
            Self::Gcra { tat } => {
                gcra::clamped(quota, tat, cost, now.mono_us()).map(|tat| Self::Gcra { tat })
            }
            Self::Windows(windows) => {
                window::clamped(quota, windows, cost, now.unix_us()).map(Self::Windows)
            }
        }
    }

    /// A state of the kind that the quota counts with: another kind counts as none.
    fn fitting(&self, quota: &Quota) -> Self {
        match (self, quota.algorithm()) {
            (Self::Gcra { .. }, Algorithm::Gcra)
            | (Self::Windows(_), Algorithm::SlidingWindow | Algorithm::FixedWindow) => *self,
            (_, algorithm) => Self::new(algorithm),
        }
    }
}

/// The figures of a decision that is already made.
///
/// `state` is the state after the step: the new one if `allowed`, the untouched one if not.
#[must_use]
pub fn measure(quota: &Quota, state: &State, cost: u32, now: Now, allowed: bool) -> Verdict {
    match state.fitting(quota) {
        State::Gcra { tat } => gcra::measure(quota, tat, cost, now.mono_us(), allowed),
        State::Windows(windows) => window::measure(quota, windows, cost, now.unix_us(), allowed),
    }
}
