//! What a user of the crate could write.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod bodies;
mod bounds;
mod canary;
mod codes;
mod leaks_of_others;
mod negotiation;
mod request_id;
mod trace;
mod types;
mod wire;
