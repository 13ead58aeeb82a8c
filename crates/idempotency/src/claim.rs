//! What the work is given.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sha2::{Digest, Sha256};
use tokio::sync::Notify;

use crate::operation::{RecordId, each_frame};
use crate::outcome::Outcome;
use crate::seal::{Seal, SealError};
use crate::store::{Completion, Token};

/// Is the right to do the work, for as long as nobody else has taken it over. Clones are the same
/// right.
///
/// It owns nothing: dropping it does nothing. Whoever began it settles it.
#[derive(Clone, Debug)]
pub struct Claim(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    token: Token,
    attempt: u32,
    is_protected: bool,
    seal: Seal,
    is_harmless: AtomicBool,
    is_lost: AtomicBool,
    lost: Notify,
}

impl Claim {
    pub(crate) fn new(token: Token, attempt: u32, is_protected: bool, seal: Seal) -> Self {
        Self(Arc::new(Shared {
            token,
            attempt,
            is_protected,
            seal,
            is_harmless: AtomicBool::new(false),
            is_lost: AtomicBool::new(false),
            lost: Notify::new(),
        }))
    }

    /// Returns the record.
    #[must_use]
    pub fn record_id(&self) -> RecordId {
        self.0.token.id
    }

    /// Returns which attempt at this operation this is, from 1. A later one may find that an earlier
    /// one has done the work, or half of it.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.0.attempt
    }

    /// Returns the fence: higher than that of every earlier attempt. A resource that remembers the
    /// highest it has seen can refuse whoever was taken over.
    #[must_use]
    pub fn fence(&self) -> u64 {
        self.0.token.fence
    }

    /// Returns whether there is a record behind it. There is none when the store did not answer and
    /// [`OnOutage::Open`](crate::OnOutage::Open) let the work run all the same; its
    /// [`completion`](Self::completion) then completes nothing, and a transaction that contains it
    /// should be rolled back.
    #[must_use]
    pub fn is_protected(&self) -> bool {
        self.0.is_protected
    }

    /// Returns what completes the record, as plain data for `complete_in` of a store crate: within a
    /// transaction of one's own, the work and its record are then done together or not at all.
    ///
    /// # Errors
    ///
    /// Fails when the outcome cannot be encrypted.
    pub fn completion(&self, outcome: &Outcome) -> Result<Completion, SealError> {
        let payload = self.0.seal.seal(&self.0.token.id, outcome)?;
        Ok(Completion::new(self.0.token, payload))
    }

    /// Returns a key for a step of the work at the next hop: the same for every attempt at this
    /// operation, and another for every other operation and step. It has the form of a UUID
    /// (version 8), which most services take.
    #[must_use]
    pub fn downstream_key(&self, step: &str) -> String {
        let mut hash = Sha256::new();
        let parts = [Some(&self.0.token.id.as_bytes()[..]), Some(step.as_bytes())];
        each_frame(b"seawall downstream 1", &parts, |bytes| hash.update(bytes));
        let mut bytes: [u8; 32] = hash.finalize().into();
        bytes[6] = (bytes[6] & 0x0f) | 0x80;
        bytes[8] = (bytes[8] & 0x3f) | 0x80;
        let mut text = String::with_capacity(36);
        for (at, byte) in bytes[..16].iter().enumerate() {
            if matches!(at, 4 | 6 | 8 | 10) {
                text.push('-');
            }
            for nibble in [byte >> 4, byte & 0x0f] {
                text.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
            }
        }
        text
    }

    /// Says that nothing has happened: however the work ends, the record is forgotten, and the
    /// request may come again.
    pub fn had_no_effect(&self) {
        self.0.is_harmless.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_harmless(&self) -> bool {
        self.0.is_harmless.load(Ordering::Relaxed)
    }

    /// Returns whether a renewal has found that somebody else has the record, or whether the work
    /// has taken [longer](crate::Policy::longest) than its lease is renewed, so that somebody else
    /// may have it. What is done now may be done twice.
    ///
    /// The outcome can still be stored if nobody has taken over.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.0.is_lost.load(Ordering::Acquire)
    }

    /// Waits until it [is lost](Self::is_lost), perhaps forever.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future does nothing.
    pub async fn lost(&self) {
        let notified = self.0.lost.notified();
        // Who is told between the two lines is told by the flag, as the future already listens.
        if !self.is_lost() {
            notified.await;
        }
    }

    pub(crate) fn lose(&self) {
        self.0.is_lost.store(true, Ordering::Release);
        self.0.lost.notify_waiters();
    }

    pub(crate) fn token(&self) -> Token {
        self.0.token
    }

    pub(crate) fn seal(&self) -> &Seal {
        &self.0.seal
    }
}
