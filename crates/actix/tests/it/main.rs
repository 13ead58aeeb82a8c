//! What users of the actix glue rely on.

#![allow(clippy::unwrap_used, reason = "tests")]

#[cfg(feature = "serve")]
mod drain;
mod extract;
mod idempotency;
mod layers;
mod observed;
mod rate_limit;
#[cfg(feature = "config")]
mod reload;
#[cfg(feature = "serve")]
mod serve;
mod served;
mod support;
#[cfg(feature = "validate")]
mod valid;
mod verify;
mod wire;
