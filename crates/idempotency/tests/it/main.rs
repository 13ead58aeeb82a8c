//! What users of the crate rely on.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod cancellation;
#[cfg(feature = "conformance")]
mod conformance;
mod memory;
mod outage;
mod run;
mod settling;
mod support;
mod types;
mod waiting;
