//! What users of the layers rely on.

#![allow(clippy::unwrap_used, reason = "tests")]

mod body_limit;
mod canary;
mod contract;
mod deadline;
mod errors;
mod outbound;
mod rate_limit;
mod request_id;
mod support;
mod trace;
mod trace_cases;
