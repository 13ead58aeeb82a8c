//! Which components decide about traffic.

use std::sync::Arc;

use seawall_health::{Check, ConfigError, Health};

use crate::config::Config;
use crate::domain::Component;
use crate::state::AppState;
use crate::store::Probe;

/// Watches every component.
///
/// Only the database is critical: without it hardly a route works. Everything else is missed by some
/// routes, which say so themselves, and taking the whole service out of traffic for it would be worse
/// than the outage. That goes for the store as well, which all replicas share: what its absence means is
/// said by each limit, and no load balancer should say it for all of them. The search index has to have answered once before the service counts as started.
pub(super) fn health(
    state: &AppState,
    config: &Config,
    store: Option<&Probe>,
) -> Result<Health, ConfigError> {
    let checks = Component::ALL.into_iter().map(|component| {
        let shop = Arc::clone(&state.shop);
        let ping = move || {
            let shop = Arc::clone(&shop);
            async move { shop.components().ping(component).await }
        };
        let check = paced(Check::new(component.name(), ping), config);
        match component {
            Component::Database => check.critical(),
            Component::Search => check.optional().startup(),
            _ => check.optional(),
        }
    });
    let store = store.map(|probe| {
        let probe = probe.clone();
        let ask = move || {
            let probe = probe.clone();
            async move { probe.ask().await }
        };
        paced(Check::new("store", ask), config).optional()
    });
    checks
        .chain(store)
        .fold(Health::builder(), |health, check| health.check(check))
        .observer(state.telemetry.observer())
        .service("shop", env!("CARGO_PKG_VERSION"))
        .build()
}

fn paced(check: Check, config: &Config) -> Check {
    check
        .every(config.health.every.get())
        .timeout(config.health.timeout.get())
        .fail_after(config.health.fail_after)
}
