//! What a user of the crate could write; every clock is paused.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod within;
