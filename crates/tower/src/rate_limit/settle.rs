//! Gives back what policies charged for a response that they do not count.

use std::pin::Pin;

use seawall_ratelimit::{Decision, Store};
use seawall_web::limits::{Keys, RateLimits};

/// Kept only where a policy does not count every response.
pub(crate) struct Settle<S> {
    limits: RateLimits<S>,
    keys: Keys,
}

pub(crate) type Wait<T> = Pin<Box<dyn Future<Output = T> + Send>>;

impl<S: Store> Settle<S> {
    pub(crate) fn boxed(limits: &RateLimits<S>, keys: Keys) -> Box<Self> {
        let limits = limits.clone();
        Box::new(Self { limits, keys })
    }

    pub(crate) fn start(self, decision: Decision, status: u16) -> Wait<()> {
        Box::pin(async move {
            self.limits.settle(&self.keys, &decision, status).await;
        })
    }
}
