//! What users of the axum glue rely on.

#![allow(clippy::unwrap_used, reason = "tests")]

mod builder;
#[cfg(all(feature = "serve", feature = "degrade"))]
mod drain;
mod extract;
#[cfg(feature = "serve")]
mod idempotency;
mod leaks;
mod limits;
#[cfg(feature = "config")]
mod reload;
mod serve;
mod support;
#[cfg(feature = "validate")]
mod valid;
mod verified;
