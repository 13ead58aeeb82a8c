//! What a user of the crate could write; every clock is paused.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests"
)]

mod dashboard;
mod join;
mod join_all;
mod observed;
mod types;
