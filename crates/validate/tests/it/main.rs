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
    feature = "jiff",
    feature = "regex",
    feature = "unicode",
    feature = "url"
))]
mod guide;
#[cfg(feature = "jiff")]
mod moments;
mod properties;
mod rules;
mod schema;
mod shapes;
