//! What users of the axum glue rely on.

#![allow(clippy::unwrap_used, reason = "tests")]

mod builder;
#[cfg(all(feature = "serve", feature = "degrade"))]
mod drain;
mod extract;
mod leaks;
#[cfg(feature = "serve")]
mod limits;
mod serve;
mod support;
#[cfg(feature = "validate")]
mod valid;
mod verified;
