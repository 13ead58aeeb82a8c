//! The store of accepted messages, as a trait of one atomic step.

use std::convert::Infallible;
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::UnixTime;

/// Asks a store to remember one message, if it does not yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Nonce<'a> {
    /// Is whose message it is: the tenant, or the empty text. Stores that limit how many entries
    /// one sender may have count by it; the digest alone tells messages apart, as the tenant is
    /// hashed into it.
    pub scope: &'a str,
    /// Is a SHA-256 of everything that was signed.
    pub digest: &'a [u8; 32],
    /// Is the last second in which the message might still be fresh anywhere. The entry lives
    /// until then and that second included.
    pub expires: UnixTime,
    /// Is the verifier's present time.
    pub now: UnixTime,
    /// Is how far the store's clock may be from `now`.
    pub max_skew: Duration,
}

impl<'a> Nonce<'a> {
    /// Asks with the empty scope, and for a store's clock no more than 30 seconds away.
    #[must_use]
    pub const fn new(digest: &'a [u8; 32], expires: UnixTime, now: UnixTime) -> Self {
        Self {
            scope: "",
            digest,
            expires,
            now,
            max_skew: Duration::from_secs(30),
        }
    }

    /// Sets whose message it is.
    #[must_use]
    pub const fn scope(self, scope: &'a str) -> Self {
        Self { scope, ..self }
    }

    /// Sets how far the store's clock may be from `now`.
    #[must_use]
    pub const fn max_skew(self, max_skew: Duration) -> Self {
        Self { max_skew, ..self }
    }

    /// Judges this question by the clock of a store that has one: returns the answer where it is
    /// already no.
    ///
    /// A store whose clock is ahead forgets entries while verifiers still accept the messages, so
    /// both checks fail closed. Stores which decide in SQL or a script write the same two lines
    /// there.
    #[must_use]
    pub fn judged_by(&self, store_now: UnixTime) -> Option<Claim> {
        let skew = store_now.since(self.now).max(self.now.since(store_now));
        if skew > self.max_skew {
            Some(Claim::Skewed)
        } else if self.expires < store_now {
            Some(Claim::Expired)
        } else {
            None
        }
    }
}

/// Is a store's answer. Everything but [`Fresh`](Self::Fresh) refuses the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Claim {
    /// The message is new, and now remembered.
    Fresh,
    /// The message is known.
    Replayed,
    /// There is no room left, for all or for this scope. The message may be new.
    Full,
    /// By the store's clock the message is too old for the store to know whether it is new.
    Expired,
    /// The store's clock and the verifier's differ by more than they may.
    Skewed,
}

/// Remembers accepted messages.
///
/// # What an implementation must keep
///
/// - [`claim`](Self::claim) is one atomic step: of any number of claims of one digest that overlap,
///   exactly one is [`Claim::Fresh`]. Reading first and writing then is not.
/// - An entry lives until `expires`. It is never evicted to make room: whoever can fill the store
///   could otherwise replay what fell out. With no room left the answer is [`Claim::Full`].
/// - A store with a clock of its own answers as [`Nonce::judged_by`] does.
/// - Its memory is durable as far as its documentation says. What a restart or a failover forgets
///   can be replayed until it expires.
/// - Dropping the future leaves the message either remembered or not; both are safe, since the
///   message was not accepted.
///
/// The feature `conformance` has these laws as tests.
pub trait NonceStore: Send + Sync + 'static {
    /// Is the way in which the store fails to answer.
    type Error: Error + Into<StoreFailure> + Send + Sync + 'static;

    /// Remembers a message, or tells that it is known. Called after the signature was checked.
    fn claim(&self, nonce: Nonce<'_>) -> impl Future<Output = Result<Claim, Self::Error>> + Send;

    /// Does the same when that needs no waiting, or returns `None` and has done nothing.
    fn claim_now(&self, nonce: Nonce<'_>) -> Option<Result<Claim, Self::Error>> {
        let _ = nonce;
        None
    }
}

impl<N: NonceStore> NonceStore for Arc<N> {
    type Error = N::Error;

    fn claim(&self, nonce: Nonce<'_>) -> impl Future<Output = Result<Claim, Self::Error>> + Send {
        (**self).claim(nonce)
    }

    fn claim_now(&self, nonce: Nonce<'_>) -> Option<Result<Claim, Self::Error>> {
        (**self).claim_now(nonce)
    }
}

/// Says how a store failed, with the cause for operators.
#[derive(Debug)]
pub struct StoreFailure {
    unavailable: bool,
    source: Box<dyn Error + Send + Sync>,
}

impl StoreFailure {
    /// The store could not be reached, or did not answer in time: the claim may have been made.
    #[must_use]
    pub fn unavailable(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            unavailable: true,
            source: source.into(),
        }
    }

    /// The store answered that it cannot do what it was asked.
    #[must_use]
    pub fn refused(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            unavailable: false,
            source: source.into(),
        }
    }

    /// Returns whether the store was unavailable, and did not refuse.
    #[must_use]
    pub const fn is_unavailable(&self) -> bool {
        self.unavailable
    }
}

impl fmt::Display for StoreFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.unavailable {
            "the replay store did not answer"
        } else {
            "the replay store refused the claim"
        })
    }
}

impl Error for StoreFailure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.source)
    }
}

impl From<Infallible> for StoreFailure {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stores_clock_fails_closed() {
        let t = UnixTime::from_secs;
        let nonce = Nonce::new(&[0; 32], t(1360), t(1000)).max_skew(Duration::from_secs(60));
        assert_eq!(nonce.judged_by(t(1000)), None);
        assert_eq!(nonce.judged_by(t(1060)), None);
        assert_eq!(nonce.judged_by(t(940)), None);
        assert_eq!(nonce.judged_by(t(1061)), Some(Claim::Skewed));
        assert_eq!(nonce.judged_by(t(939)), Some(Claim::Skewed));
        let late = Nonce::new(&[0; 32], t(1010), t(1000));
        assert_eq!(late.judged_by(t(1010)), None);
        assert_eq!(late.judged_by(t(1011)), Some(Claim::Expired));
    }

    #[test]
    fn a_failure_says_how_the_store_failed_and_keeps_the_cause() {
        let silent = StoreFailure::unavailable("timed out");
        let refused = StoreFailure::refused("read only");
        assert_eq!(silent.to_string(), "the replay store did not answer");
        assert_eq!(refused.to_string(), "the replay store refused the claim");
        assert_eq!(silent.source().unwrap().to_string(), "timed out");
        assert_eq!(refused.source().unwrap().to_string(), "read only");
    }

    #[test]
    fn a_shared_store_answers_at_once_where_the_store_does() {
        fn answers_at_once(store: &impl NonceStore) -> bool {
            let nonce = Nonce::new(&[0; 32], UnixTime::from_secs(1), UnixTime::from_secs(0));
            store.claim_now(nonce).is_some()
        }
        let memory = crate::replay::MemoryNonceStore::with_capacity(1);
        assert!(answers_at_once(&Arc::new(memory)));
    }
}
