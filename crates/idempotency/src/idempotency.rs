//! The front: one store, one policy, and whoever asks.

use std::fmt;
use std::future::Future;
use std::hash::{BuildHasher, RandomState};
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::answer::{Finished, Refused, Run, RunError};
use crate::builder::IdempotencyBuilder;
use crate::cipher::Cipher;
use crate::claim::Claim;
use crate::clock::{tokio_now, unix_nanos};
use crate::config_error::ConfigError;
use crate::fingerprint::Fingerprint;
use crate::held::Held;
use crate::observer::{Event, Observer};
use crate::operation::{Operation, Pepper, RecordId};
use crate::outcome::Outcome;
use crate::policy::Policy;
use crate::seal::Seal;
use crate::store::{Nonce, Reserve, Reserved, Store, StoreFailure, Token, Wait};
use crate::waiters::{Place, Waiters};

/// Runs work once for each key, and answers duplicates with what came of it.
///
/// Clones share the store, the waiters and the policy; [`with_policy`](Self::with_policy) shares all
/// but the last. It needs a tokio runtime with time wherever work takes time or duplicates wait.
///
/// # Examples
///
/// ```
/// use seawall_idempotency::{Idempotency, IdempotencyKey, MemoryStore, Outcome, Policy, Run};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let idempotency = Idempotency::new(MemoryStore::new(), Policy::at_most_once())?;
/// let key = IdempotencyKey::new("order-17")?;
/// let ship = async || {
///     idempotency
///         .run(&key, b"17", |claim| async move {
///             let parcel = claim.downstream_key("parcel");
///             Ok::<_, std::io::Error>(Outcome::new(parcel))
///         })
///         .await
/// };
/// let first = ship().await?;
/// let again = ship().await?;
/// assert!(matches!(first, Run::Executed(_)) && matches!(again, Run::Replayed(_)));
/// assert_eq!(first.outcome(), again.outcome());
/// # Ok(())
/// # }
/// ```
pub struct Idempotency<S> {
    inner: Arc<Inner<S>>,
    policy: Arc<Policy>,
}

pub(crate) struct Inner<S> {
    pub(crate) store: S,
    pub(crate) namespace: Box<str>,
    pub(crate) pepper: Option<Pepper>,
    pub(crate) cipher: Option<Arc<dyn Cipher>>,
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) waiters: Waiters,
    seed: RandomState,
    nonces: AtomicU64,
}

/// Is what [`Idempotency::begin`] comes to.
#[derive(Debug)]
#[must_use]
#[non_exhaustive]
pub enum Begun<S: Store> {
    /// The work is to be done.
    Claimed(Held<S>),
    /// It has been done, with this outcome.
    Replay(Outcome),
    /// It is not to be done.
    Refused(Refused),
}

impl<S: Store> Idempotency<S> {
    /// Makes a front with every setting at its default.
    ///
    /// # Errors
    ///
    /// Fails when the policy cannot work.
    pub fn new(store: S, policy: Policy) -> Result<Self, ConfigError> {
        Self::builder(store, policy).build()
    }

    /// Starts with every setting at its default.
    pub fn builder(store: S, policy: Policy) -> IdempotencyBuilder<S> {
        IdempotencyBuilder::new(store, policy)
    }

    pub(crate) fn make(settings: IdempotencyBuilder<S>) -> Result<Self, ConfigError> {
        settings.policy.check()?;
        if settings.store.caps().largest < crate::Caps::ALWAYS_FITS {
            return Err(ConfigError::new("store", "room for payloads of 128 bytes"));
        }
        Ok(Self {
            inner: Arc::new(Inner {
                store: settings.store,
                namespace: settings.namespace,
                pepper: settings.pepper,
                cipher: settings.cipher,
                observer: settings.observer,
                waiters: Waiters::new(settings.waiters, settings.waiters_per_key),
                seed: RandomState::new(),
                nonces: AtomicU64::new(0),
            }),
            policy: Arc::new(settings.policy),
        })
    }

    /// Returns the same front with another policy, as for another route.
    ///
    /// # Errors
    ///
    /// Fails when the policy cannot work.
    pub fn with_policy(&self, policy: Policy) -> Result<Self, ConfigError> {
        policy.check()?;
        Ok(Self {
            inner: Arc::clone(&self.inner),
            policy: Arc::new(policy),
        })
    }

    /// Returns the policy.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Returns the store.
    #[must_use]
    pub fn store(&self) -> &S {
        &self.inner.store
    }

    /// Does the work if it has not been done. `key` is an [`IdempotencyKey`](crate::IdempotencyKey),
    /// or an [`Operation`] that also says what is done and for whom; `payload` is what is asked for,
    /// and a key that comes with another one is refused.
    ///
    /// The lease is renewed while the work goes on. If it panics, that is settled as a failure and
    /// the panic goes on.
    ///
    /// # Errors
    ///
    /// Fails when the work does, and when the store does before anything was done.
    ///
    /// # Cancel safety
    ///
    /// Dropped before the work has begun, it leaves no record; over a remote store, it may leave one
    /// until the lease has run out. Dropped later, the outcome is unknown: at once in memory, and
    /// after the lease elsewhere. Spawn it where callers leave.
    pub async fn run<'k, F, W, E>(
        &self,
        key: impl Into<Operation<'k>>,
        payload: &[u8],
        work: F,
    ) -> Result<Run, RunError<E>>
    where
        F: FnOnce(Claim) -> W,
        W: Future<Output = Result<Outcome, E>>,
    {
        let begun = self.begin(key, Fingerprint::of(payload));
        let mut held = match begun.await.map_err(RunError::Store)? {
            Begun::Claimed(held) => held,
            Begun::Replay(outcome) => return Ok(Run::Replayed(outcome)),
            Begun::Refused(refused) => return Ok(Run::Refused(refused)),
        };
        let claim = held.claim().clone();
        // Within a future, so that a panic of `work` itself is caught as well.
        let result = held.execute(async move { work(claim).await }).await;
        match result {
            Ok(Ok(outcome)) => Ok(match held.finish(&outcome).await {
                Finished::Completed(stored) => Run::Executed(stored),
                Finished::Superseded(stored) => Run::Replayed(stored),
                Finished::Refused(refused) => Run::Refused(refused),
                _ => Run::Executed(outcome),
            }),
            Ok(Err(error)) => match held.fail().await {
                // By a transaction within the work, before it failed.
                Finished::Completed(stored) => Ok(Run::Executed(stored)),
                Finished::Superseded(stored) => Ok(Run::Replayed(stored)),
                _ => Err(RunError::Work(error)),
            },
            Err(panic) => {
                let _ = held.fail().await;
                resume_unwind(panic)
            }
        }
    }

    /// Finds out whether there is work to do: the first half of [`run`](Self::run), for layers that
    /// do the other half elsewhere.
    ///
    /// # Errors
    ///
    /// Fails when the store does, unless the policy is [`OnOutage::Open`](crate::OnOutage::Open) and
    /// the store did not answer; and when what is stored cannot be read.
    ///
    /// # Cancel safety
    ///
    /// As [`run`](Self::run).
    pub async fn begin<'k>(
        &self,
        operation: impl Into<Operation<'k>>,
        fingerprint: Fingerprint,
    ) -> Result<Begun<S>, StoreFailure> {
        let ask = self.ask(operation.into(), fingerprint);
        let mut patience = None;
        loop {
            let left = match self.inner.reserve(ask).await {
                Ok(Reserved::InProgress { lease_left }) => lease_left,
                answer => return self.begun(ask, answer),
            };
            let waits = self.wait(&mut patience, ask.id, left).await;
            if !waits {
                return Ok(self.refuse(Refused::InProgress { retry_after: left }));
            }
        }
    }

    /// As [`begin`](Self::begin), where the store answers at once and nothing has to be waited for;
    /// `None` otherwise, and then nothing has happened.
    ///
    /// # Errors
    ///
    /// As [`begin`](Self::begin).
    pub fn begin_now<'k>(
        &self,
        operation: impl Into<Operation<'k>>,
        fingerprint: Fingerprint,
    ) -> Option<Result<Begun<S>, StoreFailure>> {
        let ask = self.ask(operation.into(), fingerprint);
        match self.inner.store.reserve_now(ask)?.map_err(Into::into) {
            // Whoever waits asks again.
            Ok(Reserved::InProgress { .. }) if self.policy.patience().is_some() => None,
            Ok(Reserved::InProgress { lease_left }) => Some(Ok(self.refuse(Refused::InProgress {
                retry_after: lease_left,
            }))),
            answer => {
                if let Err(failure) = &answer {
                    self.inner.failed("reserve", failure);
                }
                Some(self.begun(ask, answer))
            }
        }
    }

    fn ask(&self, operation: Operation<'_>, fingerprint: Fingerprint) -> Reserve {
        let inner = &*self.inner;
        let id = operation.record_id(&inner.namespace, inner.pepper.as_ref());
        Reserve::new(id, fingerprint, self.nonce())
            .lease(self.policy.lease_length())
            .retention(self.policy.kept_for())
            .on_lapse(self.policy.on_lapse())
    }

    /// What an answer of the store comes to.
    fn begun(
        &self,
        ask: Reserve,
        answer: Result<Reserved, StoreFailure>,
    ) -> Result<Begun<S>, StoreFailure> {
        let observer = &self.inner.observer;
        Ok(match answer {
            Err(failure) => return self.without_store(ask, failure),
            Ok(Reserved::Acquired { fence, attempt }) => {
                observer.observe(Event::Begun { attempt });
                let token = Token::new(ask.id, fence, ask.nonce);
                Begun::Claimed(self.held(token, attempt, true, ask))
            }
            Ok(Reserved::Completed(payload)) => {
                let outcome = self.seal().open(&ask.id, payload)?;
                observer.observe(Event::Replayed);
                Begun::Replay(outcome)
            }
            Ok(Reserved::InProgress { lease_left }) => self.refuse(Refused::InProgress {
                retry_after: lease_left,
            }),
            Ok(Reserved::Mismatch) => self.refuse(Refused::Mismatch),
            Ok(Reserved::Unknown { attempt }) => self.refuse(Refused::OutcomeUnknown { attempt }),
            Ok(Reserved::Full) => self.refuse(Refused::Full),
        })
    }

    /// Waits for a change of a record in flight, or returns that there is no waiting (any longer).
    async fn wait<'s>(
        &'s self,
        patience: &mut Option<Patience<'s>>,
        id: RecordId,
        lease_left: Duration,
    ) -> bool {
        let Some(most) = self.policy.patience() else {
            return false;
        };
        if patience.is_none() {
            let Some(place) = self.inner.waiters.enter(id) else {
                return false;
            };
            self.inner.observer.observe(Event::Waiting);
            *patience = Some(Patience {
                until: tokio_now() + most.min(LONGEST_WAIT),
                pause: FIRST_PAUSE,
                _place: place,
            });
        }
        let Some(waiting) = patience else {
            return false;
        };
        let left = waiting.until.saturating_duration_since(tokio_now());
        if left.is_zero() {
            return false;
        }
        let wait = Wait::new(waiting.pause.min(left), lease_left.min(left));
        waiting.pause = (waiting.pause * 2).min(LAST_PAUSE);
        self.inner.store.changed(id, wait).await;
        true
    }

    fn without_store(&self, ask: Reserve, failure: StoreFailure) -> Result<Begun<S>, StoreFailure> {
        if !self.policy.fails_open() || !failure.is_unavailable() {
            return Err(failure);
        }
        self.inner.observer.observe(Event::FailedOpen);
        // A fence that no record has.
        let token = Token::new(ask.id, 0, ask.nonce);
        Ok(Begun::Claimed(self.held(token, 1, false, ask)))
    }

    fn refuse(&self, refused: Refused) -> Begun<S> {
        self.inner.observer.observe(Event::Refused(&refused));
        Begun::Refused(refused)
    }

    fn held(&self, token: Token, attempt: u32, is_protected: bool, ask: Reserve) -> Held<S> {
        let claim = Claim::new(token, attempt, is_protected, self.seal());
        Held::new(
            Arc::clone(&self.inner),
            Arc::clone(&self.policy),
            claim,
            ask,
        )
    }

    fn seal(&self) -> Seal {
        Seal {
            policy: Arc::clone(&self.policy),
            cipher: self.inner.cipher.clone(),
            largest: self.inner.store.caps().largest,
        }
    }

    fn nonce(&self) -> Nonce {
        // SipHash of a counter and the time, keyed by the operating system's random numbers: no two of
        // a process are alike but by accident, and nobody else knows the key. The time is for processes
        // that go on from one memory, after a fork or from a snapshot of a machine: they share key and
        // counter, and would be taken for one owner that asks again.
        let count = self.inner.nonces.fetch_add(1, Ordering::Relaxed);
        Nonce::from_u64(self.inner.seed.hash_one((count, unix_nanos())))
    }
}

impl<S: Store> Inner<S> {
    /// Reserves; a reply that was lost is asked for once more, by the same nonce.
    pub(crate) async fn reserve(&self, ask: Reserve) -> Result<Reserved, StoreFailure> {
        match self.store.reserve(ask).await.map_err(Into::into) {
            Err(failure) if StoreFailure::is_unavailable(&failure) => {
                self.failed("reserve", &failure);
                self.store.reserve(ask).await.map_err(|error| {
                    let failure = error.into();
                    self.failed("reserve", &failure);
                    failure
                })
            }
            Err(failure) => {
                self.failed("reserve", &failure);
                Err(failure)
            }
            Ok(answer) => Ok(answer),
        }
    }
}

impl<S> Inner<S> {
    pub(crate) fn failed(&self, step: &'static str, failure: &StoreFailure) {
        self.observer.observe(Event::StoreFailed { step, failure });
    }
}

impl<S> Clone for Idempotency<S> {
    fn clone(&self) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
            policy: Arc::clone(&self.policy),
        }
    }
}

impl<S> fmt::Debug for Idempotency<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Idempotency")
            .field("namespace", &self.inner.namespace)
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

/// One duplicate that waits.
struct Patience<'s> {
    until: tokio::time::Instant,
    pause: Duration,
    _place: Place<'s>,
}

/// For stores that do not hear of changes: often at first, as most work is short.
const FIRST_PAUSE: Duration = Duration::from_millis(10);

const LAST_PAUSE: Duration = Duration::from_millis(250);

/// A moment that far away still is one.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 60 * 60);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::MemoryStore;

    #[test]
    fn a_twin_that_goes_on_from_the_same_memory_is_another_owner() {
        let front = Idempotency::new(MemoryStore::new(), Policy::at_most_once()).unwrap();
        let one = front.nonce();
        front.inner.nonces.store(0, Ordering::Relaxed);
        assert_ne!(front.nonce(), one);
    }
}
