//! What a user of the crate could write; every clock is paused.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests"
)]

mod background;
mod drain;
mod observed;
mod on_demand;
mod probes;
mod switch;
mod types;
