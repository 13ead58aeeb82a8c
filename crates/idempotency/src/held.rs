//! A record that is owned: its work is done, its lease renewed, and in the end it is settled.

use std::fmt;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::thread;
use std::time::Duration;

use bytes::Bytes;

use crate::answer::{Finished, Refused};
use crate::claim::Claim;
use crate::clock::tokio_now;
use crate::idempotency::Inner;
use crate::observer::Event;
use crate::outcome::Outcome;
use crate::policy::{Keep, Policy};
use crate::store::{
    Completion, Lost, OnLapse, Reserve, Reserved, Settled, Store, StoreFailure, Token,
};

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
    Store {
        sealed: &'a Bytes,
        outcome: &'a Outcome,
    },
    Release,
    GiveUp,
}

impl Step<'_> {
    const fn done(self) -> Finished {
        match self {
            Self::Store { .. } => Finished::Stored,
            Self::Release => Finished::Released,
            Self::GiveUp => Finished::Unknown,
        }
    }
}

/// What the store is asked for a step.
#[derive(Clone, Copy)]
enum Call<'a> {
    Complete(&'a Completion),
    Release(Token),
    GiveUp(Token),
}

impl Call<'_> {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Complete(_) => "complete",
            Self::Release(_) => "release",
            Self::GiveUp(_) => "renew",
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
    /// An owner that was taken over answers what everybody else will be answered, and is told so.
    /// Where whoever took over has let go of the record again, its outcome is stored all the same.
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
            Keep::Release => self.settle(Step::Release).await,
            Keep::Unknown => self.settle(Step::GiveUp).await,
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
            self.settle(Step::Release).await
        } else {
            self.settle(Step::GiveUp).await
        };
        self.settled(finished)
    }

    fn settled(&mut self, finished: Finished) -> Finished {
        self.state = State::Settled;
        self.inner.observer.observe(Event::Finished(&finished));
        finished
    }

    async fn store(&self, outcome: &Outcome) -> Finished {
        let id = self.ask.id;
        match self.claim.seal().seal(&id, outcome) {
            Ok(sealed) => {
                let sealed = &sealed;
                self.settle(Step::Store { sealed, outcome }).await
            }
            Err(error) => {
                self.inner.failed("complete", &StoreFailure::refused(error));
                match self.settle(Step::GiveUp).await {
                    Finished::Unknown => Finished::Unsaved,
                    other => other,
                }
            }
        }
    }

    /// Makes a step. Where the record is lost, what counts is what everybody else will be answered;
    /// where nobody has it, as whoever took over has released it again, it is taken once more for
    /// the step alone: the work was done, and shall not be done by whoever comes next.
    async fn settle(&self, step: Step<'_>) -> Finished {
        let mut token = self.claim.token();
        for _ in 0..LOSSES {
            let lost = match self.make(step, token).await {
                Some(Settled::Done) => return step.done(),
                Some(Settled::Lost(lost)) => lost,
                Some(Settled::TooLarge) | None => return Finished::Unsaved,
            };
            // Released it is, by the first of several tries, whose reply was lost, or by another.
            if lost == Lost::Gone && matches!(step, Step::Release) {
                return Finished::Released;
            }
            match self.look(step, lost).await {
                Ok(again) => token = again,
                Err(finished) => return finished,
            }
        }
        Finished::Unsaved
    }

    async fn make(&self, step: Step<'_>, token: Token) -> Option<Settled> {
        let (sealed, outcome) = match step {
            Step::Release => return self.persist(Call::Release(token)).await,
            Step::GiveUp => return self.persist(Call::GiveUp(token)).await,
            Step::Store { sealed, outcome } => (sealed, outcome),
        };
        let completion = Completion::new(token, sealed.clone());
        let settled = self.persist(Call::Complete(&completion)).await;
        if settled != Some(Settled::TooLarge) {
            return settled;
        }
        match self.claim.seal().seal_bare(&token.id, outcome) {
            Ok(bare) => {
                let completion = Completion::new(token, bare);
                self.persist(Call::Complete(&completion)).await
            }
            Err(error) => {
                self.inner.failed("complete", &StoreFailure::refused(error));
                let _ = self.persist(Call::GiveUp(token)).await;
                None
            }
        }
    }

    /// Calls the store, again when nobody knows whether it has done what it was asked.
    async fn persist(&self, call: Call<'_>) -> Option<Settled> {
        for pause in [Some(50), Some(200), None] {
            match self.call(call).await {
                Ok(settled) => return Some(settled),
                Err(error) => {
                    let failure = error.into();
                    self.inner.failed(call.as_str(), &failure);
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

    async fn call(&self, call: Call<'_>) -> Result<Settled, S::Error> {
        let store = &self.inner.store;
        match call {
            Call::Complete(completion) => store.complete(completion).await,
            Call::Release(token) => store.release(token).await,
            Call::GiveUp(token) => store.renew(token, Duration::ZERO).await,
        }
    }

    /// Finds out what everybody else is answered; or takes the record, if nobody has it.
    async fn look(&self, step: Step<'_>, lost: Lost) -> Result<Token, Finished> {
        // With an outcome in hand, a rival that gives no sign of life is overtaken as by anybody.
        let ask = match step {
            Step::Store { .. } => self.ask,
            Step::Release | Step::GiveUp => self.ask.on_lapse(OnLapse::Keep),
        };
        Err(match self.inner.reserve(ask).await {
            Ok(Reserved::Acquired { fence, .. }) => {
                return Ok(Token::new(ask.id, fence, ask.nonce));
            }
            Ok(Reserved::Completed(payload)) => match self.claim.seal().open(&ask.id, payload) {
                Ok(outcome) if lost == Lost::Completed => Finished::Completed(outcome),
                Ok(outcome) => Finished::Superseded(outcome),
                Err(failure) => {
                    self.inner.failed("reserve", &failure);
                    Finished::Unsaved
                }
            },
            Ok(Reserved::InProgress { lease_left }) => Finished::Refused(Refused::InProgress {
                retry_after: lease_left,
            }),
            Ok(Reserved::Unknown { attempt }) => match step {
                Step::Store { .. } => Finished::Refused(Refused::OutcomeUnknown { attempt }),
                Step::Release | Step::GiveUp => Finished::Unknown,
            },
            // The key is another request's by now: there is nothing of this one to answer but its own.
            Ok(Reserved::Mismatch | Reserved::Full) | Err(_) => Finished::Unsaved,
        })
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

/// How often a record can be lost while it is settled: each time takes a rival that takes over and
/// lets go within two calls.
const LOSSES: usize = 3;

/// Renews the lease each time that a third of it has passed, so that two renewals may fail. Ends
/// when the claim is lost, or when the work has taken too long to be believed in.
async fn renew<S: Store>(inner: &Inner<S>, policy: &Policy, claim: &Claim) {
    let lease = policy.lease_length();
    let until = tokio_now() + policy.longest_work();
    let mut left = policy.longest_work();
    loop {
        tokio::time::sleep(left.min(lease / 3)).await;
        left = until.saturating_duration_since(tokio_now());
        if left.is_zero() {
            // The lease ends now, and with it the certainty that nobody else is at it.
            claim.lose();
            inner.observer.observe(Event::Overdue);
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
