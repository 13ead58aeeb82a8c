#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![allow(
    clippy::needless_doctest_main,
    reason = "the first example is a program that can be pasted as it stands"
)]

mod clock;
mod coarse;
#[cfg(feature = "serde")]
mod config;
#[cfg(feature = "conformance")]
pub mod conformance;
mod decision;
mod error;
pub mod headers;
mod key;
mod limiter;
pub mod machine;
mod not_now;
mod observer;
mod policies;
mod policy;
mod quota;
mod report;
mod reports;
mod reservation;
mod scope;
mod source;
mod store;
mod sync;
mod verdict;
#[cfg(feature = "tokio")]
mod wait;

#[cfg(feature = "quanta")]
pub use clock::QuantaClock;
#[cfg(feature = "tokio")]
pub use clock::TokioClock;
pub use clock::{Clock, ManualClock, Now, SystemClock};
pub use coarse::CoarseClock;
#[cfg(feature = "serde")]
pub use config::{CountConfig, PolicyConfig};
pub use decision::{Allowed, Decision, Denied};
pub use error::ConfigError;
pub use key::{KeyBuf, parts as key_parts};
pub use limiter::Limiter;
pub use not_now::NotNow;
pub use observer::Observer;
pub use policies::{Policies, PoliciesBuilder};
pub use policy::{CountRule, Mode, OnStoreError, Policy, PolicyName};
pub use quota::{Algorithm, Quota, QuotaError};
pub use report::Report;
pub use reservation::Reservation;
pub use source::{Reason, Source};
pub use store::{
    BoxError, BoxStore, Charge, DenyCache, Fallback, Grant, MemoryStore, MemoryStoreBuilder, Op,
    Store, StoreFailure, WhenFull,
};
#[cfg(feature = "tokio")]
pub use store::{TimedOut, WithTimeout};
pub use verdict::{Standing, Verdict};
#[cfg(feature = "tokio")]
pub use wait::{Patience, WaitError};
