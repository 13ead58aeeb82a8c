//! Puts policies together, and exchanges them while they are in use.

use std::fmt;
use std::sync::Arc;

use super::{Policies, Shared};
use crate::error::ConfigError;
use crate::observer::Observer;
use crate::policy::{OnStoreError, Policy};
use crate::scope::Scope;
use crate::store::{MemoryStore, Store};

/// Settings of [`Policies`].
#[must_use]
pub struct PoliciesBuilder<S> {
    pub(super) store: S,
    pub(super) namespace: String,
    pub(super) policies: Vec<Policy>,
    pub(super) local: Option<MemoryStore>,
    pub(super) observer: Option<Arc<dyn Observer>>,
}

impl<S: Store> PoliciesBuilder<S> {
    /// Keeps these policies apart from others in the same store. Default: empty.
    pub fn namespace(self, namespace: impl Into<String>) -> Self {
        Self {
            namespace: namespace.into(),
            ..self
        }
    }

    /// Adds a policy.
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policies.push(policy);
        self
    }

    /// The store of policies with [`OnStoreError::Local`]. Default: a [`MemoryStore`] of the default
    /// capacity.
    pub fn local_store(self, store: MemoryStore) -> Self {
        Self {
            local: Some(store),
            ..self
        }
    }

    /// Who is told. Default: nobody.
    pub fn observer(self, observer: impl Observer) -> Self {
        Self {
            observer: Some(Arc::new(observer)),
            ..self
        }
    }

    /// Makes the policies.
    ///
    /// # Errors
    ///
    /// If two policies have one name, or a cost is above the capacity of its quota.
    pub fn build(self) -> Result<Policies<S>, ConfigError> {
        let mut scopes = Vec::with_capacity(self.policies.len());
        for (index, policy) in self.policies.iter().enumerate() {
            policy.validate()?;
            if self.policies[..index]
                .iter()
                .any(|other| other.name() == policy.name())
            {
                let error = ConfigError::new("name", "expected a name that no other policy has");
                return Err(error.of(policy.name().as_str()));
            }
            scopes.push(Scope::new(&self.namespace, policy.name().as_str()));
        }
        Ok(Policies {
            shared: Arc::new(Shared {
                plain: is_plain(self.observer.is_some(), &self.policies),
                store: self.store,
                local: local(self.local, &self.policies),
                policies: self.policies,
                scopes,
                observer: self.observer,
            }),
        })
    }
}

impl<S> fmt::Debug for PoliciesBuilder<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PoliciesBuilder")
            .field("namespace", &self.namespace)
            .field("policies", &self.policies)
            .finish_non_exhaustive()
    }
}

impl<S: Store + Clone> Policies<S> {
    /// These policies with other quotas, costs, modes and rules, over the same store: what has been
    /// spent stays spent.
    ///
    /// By GCRA that is the time until all of a quota is there again: who has spent half of two an hour
    /// has spent half of four an hour.
    ///
    /// For settings that change while a service runs. The names have to be the same in the same order,
    /// since keys are given by place.
    ///
    /// # Errors
    ///
    /// If a name differs, or as for [`PoliciesBuilder::build`].
    ///
    /// # Examples
    ///
    /// ```
    /// use seawall_ratelimit::{KeyBuf, MemoryStore, Policies, Policy, quota};
    ///
    /// let strict = Policies::builder(MemoryStore::default())
    ///     .policy(Policy::new("user", quota!("2/hour"))?)
    ///     .build()?;
    /// let alice = [Some(KeyBuf::new().push("alice"))];
    /// assert!(strict.admit(&alice).is_ok());
    ///
    /// let generous = strict.adjusted([Policy::new("user", quota!("4/hour"))?])?;
    /// assert!(generous.admit(&alice).is_ok());
    /// assert!(generous.admit(&alice).is_ok());
    /// assert!(generous.admit(&alice).is_err());
    /// assert!(strict.adjusted([Policy::new("address", quota!("4/hour"))?]).is_err());
    /// # Ok::<(), seawall_ratelimit::ConfigError>(())
    /// ```
    pub fn adjusted(
        &self,
        policies: impl IntoIterator<Item = Policy>,
    ) -> Result<Self, ConfigError> {
        let old = &*self.shared;
        let policies: Vec<Policy> = policies.into_iter().collect();
        let names = |policies: &[Policy]| -> Vec<_> {
            policies.iter().map(|policy| *policy.name()).collect()
        };
        let (before, after) = (names(&old.policies), names(&policies));
        if before != after {
            let other = before
                .iter()
                .zip(&after)
                .find(|(before, after)| before != after);
            let error = ConfigError::new("name", "expected the same policies in the same order");
            return Err(match other {
                Some((_, name)) => error.of(name.as_str()),
                None => error,
            });
        }
        policies.iter().try_for_each(Policy::validate)?;
        Ok(Self {
            shared: Arc::new(Shared {
                plain: is_plain(old.observer.is_some(), &policies),
                store: old.store.clone(),
                local: local(old.local.clone(), &policies),
                scopes: old.scopes.clone(),
                observer: old.observer.clone(),
                policies,
            }),
        })
    }
}

fn is_plain(observed: bool, policies: &[Policy]) -> bool {
    !observed && policies.iter().all(Policy::is_plain)
}

/// The store of those that count locally, where there are any.
fn local(given: Option<MemoryStore>, policies: &[Policy]) -> Option<MemoryStore> {
    let counts_locally =
        |policy: &Policy| matches!(policy.store_error_rule(), OnStoreError::Local { .. });
    match given {
        None if policies.iter().any(counts_locally) => Some(MemoryStore::default()),
        given => given,
    }
}
