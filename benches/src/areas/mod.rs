//! The areas, a module each. A new one is added to [`all`], to `Cargo.toml` and to `bars.toml`.

mod actix;
pub mod breaker;
pub mod errors;
pub mod framework;
pub mod harness;
pub mod idempotency;
pub mod postgres;
pub mod ratelimit;
mod shop;
pub mod signing;
pub mod telemetry;
pub mod timeout;
pub mod validate;

use crate::area::Area;

/// Every area, in the order in which `compare` measures them.
#[must_use]
pub fn all() -> Vec<Area> {
    vec![
        harness::area(),
        ratelimit::area(),
        breaker::area(),
        timeout::area(),
        errors::area(),
        signing::area(),
        idempotency::area(),
        framework::area(),
        validate::area(),
        postgres::area(),
        telemetry::area(),
    ]
}
