//! What users of the layers rely on.

#![allow(clippy::unwrap_used, reason = "tests")]

mod body_limit;
mod circuit_breaker;
mod contract;
mod deadline;
mod errors;
mod rate_limit;
mod request_id;
mod support;
mod verify;
