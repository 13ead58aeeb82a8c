//! The body that was verified.

use actix_web::dev::Payload;
use bytes::Bytes;

/// All bytes of a body that was verified, left among the extensions of its request: what is handed on
/// as the payload may be replaced by any middleware further inside.
#[derive(Debug)]
pub(crate) struct VerifiedBytes(Bytes);

impl VerifiedBytes {
    pub(super) fn new(bytes: Bytes) -> Self {
        Self(bytes)
    }

    /// The bytes as a payload, without a copy.
    pub(crate) fn to_payload(&self) -> Payload {
        if self.0.is_empty() {
            Payload::None
        } else {
            Payload::from(self.0.clone())
        }
    }
}
