//! Which components decide about traffic.

use std::sync::Arc;

use seawall_health::{Check, ConfigError, Health};

use crate::config::Config;
use crate::domain::Component;
use crate::state::AppState;

/// Watches every component.
///
/// Only the database is critical: without it hardly a route works. Everything else is missed by some
/// routes, which say so themselves, and taking the whole service out of traffic for it would be worse
/// than the outage. The search index has to have answered once before the service counts as started.
pub(super) fn health(state: &AppState, config: &Config) -> Result<Health, ConfigError> {
    let checks = Component::ALL.into_iter().map(|component| {
        let shop = Arc::clone(&state.shop);
        let ping = move || {
            let shop = Arc::clone(&shop);
            async move { shop.components().ping(component).await }
        };
        let check = Check::new(component.name(), ping)
            .every(config.health.every.get())
            .timeout(config.health.timeout.get())
            .fail_after(config.health.fail_after);
        match component {
            Component::Database => check.critical(),
            Component::Search => check.optional().startup(),
            _ => check.optional(),
        }
    });
    checks
        .fold(Health::builder(), |health, check| health.check(check))
        .service("shop", env!("CARGO_PKG_VERSION"))
        .build()
}
