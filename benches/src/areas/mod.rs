//! The areas, a module each. A new one is added to [`all`], to `Cargo.toml` and to `bars.toml`.

pub mod breaker;
pub mod errors;
pub mod harness;
pub mod ratelimit;
pub mod signing;
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
        validate::area(),
    ]
}
