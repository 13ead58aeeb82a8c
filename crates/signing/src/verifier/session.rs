//! A verification whose body is going by.

use std::fmt;
use std::sync::Arc;

use super::pass::Pass;
use super::{Inner, Unclaimed, Verification};
use crate::clock::UnixTime;
use crate::envelope::Envelope;
use crate::refused::Refused;

/// Takes in the body of a message whose head has been judged.
///
/// The bytes are not authentic before [`finish`](Self::finish) has said so: whoever acts on them
/// as they come acts on what a stranger sent. Dropping the session is a refusal that leaves no
/// trace.
#[must_use = "the message is not verified before the session is finished"]
pub struct Session {
    inner: Arc<Inner>,
    envelope: Envelope,
    pass: Pass,
    tenant: Option<Box<str>>,
    at: Option<UnixTime>,
}

impl Session {
    pub(super) fn new(
        inner: Arc<Inner>,
        envelope: Envelope,
        pass: Pass,
        tenant: Option<Box<str>>,
        at: Option<UnixTime>,
    ) -> Self {
        Self {
            inner,
            envelope,
            pass,
            tenant,
            at,
        }
    }

    /// Returns how many bytes may still come.
    #[must_use]
    pub fn remaining(&self) -> usize {
        self.inner.max_body.saturating_sub(self.pass.read())
    }

    /// Returns how many bytes have gone through a MAC: those of the message, once for each key
    /// that may fit and never for each signature that came. For measuring.
    #[must_use]
    pub const fn mac_bytes(&self) -> u64 {
        self.pass.mac_bytes()
    }

    /// Takes in the next bytes of the body.
    ///
    /// # Errors
    ///
    /// Refuses a body that is longer than the verifier reads. The session then stays refused.
    pub fn update(&mut self, chunk: &[u8]) -> Result<(), Refused> {
        let taken = self.pass.update(&self.inner, chunk);
        taken.map_err(|refused| self.inner.note(refused))
    }

    /// Judges the message, and remembers it if there is a store.
    ///
    /// # Errors
    ///
    /// Refuses every message that is not proven authentic and fresh.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the message perhaps remembered and surely not accepted.
    pub async fn finish(self) -> Result<Verification, Refused> {
        self.authenticate()?.claim().await
    }

    /// Judges the signature, and leaves the claim against replays to be made.
    ///
    /// For adapters that have a path without waiting: [`finish`](Self::finish) is both steps.
    ///
    /// # Errors
    ///
    /// Refuses a message whose signature does not fit.
    pub fn authenticate(mut self) -> Result<Unclaimed, Refused> {
        let judged = self.pass.judge(&self.inner, &self.envelope);
        let judged = judged.map_err(|refused| self.inner.note(refused))?;
        let verification = Verification::new(&self.inner, &self.envelope, judged, self.tenant);
        Ok(Unclaimed::new(self.inner, verification, self.at))
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("read", &self.pass.read())
            .finish_non_exhaustive()
    }
}
