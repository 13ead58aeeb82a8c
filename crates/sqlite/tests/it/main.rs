//! What users of the store rely on.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    missing_docs,
    reason = "tests"
)]
#![cfg(feature = "signing")]

mod claims;
mod faults;
mod processes;
mod support;
