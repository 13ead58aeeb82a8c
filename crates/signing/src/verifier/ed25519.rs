//! Ed25519 over a message that goes by once.

use std::sync::LazyLock;

use ed25519_dalek::{Signature, SigningKey, VerifyingKey};

use crate::envelope::Envelope;
use crate::key::{Algorithm, Key};
use crate::refused::{Refused, RefusedKind};

/// The most Ed25519 signatures of one message that are looked at.
///
/// Unlike a MAC, each has to be worked out over the whole body by itself, so the cap is what a
/// rotation needs and no more.
const MAX_PUBLIC: usize = 2;

static DECOY: LazyLock<VerifyingKey> =
    LazyLock::new(|| SigningKey::from_bytes(&[0x5e; 32]).verifying_key());

/// Works out each public key against each signature.
#[derive(Default)]
pub(super) struct PublicLanes(Vec<Lane>);

struct Lane {
    slot: u32,
    stream: Stream,
}

/// Is a verification under way. `ed25519-dalek` hands out its type without a name to store it by,
/// so it lives in a closure.
type Stream = Box<dyn FnMut(Step<'_>) -> bool + Send + Sync>;

enum Step<'a> {
    Take(&'a [u8]),
    Judge,
}

impl PublicLanes {
    pub(super) fn admit(envelope: &Envelope) -> Result<(), Refused> {
        let public = envelope
            .tags()
            .iter()
            .filter(|tag| tag.algorithm == Algorithm::Ed25519);
        if public.count() > MAX_PUBLIC {
            return Err(Refused::new(RefusedKind::TooManySignatures));
        }
        Ok(())
    }

    pub(super) fn push(&mut self, slot: u32, key: &Key, envelope: &Envelope) {
        if let Some(key) = key.public() {
            self.push_all(slot, &key, envelope);
        }
    }

    pub(super) fn push_decoy(&mut self, envelope: &Envelope) {
        self.push_all(0, &DECOY, envelope);
    }

    fn push_all(&mut self, slot: u32, key: &VerifyingKey, envelope: &Envelope) {
        for tag in envelope
            .tags()
            .iter()
            .filter(|tag| tag.algorithm == Algorithm::Ed25519)
        {
            // A scalar out of range is no signature at all, and has no lane that could fit. Weak
            // public keys were refused when the key was made.
            let stream = Signature::from_slice(tag.bytes()).and_then(|tag| key.verify_stream(&tag));
            let Ok(stream) = stream else { continue };
            let mut stream = Some(stream);
            let stream = move |step: Step<'_>| match step {
                Step::Take(bytes) => {
                    if let Some(stream) = &mut stream {
                        stream.update(bytes);
                    }
                    false
                }
                Step::Judge => stream
                    .take()
                    .is_some_and(|stream| stream.finalize_and_verify().is_ok()),
            };
            self.0.push(Lane {
                slot,
                stream: Box::new(stream),
            });
        }
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        for lane in &mut self.0 {
            (lane.stream)(Step::Take(bytes));
        }
    }

    pub(super) fn finish(&mut self) -> Option<u32> {
        let fit = |found: Option<u32>, mut lane: Lane| {
            if (lane.stream)(Step::Judge) {
                Some(lane.slot)
            } else {
                found
            }
        };
        self.0.drain(..).fold(None, fit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_absent_key_is_worked_for_like_one_that_is_there() {
        let pair = Key::ed25519_seed(&[7; 32]);
        let tag = pair.sign(|put| put(b"message")).unwrap();
        let mut envelope = Envelope::new();
        envelope.push_signature(Algorithm::Ed25519, &tag).unwrap();
        let (mut known, mut absent) = (PublicLanes::default(), PublicLanes::default());
        known.push(3, &pair, &envelope);
        absent.push_decoy(&envelope);
        assert_eq!((known.0.len(), absent.0.len()), (1, 1));
        for lanes in [&mut known, &mut absent] {
            lanes.update(b"message");
        }
        assert_eq!((known.finish(), absent.finish()), (Some(3), None));
    }
}
