//! From an outcome to the bytes in a store, and back.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

use crate::cipher::Cipher;
use crate::header;
use crate::operation::RecordId;
use crate::outcome::Outcome;
use crate::policy::Policy;
use crate::store::StoreFailure;

/// What outcomes go through on their way to the store.
#[derive(Clone)]
pub(crate) struct Seal {
    pub(crate) policy: Arc<Policy>,
    pub(crate) cipher: Option<Arc<dyn Cipher>>,
    /// What the store takes.
    pub(crate) largest: usize,
}

impl Seal {
    /// Leaves out what is not to be stored, then what does not fit.
    pub(crate) fn seal(&self, id: &RecordId, outcome: &Outcome) -> Result<Bytes, SealError> {
        let all = outcome.headers();
        let kept =
            |name: &[u8]| self.policy.keeps_header(name) && !header::is_of_connection(name, all);
        let outcome = outcome.retaining(kept);
        let largest = self.policy.largest_outcome().min(self.largest);
        let outcome = if outcome.encoded_len() <= largest {
            outcome
        } else {
            let omitted = outcome.omitted();
            if omitted.encoded_len() <= largest {
                omitted
            } else {
                omitted.bare()
            }
        };
        self.encrypt(id, outcome.encode())
    }

    /// Seals status and format alone: what has room in any case.
    pub(crate) fn seal_bare(&self, id: &RecordId, outcome: &Outcome) -> Result<Bytes, SealError> {
        self.encrypt(id, outcome.bare().encode())
    }

    fn encrypt(&self, id: &RecordId, encoded: Bytes) -> Result<Bytes, SealError> {
        match &self.cipher {
            None => Ok(encoded),
            Some(cipher) => cipher
                .seal(id, &encoded)
                .map(Bytes::from)
                .map_err(SealError),
        }
    }

    pub(crate) fn open(&self, id: &RecordId, payload: Bytes) -> Result<Outcome, StoreFailure> {
        let encoded = match &self.cipher {
            None => payload,
            Some(cipher) => cipher
                .open(id, &payload)
                .map(Bytes::from)
                .map_err(StoreFailure::refused)?,
        };
        Outcome::decode(encoded).map_err(StoreFailure::refused)
    }
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seal")
            .field("policy", &self.policy)
            .field("is_encrypted", &self.cipher.is_some())
            .finish_non_exhaustive()
    }
}

/// Says that the [`Cipher`] could not encrypt an outcome.
#[derive(Debug)]
pub struct SealError(Box<dyn Error + Send + Sync>);

impl fmt::Display for SealError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the outcome could not be encrypted")
    }
}

impl Error for SealError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.0)
    }
}
