//! Where records live: one trait, each method one atomic step.

mod ask;
mod boxed;
mod failure;
pub(crate) mod memory;

use std::error::Error;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use crate::operation::RecordId;

pub use ask::{
    Caps, Completion, Durability, Lost, Nonce, OnLapse, Reach, Reserve, Reserved, Settled, Token,
    Wait,
};
pub use boxed::{BoxStore, BoxStoreError};
pub use failure::StoreFailure;
pub use memory::{MemoryStore, MemoryStoreBuilder};

/// Remembers which operations were begun, and how they ended.
///
/// # What an implementation must keep
///
/// Each method but [`changed`](Self::changed) is one atomic step, decided by the store's own clock.
/// [`machine`](crate::machine) has the decisions as plain functions; stores that decide in SQL or a
/// script write the same there. The feature `conformance` has these laws as tests:
///
/// - **L1** Between two takeovers at most one token can succeed.
/// - **L2** The fences of a record increase, beyond its deletion too.
/// - **L3** A completed record does not change until it expires, and every answer has the same bytes.
/// - **L4** Answers other than [`Reserved::Acquired`] change nothing.
/// - **L5** Once [`complete`](Self::complete) has answered, every later reserve sees it.
/// - **L6** Every comparison of times is made by the store's clock.
/// - **L7** An unexpired record is never evicted; at its bound the store answers [`Reserved::Full`].
/// - **L8** After an error, the same call with the same nonce or token can be made again.
/// - **L9** [`sweep`](Self::sweep) removes expired records only.
///
/// A lease that has run out does not void its token: only a takeover does. An owner who is late and
/// has no rival may complete.
///
/// # Errors
///
/// `Err` means that nobody knows whether the step was made. A store's calls end: each has a time
/// limit.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an idempotency store",
    note = "`MemoryStore` is one; for `Box<dyn …>` use `BoxStore`"
)]
pub trait Store: Send + Sync + 'static {
    /// Is the way in which the store fails to answer.
    type Error: Error + Into<StoreFailure> + Send + Sync + 'static;

    /// Takes the record if it can be taken, or tells why not.
    fn reserve(
        &self,
        reserve: Reserve,
    ) -> impl Future<Output = Result<Reserved, Self::Error>> + Send;

    /// Stores how the operation ended, if the token is still the owner's. Again with the same token
    /// and the same payload, it is [`Settled::Done`] again.
    fn complete(
        &self,
        completion: &Completion,
    ) -> impl Future<Output = Result<Settled, Self::Error>> + Send;

    /// Forgets the record, if the token is still the owner's: the operation did nothing.
    fn release(&self, token: Token) -> impl Future<Output = Result<Settled, Self::Error>> + Send;

    /// Sets the lease to end `lease` from now, if the token is still the owner's, and never beyond
    /// the record's expiry. Zero gives the lease up: nobody knows how the operation ended, and
    /// nobody need wait to be told so.
    fn renew(
        &self,
        token: Token,
        lease: Duration,
    ) -> impl Future<Output = Result<Settled, Self::Error>> + Send;

    /// Waits until the record is no longer reserved as it was, or as long as [`Wait`] says.
    ///
    /// It is a hint: whoever is woken asks again. A store that hears of changes returns at once if
    /// the record is not reserved, and after [`Wait::most`] at the latest; by default one sleeps for
    /// [`Wait::pause`].
    fn changed(&self, id: RecordId, wait: Wait) -> impl Future<Output = ()> + Send {
        let _ = id;
        tokio::time::sleep(wait.pause)
    }

    /// Removes `most` expired records or fewer, and returns how many. A store is correct without it.
    fn sweep(&self, most: usize) -> impl Future<Output = Result<usize, Self::Error>> + Send;

    /// Returns what the store can do.
    fn caps(&self) -> Caps;

    /// Does what [`reserve`](Self::reserve) does when that needs no waiting, or returns `None` and
    /// has done nothing.
    #[inline]
    fn reserve_now(&self, reserve: Reserve) -> Option<Result<Reserved, Self::Error>> {
        let _ = reserve;
        None
    }

    /// Does what [`complete`](Self::complete) does when that needs no waiting, or returns `None` and
    /// has done nothing.
    #[inline]
    fn complete_now(&self, completion: &Completion) -> Option<Result<Settled, Self::Error>> {
        let _ = completion;
        None
    }

    /// Does what [`release`](Self::release) does when that needs no waiting, or returns `None` and
    /// has done nothing.
    #[inline]
    fn release_now(&self, token: Token) -> Option<Result<Settled, Self::Error>> {
        let _ = token;
        None
    }

    /// Does what [`renew`](Self::renew) does when that needs no waiting, or returns `None` and has
    /// done nothing.
    #[inline]
    fn renew_now(&self, token: Token, lease: Duration) -> Option<Result<Settled, Self::Error>> {
        let _ = (token, lease);
        None
    }
}

impl<S: Store> Store for Arc<S> {
    type Error = S::Error;

    fn reserve(
        &self,
        reserve: Reserve,
    ) -> impl Future<Output = Result<Reserved, Self::Error>> + Send {
        (**self).reserve(reserve)
    }

    fn complete(
        &self,
        completion: &Completion,
    ) -> impl Future<Output = Result<Settled, Self::Error>> + Send {
        (**self).complete(completion)
    }

    fn release(&self, token: Token) -> impl Future<Output = Result<Settled, Self::Error>> + Send {
        (**self).release(token)
    }

    fn renew(
        &self,
        token: Token,
        lease: Duration,
    ) -> impl Future<Output = Result<Settled, Self::Error>> + Send {
        (**self).renew(token, lease)
    }

    fn changed(&self, id: RecordId, wait: Wait) -> impl Future<Output = ()> + Send {
        (**self).changed(id, wait)
    }

    fn sweep(&self, most: usize) -> impl Future<Output = Result<usize, Self::Error>> + Send {
        (**self).sweep(most)
    }

    fn caps(&self) -> Caps {
        (**self).caps()
    }

    fn reserve_now(&self, reserve: Reserve) -> Option<Result<Reserved, Self::Error>> {
        (**self).reserve_now(reserve)
    }

    fn complete_now(&self, completion: &Completion) -> Option<Result<Settled, Self::Error>> {
        (**self).complete_now(completion)
    }

    fn release_now(&self, token: Token) -> Option<Result<Settled, Self::Error>> {
        (**self).release_now(token)
    }

    fn renew_now(&self, token: Token, lease: Duration) -> Option<Result<Settled, Self::Error>> {
        (**self).renew_now(token, lease)
    }
}
