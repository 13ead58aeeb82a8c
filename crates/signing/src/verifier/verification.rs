//! What is known of an accepted message.

use std::sync::Arc;

use super::Inner;
use super::pass::Judged;
use crate::clock::UnixTime;
use crate::envelope::{Envelope, MessageId};
use crate::key::KeyId;
use crate::scheme::Scheme;

/// Proves that a message was verified: only a verifier makes one.
#[derive(Clone, Debug)]
pub struct Verification {
    scheme: Arc<dyn Scheme>,
    key_id: KeyId,
    pub(super) tenant: Option<Box<str>>,
    pub(super) timestamp: Option<UnixTime>,
    message_id: Option<MessageId>,
    pub(super) replay_key: Option<[u8; 32]>,
}

impl Verification {
    pub(super) fn new(
        inner: &Inner,
        envelope: &Envelope,
        judged: Judged,
        tenant: Option<Box<str>>,
    ) -> Self {
        Self {
            scheme: Arc::clone(&inner.scheme),
            key_id: judged.key_id,
            tenant,
            timestamp: envelope.timestamp(),
            message_id: envelope.message_id_in_place(),
            replay_key: judged.replay_key,
        }
    }

    /// Returns the name of the scheme.
    #[must_use]
    pub fn scheme(&self) -> &str {
        self.scheme.name()
    }

    /// Returns which key fitted.
    #[must_use]
    pub const fn key_id(&self) -> &KeyId {
        &self.key_id
    }

    /// Returns whose message it is, where the attempt named a tenant.
    #[must_use]
    pub fn tenant(&self) -> Option<&str> {
        self.tenant.as_deref()
    }

    /// Returns the signed time, if the scheme signs one.
    #[must_use]
    pub const fn timestamp(&self) -> Option<UnixTime> {
        self.timestamp
    }

    /// Returns the signed name of the message, if the scheme has one. A sender's retries have the
    /// same one, so it makes a good key for handling each event once.
    #[must_use]
    pub fn message_id(&self) -> Option<&str> {
        self.message_id.as_ref().map(MessageId::as_str)
    }

    /// Returns what a replay of the message is recognised by, where there is a store.
    #[must_use]
    pub const fn replay_key(&self) -> Option<&[u8; 32]> {
        self.replay_key.as_ref()
    }
}
