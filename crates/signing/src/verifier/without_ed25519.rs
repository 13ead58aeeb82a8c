//! Stands in where Ed25519 is not compiled in: no key is public, so there is nothing to do.

use crate::envelope::Envelope;
use crate::key::Key;
use crate::refused::Refused;

#[derive(Default)]
pub(super) struct PublicLanes {}

impl PublicLanes {
    #[expect(
        clippy::unnecessary_wraps,
        reason = "its twin with the feature refuses"
    )]
    pub(super) fn admit(_: &Envelope) -> Result<(), Refused> {
        Ok(())
    }

    #[expect(clippy::unused_self, reason = "its twin with the feature uses it")]
    pub(super) fn push(&mut self, _: u32, _: &Key, _: &Envelope) {}

    #[expect(clippy::unused_self, reason = "its twin with the feature uses it")]
    pub(super) fn push_decoy(&mut self, _: &Envelope) {}

    #[expect(clippy::unused_self, reason = "its twin with the feature uses it")]
    pub(super) fn update(&mut self, _: &[u8]) {}

    #[expect(clippy::unused_self, reason = "its twin with the feature uses it")]
    pub(super) fn finish(&mut self) -> Option<u32> {
        None
    }
}
