//! Remembering which messages were accepted, so that none is accepted twice.

mod boxed;
mod digest;
mod memory;
mod store;

pub use boxed::{BoxNonceStore, BoxNonceStoreError};
pub(crate) use digest::ReplayHash;
pub use memory::MemoryNonceStore;
pub use store::{Claim, Nonce, NonceStore, StoreFailure};

/// Says what happens to an authentic message when the replay store cannot answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OnStoreError {
    /// It is refused with 503. A replay never passes.
    #[default]
    FailClosed,
    /// It is accepted when the store was unavailable, and a replay with it, for as long as the
    /// store is away. A store that refused what it was asked, is full, or disagrees about the time
    /// still refuses.
    FailOpen,
}
