//! A charge as the script takes it: keys hashed, numbers in microseconds, nothing borrowed.

use std::time::Duration;

use seawall_ratelimit::{Algorithm, Charge, Grant, Op, Quota};

use crate::key::{HashTag, Key};
use crate::link::Rest;

#[derive(Clone, Copy)]
pub(super) struct Planned {
    pub(super) key: Key,
    /// The key of the block, if it is of any interest.
    block: Option<Key>,
    pub(super) quota: Quota,
    pub(super) cost: u32,
    pub(super) shadow: bool,
    penalty_us: u64,
    pub(super) grant: Option<Grant>,
}

impl Planned {
    pub(super) fn new(op: Op, charge: &Charge<'_>, tag: HashTag) -> Self {
        let (scope, subject) = (charge.scope(), charge.subject());
        let looks = match op {
            Op::Consume | Op::Peek => charge.block_for().is_some(),
            Op::Reset | Op::BlockFor => true,
            _ => false,
        };
        let block = || {
            tag.key(scope, subject, |put| {
                put(BLOCK);
                put(scope);
                put(subject);
            })
        };
        Self {
            key: tag.key(scope, subject, |put| charge.each_key_part(put)),
            block: looks.then(block),
            quota: *charge.quota(),
            cost: charge.cost(),
            shadow: charge.is_shadow(),
            penalty_us: micros(charge.block_for().unwrap_or_default()),
            grant: charge.grant(),
        }
    }

    /// The same charge, to be given back.
    #[cfg(feature = "cluster")]
    pub(super) const fn refund(self, grant: Grant) -> Self {
        Self {
            block: None,
            grant: Some(grant),
            ..self
        }
    }

    pub(super) const fn looks_for_block(&self) -> bool {
        self.block.is_some()
    }

    /// Appends what `decide.lua` reads for one charge.
    pub(super) fn write(&self, op: Op, to: &mut Rest) {
        let quota = &self.quota;
        let (kind, span) = match quota.algorithm() {
            Algorithm::SlidingWindow => (1, quota.period()),
            Algorithm::FixedWindow => (2, quota.period()),
            _ => (0, quota.interval()),
        };
        let shadow = if self.shadow { 4 } else { 0 };
        let looks = if self.looks_for_block() { 8 } else { 0 };
        to.keys.push(self.key);
        to.push(kind + shadow + looks);
        to.push(micros(span));
        to.push(if kind == 0 {
            quota.burst()
        } else {
            quota.limit()
        });
        to.push(self.cost);
        if let Some(block) = self.block {
            to.keys.push(block);
            to.push(self.penalty_us);
        } else if op == Op::Refund {
            match self.paid_us() {
                Some(paid) => to.push(paid),
                None => to.push(""),
            }
        }
    }

    /// For GCRA the arrival time right after the grant, for windows the moment of the grant.
    fn paid_us(&self) -> Option<u64> {
        let grant = self.grant?;
        Some(match self.quota.algorithm() {
            Algorithm::Gcra => whole(grant.at.mono()).saturating_add(micros(grant.reset)),
            _ => whole(grant.at.unix()),
        })
    }
}

/// Whole microseconds of a moment, rounded down.
pub(super) fn whole(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// Whole microseconds of a length of time, rounded up.
fn micros(time: Duration) -> u64 {
    let nanos = u64::from(time.subsec_nanos().div_ceil(1_000));
    time.as_secs()
        .saturating_mul(1_000_000)
        .saturating_add(nanos)
}

/// As long as what `each_key_part` begins with, and unlike any of it.
const BLOCK: &[u8] = &[b'b'; 9];
