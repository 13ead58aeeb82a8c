//! What a user relies on, against real servers.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    missing_docs,
    unreachable_pub,
    reason = "tests"
)]

mod cluster;
mod exact;
mod expiry;
mod faults;
mod idempotency;
mod laws;
mod nonces;
#[path = "../support/mod.rs"]
mod support;
mod twin;
mod types;
