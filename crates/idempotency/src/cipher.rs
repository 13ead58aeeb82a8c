//! A seat for encryption.

use std::error::Error;
use std::sync::Arc;

use crate::operation::RecordId;

/// Encrypts outcomes before they are stored.
///
/// Bind the ciphertext to the record with the id as associated data, else whoever can write to the
/// store can answer one caller with another's outcome. To rotate keys, name the key in the
/// ciphertext and keep the old ones for as long as records are.
pub trait Cipher: Send + Sync + 'static {
    /// Encrypts and authenticates.
    ///
    /// # Errors
    ///
    /// Fails when it cannot. The outcome is then not stored: after the lease, it is unknown.
    fn seal(&self, id: &RecordId, plain: &[u8]) -> Result<Vec<u8>, Box<dyn Error + Send + Sync>>;

    /// Undoes it.
    ///
    /// # Errors
    ///
    /// Fails when the bytes are not authentic. The request is then refused, and does not run.
    fn open(&self, id: &RecordId, sealed: &[u8]) -> Result<Vec<u8>, Box<dyn Error + Send + Sync>>;
}

impl<C: Cipher + ?Sized> Cipher for Arc<C> {
    fn seal(&self, id: &RecordId, plain: &[u8]) -> Result<Vec<u8>, Box<dyn Error + Send + Sync>> {
        (**self).seal(id, plain)
    }

    fn open(&self, id: &RecordId, sealed: &[u8]) -> Result<Vec<u8>, Box<dyn Error + Send + Sync>> {
        (**self).open(id, sealed)
    }
}
