//! What users of the crate rely on.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    missing_docs,
    reason = "tests"
)]

mod cancellation;
#[cfg(feature = "conformance")]
mod conformance;
mod memory;
mod outage;
mod run;
mod settling;
mod soak;
mod support;
mod taken_over;
mod types;
mod waiting;
