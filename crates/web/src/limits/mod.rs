//! Rate limit policies paired with the keys they count by.

use std::sync::Arc;

use seawall_errors::ApiError;
use seawall_ratelimit::headers::{self, Dialects};
use seawall_ratelimit::{ConfigError, Decision, KeyBuf, Policies, Policy, Store};
use smallvec::SmallVec;

use crate::request::{KeyBy, RequestHead};

/// Rate limits as a service states them: each policy with the key it counts by, decided together.
///
/// All policies of one value are decided in one call of the store and charged all or none.
/// Cloning is cheap and shares the counts.
///
/// # Examples
///
/// ```
/// use seawall_ratelimit::{MemoryStore, Policy, quota};
/// use seawall_web::limits::RateLimits;
/// use seawall_web::request::{ClientIp, KeyBy};
///
/// let limits = RateLimits::builder(MemoryStore::new(10_000))
///     .limit(Policy::new("address", quota!("1000/minute"))?, KeyBy::address(ClientIp::peer()))
///     .limit(Policy::new("project", quota!("20/hour"))?, KeyBy::path_param("project_id"))
///     .build()?;
/// # let _ = limits;
/// # Ok::<(), seawall_ratelimit::ConfigError>(())
/// ```
#[derive(Debug)]
pub struct RateLimits<S> {
    shared: Arc<Shared<S>>,
}

#[derive(Debug)]
struct Shared<S> {
    policies: Policies<S>,
    keys: Box<[KeyBy]>,
    dialects: Dialects,
}

impl<S> Clone for RateLimits<S> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
        }
    }
}

/// The keys of one request, one for each policy; `None` where a policy does not apply.
pub type Keys = SmallVec<[Option<KeyBuf>; 2]>;

impl<S: Store> RateLimits<S> {
    /// Starts from the store that keeps the counts.
    pub fn builder(store: S) -> RateLimitsBuilder<S> {
        RateLimitsBuilder {
            store,
            namespace: String::new(),
            limits: Vec::new(),
            dialects: Dialects::default(),
        }
    }

    /// The policies, in the order in which they were given.
    #[must_use]
    pub fn policies(&self) -> &Policies<S> {
        &self.shared.policies
    }

    /// What each policy counts by, in the same order.
    #[must_use]
    pub fn key_by(&self) -> &[KeyBy] {
        &self.shared.keys
    }

    /// The keys of a request.
    ///
    /// # Errors
    ///
    /// The answer to a request that lacks what a policy counts by, where the policy's key says so.
    pub fn keys(&self, head: &dyn RequestHead) -> Result<Keys, ApiError> {
        self.shared
            .keys
            .iter()
            .map(|key| key.extract(head))
            .collect()
    }

    /// Decides without waiting, where the store can.
    #[must_use]
    pub fn check_now(&self, keys: &Keys) -> Option<Decision> {
        self.shared.policies.check_now(keys)
    }

    /// Decides.
    ///
    /// # Cancel safety
    ///
    /// A dropped call may or may not have charged the policies.
    pub async fn check(&self, keys: &Keys) -> Decision {
        self.shared.policies.check(keys).await
    }

    /// Whether what a decision charged depends on the status of the response: see
    /// [`settle`](Self::settle).
    #[must_use]
    pub fn needs_settling(&self) -> bool {
        self.shared.policies.needs_settling()
    }

    /// Gives back what policies charged for a response that they do not count.
    pub async fn settle(&self, keys: &Keys, decision: &Decision, status: u16) {
        self.shared.policies.settle(keys, decision, status).await;
    }

    /// Gives the headers that tell a caller where it stands to `put`, in the dialects chosen.
    pub fn write_headers(&self, decision: &Decision, put: &mut dyn FnMut(&'static str, &str)) {
        headers::write(decision, self.shared.dialects, put);
    }
}

/// Builds [`RateLimits`].
#[derive(Debug)]
#[must_use]
pub struct RateLimitsBuilder<S> {
    store: S,
    namespace: String,
    limits: Vec<(Policy, KeyBy)>,
    dialects: Dialects,
}

impl<S: Store> RateLimitsBuilder<S> {
    /// Keeps the counts apart from other services on the same store; empty unless told.
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = namespace.into();
        self
    }

    /// Adds a policy and what it counts by.
    pub fn limit(mut self, policy: Policy, key: KeyBy) -> Self {
        self.limits.push((policy, key));
        self
    }

    /// Chooses the header dialects; `X-RateLimit-*` and the IETF fields unless told.
    pub fn dialects(mut self, dialects: Dialects) -> Self {
        self.dialects = dialects;
        self
    }

    /// Builds the limits.
    ///
    /// # Errors
    ///
    /// When the policies are unusable together: none at all, or one name twice.
    pub fn build(self) -> Result<RateLimits<S>, ConfigError> {
        let (policies, keys): (Vec<_>, Vec<_>) = self.limits.into_iter().unzip();
        let builder = Policies::builder(self.store).namespace(self.namespace);
        let policies = policies
            .into_iter()
            .fold(builder, |builder, policy| builder.policy(policy))
            .build()?;
        let shared = Shared {
            policies,
            keys: keys.into(),
            dialects: self.dialects,
        };
        Ok(RateLimits {
            shared: Arc::new(shared),
        })
    }
}
