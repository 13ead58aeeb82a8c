//! The clients that storm plays: each with an address of its own, polite or not.

mod address;
mod call;
mod polite;
pub(crate) mod raw;

pub(crate) use address::{Addresses, PROXIES, connect};
pub(crate) use call::Call;
pub(crate) use polite::Client;

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unanswered {
    /// The connection could not be made.
    NotConnected,
    /// The connection was closed before an answer had arrived whole.
    Closed,
    /// The client's patience ended first.
    TimedOut,
}

impl Unanswered {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::NotConnected => "connection refused",
            Self::Closed => "connection closed without an answer",
            Self::TimedOut => "no answer",
        }
    }
}
