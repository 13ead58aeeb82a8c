//! A charge as the functions take it: keys hashed, numbers in microseconds, nothing borrowed.

use std::time::Duration;

use seawall_ratelimit::{Algorithm, Charge, Grant, Op, Quota};

use crate::key::{Key, key};

pub(super) struct Planned {
    pub(super) key: Key,
    /// The key of the block, if it is of any interest.
    pub(super) block: Option<Key>,
    pub(super) quota: Quota,
    pub(super) cost: u32,
    pub(super) shadow: bool,
    penalty_us: i64,
    grant: Option<Grant>,
}

impl Planned {
    pub(super) fn new(op: Op, charge: &Charge<'_>) -> Self {
        let looks = match op {
            Op::Consume | Op::Peek => charge.block_for().is_some(),
            Op::Reset | Op::BlockFor => true,
            _ => false,
        };
        let block = || {
            key(|put| {
                put(BLOCK);
                put(charge.scope());
                put(charge.subject());
            })
        };
        Self {
            key: key(|put| charge.each_key_part(put)),
            block: looks.then(block),
            quota: *charge.quota(),
            cost: charge.cost(),
            shadow: charge.is_shadow(),
            penalty_us: micros(charge.block_for().unwrap_or_default()),
            grant: charge.grant(),
        }
    }

    /// Whether one plain statement decides it.
    pub(super) fn is_simple(&self, op: Op) -> bool {
        op == Op::Consume && self.block.is_none() && self.quota.algorithm() == Algorithm::Gcra
    }

    pub(super) fn kind(&self) -> i32 {
        match self.quota.algorithm() {
            Algorithm::SlidingWindow => 1,
            Algorithm::FixedWindow => 2,
            _ => 0,
        }
    }

    /// The interval of one unit for GCRA, the period for windows.
    pub(super) fn span_us(&self) -> i64 {
        micros(if self.kind() == 0 {
            self.quota.interval()
        } else {
            self.quota.period()
        })
    }

    pub(super) fn capacity(&self) -> i64 {
        i64::from(if self.kind() == 0 {
            self.quota.burst()
        } else {
            self.quota.limit()
        })
    }

    /// The penalty, or when the refunded grant was paid: for GCRA the arrival time right after the
    /// grant, for windows the moment of the grant.
    pub(super) fn extra_us(&self, op: Op) -> Option<i64> {
        if op != Op::Refund {
            return Some(self.penalty_us);
        }
        let grant = self.grant?;
        Some(match self.quota.algorithm() {
            Algorithm::Gcra => whole(grant.at.mono()).saturating_add(micros(grant.reset)),
            _ => whole(grant.at.unix()),
        })
    }
}

/// Whole microseconds of a moment, rounded down.
pub(super) fn whole(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}

/// Whole microseconds of a length of time, rounded up.
fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_nanos().div_ceil(1_000)).unwrap_or(i64::MAX)
}

/// As long as what `each_key_part` begins with, and unlike any of it.
const BLOCK: &[u8] = &[b'b'; 9];
