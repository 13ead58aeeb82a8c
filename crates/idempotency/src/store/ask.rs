//! What stores are asked, and what they answer.

use std::time::Duration;

use bytes::Bytes;

use crate::fingerprint::Fingerprint;
use crate::operation::RecordId;

/// Asks to take a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reserve {
    /// Is the record.
    pub id: RecordId,
    /// Is what is asked for: a record with another one is [`Reserved::Mismatch`].
    pub fingerprint: Fingerprint,
    /// Tells this attempt from all others.
    pub nonce: Nonce,
    /// Is how long the attempt may go without a sign of life.
    pub lease: Duration,
    /// Is how long the record is kept, from now on, however it ends. Completing does not move it.
    pub retention: Duration,
    /// Says what becomes of an attempt that gave no sign of life.
    pub on_lapse: OnLapse,
}

impl Reserve {
    /// Asks with a lease of 30 seconds, a retention of 24 hours, and [`OnLapse::Keep`].
    #[must_use]
    pub const fn new(id: RecordId, fingerprint: Fingerprint, nonce: Nonce) -> Self {
        Self {
            id,
            fingerprint,
            nonce,
            lease: Duration::from_secs(30),
            retention: Duration::from_secs(24 * 60 * 60),
            on_lapse: OnLapse::Keep,
        }
    }

    /// Sets the lease.
    #[must_use]
    pub const fn lease(self, lease: Duration) -> Self {
        Self { lease, ..self }
    }

    /// Sets the retention.
    #[must_use]
    pub const fn retention(self, retention: Duration) -> Self {
        Self { retention, ..self }
    }

    /// Sets what becomes of an attempt whose lease has run out.
    #[must_use]
    pub const fn on_lapse(self, on_lapse: OnLapse) -> Self {
        Self { on_lapse, ..self }
    }
}

/// Says whether an attempt whose lease has run out is replaced by a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "there is nothing third")]
pub enum OnLapse {
    /// It is not: the answer is [`Reserved::Unknown`] until the record expires.
    Keep,
    /// It is, with a higher fence.
    TakeOver,
}

/// Is a random number that an attempt is recognised by. It makes a lost reply harmless: whoever
/// reserves again with the nonce that holds the record, holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Nonce(u64);

impl Nonce {
    /// Takes a number, which must be a random one.
    #[must_use]
    pub const fn from_u64(number: u64) -> Self {
        Self(number)
    }

    /// Returns the number.
    #[must_use]
    pub const fn as_u64(self) -> u64 {
        self.0
    }
}

/// Is what a store answers to [`reserve`](crate::Store::reserve).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reserved {
    /// The record is the caller's: it does the work, and settles.
    Acquired {
        /// Is higher than that of every earlier attempt.
        fence: u64,
        /// Counts attempts at this operation, from 1.
        attempt: u32,
    },
    /// The operation has ended, with this payload.
    Completed(Bytes),
    /// Somebody is at it, and has this long before the lease runs out.
    InProgress {
        /// Is what is left of the lease: more than zero.
        lease_left: Duration,
    },
    /// The record has another fingerprint.
    Mismatch,
    /// The last attempt gave no sign of life, and is not to be replaced.
    Unknown {
        /// Is which attempt that was.
        attempt: u32,
    },
    /// There is no room for a new record.
    Full,
}

/// Proves ownership of a record to the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Token {
    /// Is the record.
    pub id: RecordId,
    /// Is the attempt's fence. Resources outside that know fencing can be given it.
    pub fence: u64,
    /// Is the attempt's nonce.
    pub nonce: Nonce,
}

impl Token {
    /// Makes the token of an attempt that was [`Reserved::Acquired`].
    #[must_use]
    pub const fn new(id: RecordId, fence: u64, nonce: Nonce) -> Self {
        Self { id, fence, nonce }
    }
}

/// Is everything that a store needs to complete a record: plain data, which can be taken into a
/// transaction of one's own.
///
/// `seawall_sqlite::complete_in` and `seawall_postgres::complete_in` do so: the record is then
/// completed if and only if the transaction is committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completion {
    token: Token,
    payload: Bytes,
}

impl Completion {
    /// Makes a completion of bytes that will be answered as they are.
    #[must_use]
    pub const fn new(token: Token, payload: Bytes) -> Self {
        Self { token, payload }
    }

    /// Returns whose completion it is.
    #[must_use]
    pub const fn token(&self) -> Token {
        self.token
    }

    /// Returns the bytes to be stored: an encoded, and perhaps encrypted,
    /// [`Outcome`](crate::Outcome).
    #[must_use]
    pub const fn payload(&self) -> &Bytes {
        &self.payload
    }
}

/// Is what became of a token's record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use]
#[non_exhaustive]
pub enum Settled {
    /// It was done.
    Done,
    /// It was not: the record is not, or no longer, the token's to change.
    Lost(Lost),
    /// Nothing was done, as the payload is too large for the store or for the room that is left.
    /// The record is still reserved; a payload of [`Caps::ALWAYS_FITS`] bytes always fits.
    TooLarge,
}

/// Says to what a token has lost its record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Lost {
    /// This very attempt has been completed already, with another payload or by a transaction.
    Completed,
    /// Another attempt has the record, or has completed it.
    TakenOver,
    /// There is no such record: it has expired, was released, or the store has lost it.
    Gone,
}

/// Says how long to wait for a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Wait {
    /// Is how long a store sleeps that does not hear of changes.
    pub pause: Duration,
    /// Is how long a store waits that does.
    pub most: Duration,
}

impl Wait {
    /// Makes a wait.
    #[must_use]
    pub const fn new(pause: Duration, most: Duration) -> Self {
        Self { pause, most }
    }
}

/// Is what a store can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Caps {
    /// Is what records survive.
    pub durability: Durability,
    /// Is who shares them.
    pub reach: Reach,
    /// Is how many bytes a payload may have at most.
    pub largest: usize,
}

impl Caps {
    /// Is the length of a payload for which a reserved record always has room.
    pub const ALWAYS_FITS: usize = 128;

    /// Makes the description of a store without a bound of its own on payloads.
    #[must_use]
    pub const fn new(durability: Durability, reach: Reach) -> Self {
        Self {
            durability,
            reach,
            largest: usize::MAX,
        }
    }

    /// Sets how many bytes a payload may have.
    #[must_use]
    pub const fn largest(self, largest: usize) -> Self {
        Self { largest, ..self }
    }
}

/// Says what a store's records survive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Durability {
    /// Nothing: they end with the process.
    None,
    /// The end of the process; a loss of power or a failover can lose the last of them.
    Process,
    /// A loss of power too.
    Power,
}

/// Says who shares a store's records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Reach {
    /// One process.
    Process,
    /// The processes of one machine.
    Host,
    /// Every machine that reaches the store.
    Network,
}
