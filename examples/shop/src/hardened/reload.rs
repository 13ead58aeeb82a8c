//! What of `shop.toml` can change while requests are served.

use std::error::Error;

use seawall_ratelimit::{BoxStore, ConfigError, Policy};
use seawall_web::config::{self, KeyPart, LimitConfig, SeawallConfig};
use seawall_web::limits::RateLimits;
use seawall_web::request::KeyBy;

use crate::config::Config;
use crate::state::AppState;
use crate::store::Stores;

/// Changes the quotas, the total deadline and the bounds of bodies. Everything else takes a restart.
#[derive(Clone, Debug)]
pub struct Reload {
    /// Of what guards all routes.
    pub(super) api: config::Reload<BoxStore>,
    pub(super) routes: Vec<Counted>,
    pub(super) namespace: String,
}

impl Reload {
    /// Puts this configuration in the place of what is in force; all of it, or nothing.
    ///
    /// # Errors
    ///
    /// When it cannot be used, or differs in what takes a restart.
    pub fn apply(&self, config: &Config) -> Result<(), Box<dyn Error>> {
        let routes = self.routes.iter().map(|route| {
            let policies = (route.policies)(config)?;
            route.limits.adjusted(policies)
        });
        let routes = routes.collect::<Result<Vec<_>, _>>()?;
        self.api.apply(&guards(config, &self.namespace))?;
        for route in routes {
            route.commit();
        }
        Ok(())
    }
}

/// The limits of one route, and how they follow from the configuration.
#[derive(Clone, Debug)]
pub(super) struct Counted {
    pub(super) limits: RateLimits<BoxStore>,
    policies: PoliciesOf,
}

pub(super) type PoliciesOf = fn(&Config) -> Result<Vec<Policy>, ConfigError>;

impl Counted {
    /// Limits by these keys, one for each policy.
    pub(super) fn new(
        state: &AppState,
        stores: &Stores,
        policies: PoliciesOf,
        keys: impl IntoIterator<Item = KeyBy>,
    ) -> Result<Self, ConfigError> {
        let limits = RateLimits::builder(stores.limits.clone())
            .namespace(&stores.namespace)
            .observer(state.telemetry.observer());
        let limits = policies(&state.config)?
            .into_iter()
            .zip(keys)
            .fold(limits, |limits, (policy, key)| limits.limit(policy, key));
        Ok(Self {
            limits: limits.build()?,
            policies,
        })
    }
}

pub(super) fn expensive(config: &Config) -> Result<Vec<Policy>, ConfigError> {
    let quota = config.limits.expensive_operation.quota();
    let lost = config.limits.on_store_error.expensive_operation;
    Ok(vec![Policy::new("expensive", quota)?.on_store_error(lost)])
}

pub(super) fn email(config: &Config) -> Result<Vec<Policy>, ConfigError> {
    let quota = config.limits.send_email.quota();
    let lost = config.limits.on_store_error.send_email;
    Ok(vec![Policy::new("email", quota)?.on_store_error(lost)])
}

/// By project, and by address where that is given.
pub(super) fn builds(config: &Config) -> Result<Vec<Policy>, ConfigError> {
    let lost = config.limits.on_store_error.builds;
    let by_project = Policy::new("builds", config.limits.builds.quota())?.on_store_error(lost);
    let mut policies = vec![by_project];
    if let Some(quota) = &config.limits.builds_by_address {
        policies.push(Policy::new("builds-address", quota.quota())?.on_store_error(lost));
    }
    Ok(policies)
}

/// What guards all of `/api`.
pub(super) fn guards(config: &Config, namespace: &str) -> SeawallConfig {
    let mut guards = SeawallConfig::default();
    namespace.clone_into(&mut guards.namespace);
    guards.deadline = config.deadlines.total.get();
    guards.body.limit = config.body_limit;
    guards.body.read_within = config.server.body_timeout.get();
    guards.proxies.trusted = (config.trusted_proxies.iter())
        .map(ToString::to_string)
        .collect();
    guards.budgets = !config.trusted_proxies.is_empty();
    let mut address = LimitConfig::new(config.limits.api.quota(), [KeyPart::Address]);
    address.on_store_error = config.limits.on_store_error.api;
    guards.limits.insert("address".to_owned(), address);
    guards
}
