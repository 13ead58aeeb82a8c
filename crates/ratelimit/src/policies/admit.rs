//! Yes or no over memory, without reports: the short way.

use super::Policies;
use crate::decision::Decision;
use crate::key::KeyBuf;
use crate::not_now::NotNow;
use crate::policy::Mode;
use crate::store::{MemoryStore, Plain};

impl Policies<MemoryStore> {
    /// Decides, charges if all policies agree, and says no more than that: what
    /// [`check_now`](Self::check_now) does, without reports. For hot paths that need neither header
    /// fields nor figures.
    ///
    /// # Errors
    ///
    /// If a policy does not agree, with the longest wait; also if the number of keys is wrong.
    ///
    /// # Cost
    ///
    /// Up to eight policies that enforce one quota for all keys by GCRA, without penalty and
    /// observer, are decided on the stack. All others take the way of `check_now`.
    ///
    /// # Examples
    ///
    /// ```
    /// use seawall_ratelimit::{KeyBuf, MemoryStore, Policies, Policy, quota};
    ///
    /// let policies = Policies::builder(MemoryStore::default())
    ///     .policy(Policy::new("address", quota!("1000/minute"))?)
    ///     .policy(Policy::new("login", quota!("1/hour"))?)
    ///     .build()?;
    /// let keys = ["203.0.113.7", "alice"].map(|key| Some(KeyBuf::new().push(key)));
    /// assert!(policies.admit(&keys).is_ok());
    /// let wait = policies.admit(&keys).unwrap_err().retry_after().unwrap();
    /// assert!(wait.as_secs() > 3_500);
    /// # Ok::<(), seawall_ratelimit::ConfigError>(())
    /// ```
    #[inline]
    pub fn admit(&self, keys: &[Option<KeyBuf>]) -> Result<(), NotNow> {
        match self.admit_plain(keys) {
            Some(answer) => answer,
            None => self.admit_at_length(keys),
        }
    }

    /// `None` if these policies need more than the short way, or it did not get to an end.
    #[inline]
    fn admit_plain(&self, keys: &[Option<KeyBuf>]) -> Option<Result<(), NotNow>> {
        let shared = &*self.shared;
        if !shared.plain || keys.len() != shared.policies.len() {
            return None;
        }
        let charges = shared.policies.iter().zip(&shared.scopes).zip(keys);
        shared
            .store
            .admit_all(charges.map(|((policy, scope), key)| {
                let subject = key
                    .as_ref()
                    .filter(|_| policy.current_mode() == Mode::Enforce)?;
                Some(Plain {
                    scope,
                    subject: subject.as_ref(),
                    quota: policy.quota(),
                    cost: policy.unit_cost(),
                })
            }))
    }

    #[cold]
    fn admit_at_length(&self, keys: &[Option<KeyBuf>]) -> Result<(), NotNow> {
        match self.check_now(keys) {
            Some(Decision::Allow(_)) => Ok(()),
            Some(Decision::Deny(denied)) => Err(NotNow::after(denied.retry_after())),
            // Memory answers at once; if it did not, that would not open the gate.
            None => Err(NotNow::after(None)),
        }
    }
}
