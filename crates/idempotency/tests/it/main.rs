//! What users of the crate rely on.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

#[cfg(feature = "conformance")]
mod conformance;
