//! What users of the axum glue rely on.

#![allow(clippy::unwrap_used, reason = "tests")]

mod builder;
mod extract;
mod leaks;
mod serve;
mod support;
