//! What a user could write against the crate, and the whole of its threat model.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

#[cfg(feature = "conformance")]
mod conformance;
#[cfg(all(feature = "ed25519", feature = "http-signatures"))]
mod differential;
#[cfg(feature = "http-signatures")]
mod http_signatures;
mod keys;
mod observers;
mod properties;
mod replay;
mod round_trips;
mod support;
mod template;
mod threats;
mod timing;
mod types;
mod wycheproof;
