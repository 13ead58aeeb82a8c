//! A verification whose body is going by.

use std::fmt;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::lanes::Lanes;
use super::{Inner, Unclaimed, Verification};
use crate::clock::UnixTime;
use crate::content_digest::Check;
use crate::encoding;
use crate::envelope::Envelope;
use crate::refused::{Refused, RefusedKind};
use crate::replay::ReplayHash;
use crate::scheme::{BODY_START, BodyForm};

/// Takes in the body of a message whose head has been judged.
///
/// The bytes are not authentic before [`finish`](Self::finish) has said so: whoever acts on them
/// as they come acts on what a stranger sent. Dropping the session is a refusal that leaves no
/// trace.
#[must_use = "the message is not verified before the session is finished"]
pub struct Session {
    inner: Arc<Inner>,
    envelope: Envelope,
    lanes: Lanes,
    hash: Option<ReplayHash>,
    body: BodyState,
    read: usize,
    start: [u8; BODY_START],
    tenant: Option<Box<str>>,
    at: Option<UnixTime>,
}

/// Is what has to be known of the body besides its MAC.
pub(super) enum BodyState {
    Raw,
    Sha256Hex(Sha256),
    Digest {
        check: Option<Box<Check>>,
        required: bool,
    },
}

impl BodyState {
    pub(super) fn new(form: BodyForm, envelope: &Envelope) -> Self {
        match form {
            BodyForm::Raw => Self::Raw,
            BodyForm::Sha256Hex => Self::Sha256Hex(Sha256::new()),
            BodyForm::ContentDigest { required } => {
                let check = envelope
                    .content_digest()
                    .map(|digest| Box::new(digest.check()));
                Self::Digest { check, required }
            }
        }
    }
}

impl Session {
    pub(super) fn new(
        inner: Arc<Inner>,
        envelope: Envelope,
        lanes: Lanes,
        hash: Option<ReplayHash>,
        body: BodyState,
        tenant: Option<Box<str>>,
        at: Option<UnixTime>,
    ) -> Self {
        Self {
            inner,
            envelope,
            lanes,
            hash,
            body,
            read: 0,
            start: [0; BODY_START],
            tenant,
            at,
        }
    }

    /// Returns how many bytes may still come.
    #[must_use]
    pub fn remaining(&self) -> usize {
        self.inner.max_body.saturating_sub(self.read)
    }

    /// Returns how many bytes have gone through a MAC: those of the message, once for each key
    /// that may fit and never for each signature that came. For measuring.
    #[must_use]
    pub const fn mac_bytes(&self) -> u64 {
        self.lanes.mac_bytes()
    }

    /// Takes in the next bytes of the body.
    ///
    /// # Errors
    ///
    /// Refuses a body that is longer than the verifier reads. The session then stays refused.
    pub fn update(&mut self, chunk: &[u8]) -> Result<(), Refused> {
        if let Some(start) = self.start.get_mut(self.read..) {
            start
                .iter_mut()
                .zip(chunk)
                .for_each(|(kept, byte)| *kept = *byte);
        }
        self.read = self.read.saturating_add(chunk.len());
        if self.read > self.inner.max_body {
            return Err(self.inner.note(Refused::new(RefusedKind::BodyTooLarge)));
        }
        match &mut self.body {
            BodyState::Raw => self.feed(chunk),
            BodyState::Sha256Hex(hash) => hash.update(chunk),
            BodyState::Digest {
                check: Some(check), ..
            } => check.update(chunk),
            BodyState::Digest { check: None, .. } => {}
        }
        Ok(())
    }

    fn feed(&mut self, bytes: &[u8]) {
        self.lanes.update(bytes);
        if let Some(hash) = &mut self.hash {
            hash.update(bytes);
        }
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
    pub fn authenticate(self) -> Result<Unclaimed, Refused> {
        let inner = Arc::clone(&self.inner);
        self.judge().map_err(|refused| inner.note(refused))
    }

    fn judge(mut self) -> Result<Unclaimed, Refused> {
        if self.read > self.inner.max_body {
            return Err(Refused::new(RefusedKind::BodyTooLarge));
        }
        let mut whole = Ok(());
        if self
            .inner
            .scheme
            .refuses_body(&self.start[..self.read.min(BODY_START)])
        {
            whole = Err(Refused::malformed(
                "a body that does not begin like the signed bytes of a head",
            ));
        }
        match std::mem::replace(&mut self.body, BodyState::Raw) {
            BodyState::Raw => {}
            BodyState::Sha256Hex(hash) => {
                self.feed(&encoding::hex_of_digest(&hash.finalize().into()));
            }
            BodyState::Digest {
                check: Some(check), ..
            } => {
                if !check.finish() {
                    whole = Err(Refused::new(RefusedKind::DigestMismatch));
                }
            }
            BodyState::Digest {
                check: None,
                required,
            } => {
                if required && self.read > 0 {
                    let expected = "a signed digest of the body";
                    whole = Err(Refused::because(
                        RefusedKind::InsufficientCoverage,
                        expected,
                    ));
                }
            }
        }
        let Self {
            inner,
            mut envelope,
            mut lanes,
            mut hash,
            tenant,
            at,
            ..
        } = self;
        inner.scheme.after_body(&envelope, &mut |bytes| {
            lanes.update(bytes);
            if let Some(hash) = &mut hash {
                hash.update(bytes);
            }
        });
        // The signature is judged even where the body failed: a reason given before it would be
        // found by whoever tampers with a body alone.
        let key_id = lanes.finish(&envelope)?;
        whole?;
        let verification = Verification {
            scheme: Arc::clone(&inner.scheme),
            key_id,
            tenant,
            timestamp: envelope.timestamp(),
            message_id: envelope.take_message_id(),
            replay_key: hash.map(ReplayHash::finish),
        };
        Ok(Unclaimed {
            inner,
            verification,
            at,
        })
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("read", &self.read)
            .finish_non_exhaustive()
    }
}
