//! Rate limit policies paired with the keys they count by.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::ArcSwap;
use seawall_errors::ApiError;
use seawall_ratelimit::headers::{self, Dialects};
use seawall_ratelimit::{ConfigError, Decision, KeyBuf, Observer, Policies, Policy, Store};
use smallvec::SmallVec;

use crate::request::{KeyBy, RequestHead};

mod watch;

pub use watch::{Suspicion, Watch};

/// Rate limits as a service states them: each policy with the key it counts by, decided together.
///
/// All policies of one value are decided in one call of the store and charged all or none.
/// Cloning is cheap and shares the counts, and what is [adjusted](Self::adjusted) later.
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
    policies: ArcSwap<Policies<S>>,
    /// What the policies say, kept beside them: it is asked for every request.
    settles: AtomicBool,
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
            observer: None,
        }
    }

    /// The policies as they are now, in the order in which they were given.
    #[must_use]
    pub fn policies(&self) -> Policies<S> {
        Policies::clone(&self.shared.policies.load())
    }

    /// Prepares other quotas, modes and rules for the same policies, by name and in the same order;
    /// nothing changes before they are [committed](Adjusted::commit). What has been spent stays
    /// spent.
    ///
    /// # Errors
    ///
    /// As for [`Policies::adjusted`].
    pub fn adjusted(
        &self,
        policies: impl IntoIterator<Item = Policy>,
    ) -> Result<Adjusted<S>, ConfigError>
    where
        S: Clone,
    {
        Ok(Adjusted {
            policies: self.shared.policies.load().adjusted(policies)?,
            limits: self.clone(),
        })
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
    pub fn keys(&self, head: &(impl RequestHead + ?Sized)) -> Result<Keys, ApiError> {
        let mut keys = Keys::new();
        self.read_keys(head, &mut keys)?;
        Ok(keys)
    }

    /// The same, written where they stay: what moves them about costs as much as reading them.
    ///
    /// # Errors
    ///
    /// As for [`keys`](Self::keys); `keys` is then of no use.
    #[inline]
    pub fn read_keys(
        &self,
        head: &(impl RequestHead + ?Sized),
        keys: &mut Keys,
    ) -> Result<(), ApiError> {
        for by in &self.shared.keys {
            keys.push(Some(KeyBuf::new()));
            if let Some(key) = keys.last_mut()
                && !by.append(head, key.get_or_insert_default())?
            {
                *key = None;
            }
        }
        Ok(())
    }

    /// Decides without waiting, where the store can.
    #[must_use]
    #[inline]
    pub fn check_now(&self, keys: &Keys) -> Option<Decision> {
        self.shared.policies.load().check_now(keys)
    }

    /// Decides.
    ///
    /// # Cancel safety
    ///
    /// A dropped call may or may not have charged the policies.
    pub async fn check(&self, keys: &Keys) -> Decision {
        // Held while the store is asked, so not by a guard.
        self.policies().check(keys).await
    }

    /// Whether what a decision charged depends on the status of the response: see
    /// [`settle`](Self::settle).
    #[must_use]
    pub fn needs_settling(&self) -> bool {
        // Relaxed: an answer of the moment before or after a change is as good.
        self.shared.settles.load(Ordering::Relaxed)
    }

    /// Gives back what policies charged for a response that they do not count.
    pub async fn settle(&self, keys: &Keys, decision: &Decision, status: u16) {
        self.policies().settle(keys, decision, status).await;
    }

    /// The header dialects.
    #[must_use]
    pub fn dialects(&self) -> Dialects {
        self.shared.dialects
    }

    /// Gives the headers that tell a caller where it stands to `put`, in the dialects chosen.
    pub fn write_headers(&self, decision: &Decision, put: &mut dyn FnMut(&'static str, &str)) {
        headers::write(decision, self.shared.dialects, put);
    }
}

/// What [`RateLimits`] will be once it is committed.
#[derive(Debug)]
#[must_use = "nothing changes before it is committed"]
pub struct Adjusted<S> {
    limits: RateLimits<S>,
    policies: Policies<S>,
}

impl<S: Store> Adjusted<S> {
    /// Makes it so, for all clones, from the next decision on.
    pub fn commit(self) {
        let settles = self.policies.needs_settling();
        let shared = &self.limits.shared;
        shared.policies.store(Arc::new(self.policies));
        shared.settles.store(settles, Ordering::Relaxed);
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
    observer: Option<Arc<dyn Observer>>,
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

    /// Tells this observer every decision. Default: nobody.
    pub fn observer(mut self, observer: impl Observer) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// Builds the limits.
    ///
    /// # Errors
    ///
    /// When the policies are unusable together: none at all, or one name twice.
    pub fn build(self) -> Result<RateLimits<S>, ConfigError> {
        let (policies, keys): (Vec<_>, Vec<_>) = self.limits.into_iter().unzip();
        let mut builder = Policies::builder(self.store).namespace(self.namespace);
        if let Some(observer) = self.observer {
            builder = builder.observer(observer);
        }
        let policies = policies
            .into_iter()
            .fold(builder, |builder, policy| builder.policy(policy))
            .build()?;
        let shared = Shared {
            settles: AtomicBool::new(policies.needs_settling()),
            policies: ArcSwap::from_pointee(policies),
            keys: keys.into(),
            dialects: self.dialects,
        };
        Ok(RateLimits {
            shared: Arc::new(shared),
        })
    }
}
