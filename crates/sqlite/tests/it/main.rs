//! What users of the store rely on.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    missing_docs,
    reason = "tests"
)]

#[cfg(feature = "signing")]
mod claims;
#[cfg(feature = "signing")]
mod faults;
#[cfg(feature = "idempotency")]
mod idempotency;
#[cfg(feature = "signing")]
mod processes;
mod support;
