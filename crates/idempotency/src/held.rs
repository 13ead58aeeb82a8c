//! A record that is owned: its work is done, its lease renewed, and in the end it is settled.

use std::fmt;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::thread;
use std::time::Duration;

use crate::answer::{Finished, Refused};
use crate::claim::Claim;
use crate::clock::tokio_now;
use crate::idempotency::Inner;
use crate::observer::Event;
use crate::outcome::Outcome;
use crate::policy::{Keep, Policy};
use crate::seal::SealError;
use crate::store::{Completion, Lost, OnLapse, Reserve, Reserved, Settled, Store, StoreFailure};

/// Owns the record of work that is to be done.
///
/// # Dropping
///
/// Dropped before [`execute`](Self::execute), it forgets the record; later, it gives the lease up,
/// so that the policy decides about the next request. A store that has to be waited for cannot be
/// told by a drop: the lease runs out there.
#[must_use = "dropping it gives the record up"]
pub struct Held<S: Store> {
    inner: Arc<Inner<S>>,
    policy: Arc<Policy>,
    claim: Claim,
    ask: Reserve,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Idle,
    Begun,
    Settled,
}

/// One way to settle.
#[derive(Clone, Copy)]
enum Step<'a> {
    Complete(&'a Completion),
    Release,
    GiveUp,
}

impl Step<'_> {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Complete(_) => "complete",
            Self::Release => "release",
            Self::GiveUp => "renew",
        }
    }
}

impl<S: Store> Held<S> {
    pub(crate) fn new(
        inner: Arc<Inner<S>>,
        policy: Arc<Policy>,
        claim: Claim,
        ask: Reserve,
    ) -> Self {
        Self {
            inner,
            policy,
            claim,
            ask,
            state: State::Idle,
        }
    }

    /// Returns what the work is to be given.
    #[must_use]
    pub fn claim(&self) -> &Claim {
        &self.claim
    }

    /// Does the work, and renews the lease while it goes on, up to the policy's longest. A panic is
    /// returned and not passed on, so that it can be settled with [`fail`](Self::fail).
    ///
    /// # Errors
    ///
    /// Returns the panic of the work.
    ///
    /// # Panics
    ///
    /// Panics without a tokio runtime with time, if the work is not done at once.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops the work. Whoever still has the `Held` can settle it.
    pub async fn execute<W: Future>(&mut self, work: W) -> thread::Result<W::Output> {
        self.state = State::Begun;
        let mut work = pin!(work);
        let mut renewal = pin!(renew(&*self.inner, &self.policy, &self.claim));
        let mut is_renewed = self.claim.is_protected();
        poll_fn(|context| {
            // The work is not looked at again after a panic, so nobody sees what it left half done.
            match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context))) {
                Ok(Poll::Ready(output)) => return Poll::Ready(Ok(output)),
                Ok(Poll::Pending) => {}
                Err(panic) => return Poll::Ready(Err(panic)),
            }
            if is_renewed && renewal.as_mut().poll(context).is_ready() {
                is_renewed = false;
            }
            Poll::Pending
        })
        .await
    }

    /// Settles work that has answered: stores the outcome, forgets the record, or leaves it unknown,
    /// as the policy says of its status. The store's failures are told to the observer; a step is
    /// tried three times.
    ///
    /// # Cancel safety
    ///
    /// Dropped, the outcome is stored or unknown.
    pub async fn finish(mut self, outcome: &Outcome) -> Finished {
        let keep = if self.claim.is_harmless() {
            Keep::Release
        } else {
            self.policy.keep(outcome.status_code())
        };
        let finished = match keep {
            _ if !self.claim.is_protected() => Finished::Unsaved,
            Keep::Store => self.store(outcome).await,
            Keep::Release => self.release().await,
            Keep::Unknown => self.give_up().await,
        };
        self.settled(finished)
    }

    /// Settles work that has failed without an answer, or panicked: the policy decides about the next
    /// request, unless the work [had no effect](Claim::had_no_effect).
    ///
    /// # Cancel safety
    ///
    /// Dropped, the outcome is unknown.
    pub async fn fail(mut self) -> Finished {
        let finished = if !self.claim.is_protected() {
            Finished::Unsaved
        } else if self.claim.is_harmless() {
            self.release().await
        } else {
            self.give_up().await
        };
        self.settled(finished)
    }

    fn settled(&mut self, finished: Finished) -> Finished {
        self.state = State::Settled;
        self.inner.observer.observe(Event::Finished(&finished));
        finished
    }

    async fn store(&self, outcome: &Outcome) -> Finished {
        let completion = match self.claim.completion(outcome) {
            Ok(completion) => completion,
            Err(error) => return self.unsealed(error).await,
        };
        match self.complete(&completion).await {
            Some(Settled::TooLarge) => {}
            settled => return self.told(settled, Finished::Stored).await,
        }
        let completion = match self.claim.bare_completion(outcome) {
            Ok(completion) => completion,
            Err(error) => return self.unsealed(error).await,
        };
        let settled = self.complete(&completion).await;
        self.told(settled, Finished::Stored).await
    }

    async fn unsealed(&self, error: SealError) -> Finished {
        self.inner.failed("complete", &StoreFailure::refused(error));
        match self.give_up().await {
            Finished::Unknown => Finished::Unsaved,
            other => other,
        }
    }

    async fn complete(&self, completion: &Completion) -> Option<Settled> {
        self.persist(Step::Complete(completion)).await
    }

    async fn release(&self) -> Finished {
        match self.persist(Step::Release).await {
            // The first of several tries may have been carried out, its reply lost.
            Some(Settled::Lost(Lost::Gone)) => Finished::Released,
            settled => self.told(settled, Finished::Released).await,
        }
    }

    async fn give_up(&self) -> Finished {
        let settled = self.persist(Step::GiveUp).await;
        self.told(settled, Finished::Unknown).await
    }

    /// Makes a step, again when nobody knows whether it was made.
    async fn persist(&self, step: Step<'_>) -> Option<Settled> {
        for pause in [Some(50), Some(200), None] {
            match self.make(step).await {
                Ok(settled) => return Some(settled),
                Err(error) => {
                    let failure = error.into();
                    self.inner.failed(step.as_str(), &failure);
                    if !failure.is_unavailable() {
                        return None;
                    }
                }
            }
            if let Some(pause) = pause {
                tokio::time::sleep(Duration::from_millis(pause)).await;
            }
        }
        None
    }

    async fn make(&self, step: Step<'_>) -> Result<Settled, S::Error> {
        let (store, token) = (&self.inner.store, self.claim.token());
        match step {
            Step::Complete(completion) => store.complete(completion).await,
            Step::Release => store.release(token).await,
            Step::GiveUp => store.renew(token, Duration::ZERO).await,
        }
    }

    async fn told(&self, settled: Option<Settled>, done: Finished) -> Finished {
        match settled {
            Some(Settled::Done) => done,
            Some(Settled::Lost(Lost::Completed | Lost::TakenOver)) => self.look().await,
            Some(Settled::Lost(Lost::Gone) | Settled::TooLarge) | None => Finished::Unsaved,
        }
    }

    /// Finds out what everybody else is answered.
    async fn look(&self) -> Finished {
        let (store, ask) = (&self.inner.store, self.ask.on_lapse(OnLapse::Keep));
        let answer = store.reserve(ask).await.map_err(Into::into);
        match answer {
            Ok(Reserved::Completed(payload)) => match self.claim.seal().open(&ask.id, payload) {
                Ok(outcome) => Finished::Superseded(outcome),
                Err(failure) => {
                    self.inner.failed("reserve", &failure);
                    Finished::Unsaved
                }
            },
            Ok(Reserved::InProgress { lease_left }) => Finished::Refused(Refused::InProgress {
                retry_after: lease_left,
            }),
            Ok(Reserved::Unknown { attempt }) => {
                Finished::Refused(Refused::OutcomeUnknown { attempt })
            }
            Ok(Reserved::Acquired { fence, .. }) => {
                // Whoever took over has released it just now. It is not to be done a third time.
                let token = crate::Token::new(ask.id, fence, ask.nonce);
                let _ = store.release(token).await;
                Finished::Unsaved
            }
            Ok(Reserved::Mismatch) => Finished::Refused(Refused::Mismatch),
            Ok(Reserved::Full) => Finished::Unsaved,
            Err(failure) => {
                self.inner.failed("reserve", &failure);
                Finished::Unsaved
            }
        }
    }
}

impl<S: Store> Drop for Held<S> {
    fn drop(&mut self) {
        if self.state == State::Settled || !self.claim.is_protected() {
            return;
        }
        self.inner.observer.observe(Event::Dropped);
        let token = self.claim.token();
        // What the store says is nobody's business any more.
        if self.state == State::Idle || self.claim.is_harmless() {
            let _ = self.inner.store.release_now(token);
        } else {
            let _ = self.inner.store.renew_now(token, Duration::ZERO);
        }
    }
}

impl<S: Store> fmt::Debug for Held<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Held")
            .field("claim", &self.claim)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

/// Renews the lease each time that a third of it has passed, so that two renewals may fail. Ends
/// when the claim is lost, or when the work has taken too long to be believed in.
async fn renew<S: Store>(inner: &Inner<S>, policy: &Policy, claim: &Claim) {
    let lease = policy.lease_length();
    let until = tokio_now() + policy.longest_work();
    loop {
        tokio::time::sleep(lease / 3).await;
        let left = until.saturating_duration_since(tokio_now());
        if left.is_zero() {
            return;
        }
        match inner.store.renew(claim.token(), lease.min(left)).await {
            Ok(Settled::Lost(Lost::TakenOver | Lost::Gone)) => {
                claim.lose();
                inner.observer.observe(Event::Lost);
                return;
            }
            // Completed by a transaction within the work.
            Ok(Settled::Lost(Lost::Completed)) => return,
            Ok(_) => {}
            Err(error) => inner.failed("renew", &error.into()),
        }
    }
}
