//! What a user of the crate could write; every clock is paused.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests"
)]

mod body;
#[cfg(feature = "cancel")]
mod cancelling;
mod scope;
mod types;
mod within;
