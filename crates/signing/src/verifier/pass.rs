//! A message on its way through the MACs.

use sha2::{Digest, Sha256};

use super::Inner;
use super::lanes::Lanes;
use crate::clock::UnixTime;
use crate::content_digest::Check;
use crate::encoding;
use crate::envelope::Envelope;
use crate::head::Head;
use crate::key::KeyId;
use crate::keyring::KeyRing;
use crate::refused::{Refused, RefusedKind};
use crate::replay::ReplayHash;
use crate::scheme::{BODY_START, BodyForm};

/// Feeds the bytes of one message to everything that has to see them.
///
/// It is a kilobyte, so it stays where it was made: a verification of a body that is at hand never
/// moves it.
pub(super) struct Pass {
    lanes: Lanes,
    hash: Option<ReplayHash>,
    body: BodyState,
    read: usize,
    start: [u8; BODY_START],
}

/// Is what has to be known of the body besides its MAC.
enum BodyState {
    Raw,
    Sha256Hex(Sha256),
    Digest {
        check: Option<Box<Check>>,
        required: bool,
    },
}

/// Is what a signature that fits has shown.
pub(super) struct Judged {
    pub(super) key_id: KeyId,
    pub(super) replay_key: Option<[u8; 32]>,
}

impl BodyState {
    fn new(form: BodyForm, envelope: &Envelope) -> Self {
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

impl Pass {
    pub(super) fn new(inner: &Inner, envelope: &Envelope, ring: KeyRing) -> Self {
        Self {
            lanes: Lanes::new(ring),
            hash: None,
            body: BodyState::new(inner.scheme.body_form(), envelope),
            read: 0,
            start: [0; BODY_START],
        }
    }

    /// Starts the MACs and feeds them what comes before the body.
    pub(super) fn open(
        &mut self,
        inner: &Inner,
        head: &dyn Head,
        envelope: &Envelope,
        tenant: Option<&str>,
        now: UnixTime,
    ) -> Result<(), Refused> {
        let scheme = &*inner.scheme;
        self.lanes.open(envelope, scheme.algorithms(), now)?;
        if let Some(replay) = &inner.replay {
            let scope = [
                &*replay.namespace,
                tenant.unwrap_or_default(),
                scheme.name(),
            ];
            self.hash = Some(ReplayHash::new(scope));
        }
        scheme.before_body(envelope, head, &mut |bytes| self.feed(bytes))
    }

    pub(super) const fn read(&self) -> usize {
        self.read
    }

    pub(super) const fn mac_bytes(&self) -> u64 {
        self.lanes.mac_bytes()
    }

    /// Takes in the next bytes of the body.
    pub(super) fn update(&mut self, inner: &Inner, chunk: &[u8]) -> Result<(), Refused> {
        if let Some(start) = self.start.get_mut(self.read..) {
            start
                .iter_mut()
                .zip(chunk)
                .for_each(|(kept, byte)| *kept = *byte);
        }
        self.read = self.read.saturating_add(chunk.len());
        self.is_within(inner)?;
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

    fn is_within(&self, inner: &Inner) -> Result<(), Refused> {
        if self.read > inner.max_body {
            return Err(Refused::new(RefusedKind::BodyTooLarge));
        }
        Ok(())
    }

    fn feed(&mut self, bytes: &[u8]) {
        self.lanes.update(bytes);
        if let Some(hash) = &mut self.hash {
            hash.update(bytes);
        }
    }

    /// Judges the whole message. To be asked once.
    pub(super) fn judge(&mut self, inner: &Inner, envelope: &Envelope) -> Result<Judged, Refused> {
        self.is_within(inner)?;
        let whole = self.end_of_body(inner);
        inner
            .scheme
            .after_body(envelope, &mut |bytes| self.feed(bytes));
        // The signature is judged even where the body failed: a reason given before it would be
        // found by whoever tampers with a body alone.
        let key_id = self.lanes.finish(envelope)?;
        whole?;
        Ok(Judged {
            key_id,
            replay_key: self.hash.take().map(ReplayHash::finish),
        })
    }

    fn end_of_body(&mut self, inner: &Inner) -> Result<(), Refused> {
        let mut whole = Ok(());
        let start = &self.start[..self.read.min(BODY_START)];
        if inner.scheme.refuses_body(start) {
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
        whole
    }
}
