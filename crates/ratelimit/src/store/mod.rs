//! Where counts live: one trait, one method, each call one atomic step.

mod boxed;
mod deny_cache;
mod fallback;
mod memory;
#[cfg(feature = "tokio")]
mod timeout;

use std::convert::Infallible;
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::num::NonZeroU32;
use std::time::Duration;

use crate::clock::Now;
use crate::quota::{Algorithm, Quota};
use crate::scope::{self, Scope};
use crate::source::Source;
use crate::verdict::{Verdict, micros};

pub use boxed::{BoxError, BoxStore};
pub use deny_cache::DenyCache;
pub use fallback::Fallback;
pub(crate) use memory::Plain;
pub use memory::{MemoryStore, MemoryStoreBuilder, WhenFull};
#[cfg(feature = "tokio")]
pub use timeout::{TimedOut, WithTimeout};

/// Decides charges, atomically.
///
/// # What must be atomic
///
/// One call decides all `charges` together, on one reading of the store's own clock, which it
/// returns. For [`Op::Consume`], if every charge that is not a [shadow](Charge::is_shadow) fits, all
/// that fit are charged; if one does not, none is. A verdict is written for each charge either way;
/// `out` is as long as `charges`. Between two calls for one key, one sees all of the other or nothing.
///
/// A store never reads first and writes later: it needs a script, a transaction or a
/// compare-and-swap. [`State`](crate::machine::State) has the arithmetic; the feature `conformance`
/// has the tests.
///
/// # Errors
///
/// `Err` means that the store did not decide. A charge that timed out counts as perhaps charged.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a rate limit store",
    note = "`MemoryStore` is one; for `Box<dyn …>` use `BoxStore`"
)]
pub trait Store: Send + Sync + 'static {
    /// Why the store could not decide.
    type Error: Error + Into<StoreFailure> + Send + Sync + 'static;

    /// Performs `op` for all `charges`, and writes a verdict for each into `out`.
    fn decide(
        &self,
        op: Op,
        charges: &[Charge<'_>],
        out: &mut [Verdict],
    ) -> impl Future<Output = Result<Now, Self::Error>> + Send;

    /// The same without waiting, for stores that need not wait. `None`: use
    /// [`decide`](Self::decide). Nothing has happened then.
    #[inline]
    fn decide_now(
        &self,
        op: Op,
        charges: &[Charge<'_>],
        out: &mut [Verdict],
    ) -> Option<Result<Now, Self::Error>> {
        let _ = (op, charges, out);
        None
    }
}

/// What is to be done with the charges.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Op {
    /// Charge all or none. An over-limit charge with a [penalty](Charge::block_for) blocks its key.
    Consume,
    /// Charge each for as much of its cost as there is room for; blocks do not matter. Settles costs
    /// that are known only afterwards. The verdict is always allowed.
    ConsumeUpTo,
    /// Decide as [`Consume`](Self::Consume) would, and change nothing.
    Peek,
    /// Give back, but never more than has not come back by itself. The verdict is always allowed.
    Refund,
    /// Forget the key: its count and its block. The verdict is always allowed.
    Reset,
    /// Block the key for the length of [`Charge::block_for`], unless it is blocked for longer.
    BlockFor,
}

/// One key to be charged, under which quota, and how much.
#[derive(Clone, Copy, Debug)]
pub struct Charge<'a> {
    scope: &'a [u8],
    /// What stands for the scope, or 0 if nobody has hashed it yet.
    scope_id: u64,
    subject: &'a [u8],
    quota: Quota,
    cost: NonZeroU32,
    shadow: bool,
    block_us: Option<u64>,
    grant: Option<Grant>,
}

impl<'a> Charge<'a> {
    /// A charge of `cost` to `subject` under `quota`.
    ///
    /// `scope` says which policy counts; it has to be [framed](crate::KeyBuf), of the same number of
    /// parts for every policy on one store. Namespace and policy name are what this crate frames.
    #[must_use]
    #[inline]
    pub const fn new(scope: &'a [u8], subject: &'a [u8], quota: Quota, cost: NonZeroU32) -> Self {
        Self {
            scope,
            scope_id: 0,
            subject,
            quota,
            cost,
            shadow: false,
            block_us: None,
            grant: None,
        }
    }

    /// The same for a scope that is hashed already.
    #[inline]
    pub(crate) fn within(
        scope: &'a Scope,
        subject: &'a [u8],
        quota: Quota,
        cost: NonZeroU32,
    ) -> Self {
        Self {
            scope_id: scope.id(),
            ..Self::new(scope.bytes(), subject, quota, cost)
        }
    }

    /// What stands for the scope within this process.
    #[inline]
    pub(crate) fn scope_id(&self) -> u64 {
        match self.scope_id {
            0 => scope::id_of(self.scope),
            id => id,
        }
    }

    /// Makes the charge a shadow: it is decided, and charged with the others if it fits, but its
    /// denial stops nobody. Default: it stops all.
    #[must_use]
    #[inline]
    pub const fn shadow(self, shadow: bool) -> Self {
        Self { shadow, ..self }
    }

    /// Honours blocks of this key, and blocks it for `time` when it is over its limit (zero: only
    /// honours). Default: blocks are not looked up.
    #[must_use]
    #[inline]
    pub fn with_block_for(self, time: Option<Duration>) -> Self {
        Self {
            block_us: time.map(|time| micros(time).min(LONGEST_BLOCK_US)),
            ..self
        }
    }

    /// Says which grant is being refunded. Default: unknown.
    #[must_use]
    #[inline]
    pub const fn with_grant(self, grant: Option<Grant>) -> Self {
        Self { grant, ..self }
    }

    /// This charge under another quota.
    #[must_use]
    #[inline]
    pub const fn with_quota(self, quota: Quota) -> Self {
        Self { quota, ..self }
    }

    /// Hands the bytes that identify the counter to `put`, piece by piece.
    ///
    /// Put together they are unambiguous: two charges share a counter exactly if all pieces are
    /// equal. A GCRA counter outlives any change of its quota; a window's counter is one for each
    /// period and algorithm, since counts of different windows cannot be compared.
    #[inline]
    pub fn each_key_part(&self, mut put: impl FnMut(&[u8])) {
        let mut counter = [0; 9];
        let (kind, rest) = counter.split_at_mut(1);
        kind[0] = match self.quota.algorithm() {
            Algorithm::Gcra => b'g',
            Algorithm::SlidingWindow => b's',
            Algorithm::FixedWindow => b'f',
        };
        if self.quota.algorithm() != Algorithm::Gcra {
            rest.copy_from_slice(&self.quota.period_us().to_le_bytes());
        }
        put(&counter);
        put(self.scope);
        put(self.subject);
    }

    /// Which policy counts, as framed bytes.
    #[must_use]
    pub const fn scope(&self) -> &'a [u8] {
        self.scope
    }

    /// Who is counted.
    #[must_use]
    pub const fn subject(&self) -> &'a [u8] {
        self.subject
    }

    /// The quota.
    #[must_use]
    pub const fn quota(&self) -> &Quota {
        &self.quota
    }

    /// Units to be charged.
    #[must_use]
    pub const fn cost(&self) -> u32 {
        self.cost.get()
    }

    /// Whether a denial stops nobody.
    #[must_use]
    pub const fn is_shadow(&self) -> bool {
        self.shadow
    }

    /// How long an over-limit charge blocks its key; `None` if blocks are not looked up at all.
    #[must_use]
    pub fn block_for(&self) -> Option<Duration> {
        self.block_us.map(Duration::from_micros)
    }

    /// Which grant is being refunded.
    #[must_use]
    pub const fn grant(&self) -> Option<Grant> {
        self.grant
    }
}

/// A charge that was granted: when, and how full its counter was afterwards. A refund needs both to
/// know what has come back by itself since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "stores read it, tests build it")]
pub struct Grant {
    /// The store's time of the decision.
    pub at: Now,
    /// [`Verdict::reset`] of the decision.
    pub reset: Duration,
    /// [`Verdict::source`] of the decision: a refund has to go to whoever granted.
    pub source: Source,
}

impl Grant {
    /// The moment from which on the grant has come back by itself, for GCRA.
    pub(crate) const fn paid_until(&self) -> u64 {
        self.at.mono_us().saturating_add(micros(self.reset))
    }
}

/// Whether a store that did not decide was out of reach or would not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "`on_store_error` is decided by exactly these two"
)]
pub enum StoreFailure {
    /// Nobody answered in time. The policy's [`OnStoreError`](crate::OnStoreError) decides.
    Unavailable,
    /// The store answered that it will not decide this: a bad key, a wrong type, no permission. What
    /// a client can provoke must not open the gate, so this always denies.
    Refused,
}

impl fmt::Display for StoreFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unavailable => "rate limit store is unavailable",
            Self::Refused => "rate limit store refused to decide",
        })
    }
}

impl Error for StoreFailure {}

impl From<Infallible> for StoreFailure {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

/// 366 days: like the longest period.
const LONGEST_BLOCK_US: u64 = micros(Quota::LONGEST_PERIOD);
