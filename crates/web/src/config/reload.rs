//! A configuration that takes another one's place while requests are served.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use seawall_ratelimit::{Policy, Store};

use super::{BodyConfig, ConfigError, SeawallConfig};
use crate::limits::{Adjusted, RateLimits};

/// Changes deadline, body limits and rate limits of a running service.
///
/// The `Seawall` of a framework's crate gives it away. Clones change the same service, on all of its
/// threads. What has been spent stays spent: a caller who spent half of a quota by the hour has spent
/// half of the new one.
pub struct Reload<S> {
    shared: Arc<Shared<S>>,
}

struct Shared<S> {
    limits: Vec<RateLimits<S>>,
    bounds: Box<SetBounds>,
    current: Mutex<SeawallConfig>,
}

type SetBounds = dyn Fn(Duration, BodyConfig) + Send + Sync;

impl<S> Reload<S> {
    /// For adapters: what is in force, the limits made from it, and what changes deadline and body
    /// limits from the next request on.
    pub fn new(
        current: SeawallConfig,
        limits: impl IntoIterator<Item = RateLimits<S>>,
        bounds: impl Fn(Duration, BodyConfig) + Send + Sync + 'static,
    ) -> Self {
        Self {
            shared: Arc::new(Shared {
                limits: limits.into_iter().collect(),
                bounds: Box::new(bounds),
                current: Mutex::new(current),
            }),
        }
    }

    /// What is in force.
    #[must_use]
    pub fn current(&self) -> SeawallConfig {
        let current = self.shared.current.lock();
        current.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl<S: Store + Clone> Reload<S> {
    /// Puts `next` in the place of what is in force: for every request that begins when this has
    /// returned. One that is on its way meanwhile may meet a part of either.
    ///
    /// Deadline, body limit and read deadline can change, and of each limit its quota, cost, mode,
    /// penalty, what counts and what happens without the store. Limits that the builder was given
    /// beside a configuration stay as they are.
    ///
    /// # Errors
    ///
    /// When `next` cannot work, or differs in what takes a restart: the error names the key. Then
    /// nothing has changed.
    pub fn apply(&self, next: &SeawallConfig) -> Result<(), ConfigError> {
        let shared = &*self.shared;
        let mut current = (shared.current.lock()).unwrap_or_else(PoisonError::into_inner);
        current.check_change(next)?;
        // All of it is made before any of it is used.
        let adjusted = (shared.limits.iter())
            .map(|limits| adjust(limits, next))
            .collect::<Result<Vec<_>, _>>()?;
        (shared.bounds)(next.deadline, next.body);
        adjusted.into_iter().for_each(Adjusted::commit);
        current.clone_from(next);
        Ok(())
    }
}

fn adjust<S: Store + Clone>(
    limits: &RateLimits<S>,
    next: &SeawallConfig,
) -> Result<Adjusted<S>, ConfigError> {
    let policy = |policy: &Policy| {
        let name = policy.name().as_str();
        match next.limits.get(name) {
            Some(limit) => limit.policy(name),
            None => Ok(policy.clone()),
        }
    };
    let policies = limits.policies();
    let policies: Vec<_> = (policies.policies().iter())
        .map(policy)
        .collect::<Result<_, _>>()?;
    Ok(limits.adjusted(policies)?)
}

impl<S> Clone for Reload<S> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
        }
    }
}

impl<S> fmt::Debug for Reload<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reload").finish_non_exhaustive()
    }
}
