//! What a user can write.
#![allow(
    clippy::unwrap_used,
    missing_docs,
    missing_debug_implementations,
    reason = "tests"
)]

mod article;
#[cfg(all(
    feature = "idna",
    feature = "regex",
    feature = "unicode",
    feature = "url"
))]
mod guide;
mod properties;
mod rules;
mod schema;
mod shapes;
