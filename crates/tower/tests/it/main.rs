//! What users of the layers rely on.

#![allow(clippy::unwrap_used, reason = "tests")]
#![allow(
    clippy::disallowed_methods,
    reason = "the clock of a test is paused, and is what is asserted"
)]

mod body_limit;
mod budget;
mod canary;
mod circuit_breaker;
mod contract;
mod deadline;
#[cfg(feature = "decompression")]
mod decompression;
mod errors;
mod fused;
mod idempotency;
mod outbound;
mod rate_limit;
mod request_id;
mod support;
mod trace;
mod trace_cases;
mod verify;
