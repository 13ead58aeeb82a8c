//! The last step: is the authentic message a new one?

use std::fmt;
use std::sync::Arc;

use super::{Inner, Verification};
use crate::clock::UnixTime;
use crate::refused::{Refused, RefusedKind};
use crate::replay::{BoxNonceStore, Claim, Nonce, NonceStore, OnStoreError, StoreFailure};

/// Is a message that is authentic, and may be a replay.
#[must_use = "the message may be a replay before it is claimed"]
pub struct Unclaimed {
    inner: Arc<Inner>,
    verification: Verification,
    at: Option<UnixTime>,
}

impl Unclaimed {
    pub(super) const fn new(
        inner: Arc<Inner>,
        verification: Verification,
        at: Option<UnixTime>,
    ) -> Self {
        Self {
            inner,
            verification,
            at,
        }
    }

    /// Claims the message.
    ///
    /// # Errors
    ///
    /// Refuses a message that was accepted before, or of which the store cannot say so.
    pub async fn claim(self) -> Result<Verification, Refused> {
        let Some((store, nonce)) = self.question() else {
            return Ok(self.accept());
        };
        let answer = match store.claim_now(nonce) {
            Some(answer) => answer,
            None => store.claim(nonce).await,
        };
        let answer = answer.map_err(Into::into);
        self.decide(answer)
            .map_err(|refused| self.inner.note(refused))?;
        Ok(self.accept())
    }

    /// Claims the message without waiting, or gives it back where the store cannot without.
    ///
    /// # Errors
    ///
    /// Gives the message back, unclaimed; what the store decided is inside of `Ok`.
    #[expect(
        clippy::result_large_err,
        reason = "it is handed back to be waited for, not an error; a box would cost each message"
    )]
    pub fn claim_now(self) -> Result<Result<Verification, Refused>, Self> {
        let Some((store, nonce)) = self.question() else {
            return Ok(Ok(self.accept()));
        };
        let Some(answer) = store.claim_now(nonce) else {
            return Err(self);
        };
        if let Err(refused) = self.decide(answer.map_err(Into::into)) {
            return Ok(Err(self.inner.note(refused)));
        }
        Ok(Ok(self.accept()))
    }

    fn question(&self) -> Option<(&BoxNonceStore, Nonce<'_>)> {
        let replay = self.inner.replay.as_ref()?;
        let digest = self.verification.replay_key.as_ref()?;
        let past = self.inner.tolerance.past()?;
        let signed = self.verification.timestamp?;
        let now = self.at.unwrap_or_else(|| self.inner.clock.now());
        // Not from now: a message dated ahead stays fresh for longer than one of this moment.
        let expires = signed.saturating_add(past).saturating_add(replay.max_skew);
        let scope = self.verification.tenant.as_deref().unwrap_or_default();
        Some((
            &replay.store,
            Nonce::new(digest, expires, now)
                .scope(scope)
                .max_skew(replay.max_skew),
        ))
    }

    fn decide(&self, answer: Result<Claim, StoreFailure>) -> Result<(), Refused> {
        let kind = match answer {
            Ok(Claim::Fresh) => return Ok(()),
            Ok(Claim::Replayed) => RefusedKind::Replayed,
            Ok(Claim::Full) => RefusedKind::ReplayStoreFull,
            Ok(Claim::Expired) => RefusedKind::ReplayWindowClosed,
            Ok(Claim::Skewed) => RefusedKind::ClockSkew,
            Err(failure) => {
                let open = self
                    .inner
                    .replay
                    .as_ref()
                    .is_some_and(|r| r.on_error == OnStoreError::FailOpen);
                if open && failure.is_unavailable() {
                    self.inner
                        .observer
                        .failed_open(self.inner.scheme.name(), &failure);
                    return Ok(());
                }
                return Err(Refused::new(RefusedKind::StoreUnavailable).caused_by(failure));
            }
        };
        Err(Refused::new(kind))
    }

    fn accept(self) -> Verification {
        self.inner.observer.verified(&self.verification);
        self.verification
    }
}

impl fmt::Debug for Unclaimed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Unclaimed")
    }
}
