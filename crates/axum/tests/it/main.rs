//! What users of the axum glue rely on.

#![allow(clippy::unwrap_used, reason = "tests")]

mod builder;
mod extract;
mod serve;
mod support;
mod verified;
