//! The reports of a decision, up to four of them without the heap.

use std::ops::Deref;

use smallvec::SmallVec;

use crate::report::Report;

/// A list whose most frequent length, one, is written where it stays.
///
/// With `SmallVec` alone, the few hundred bytes that a single report leaves unused were copied each
/// time a decision was returned, which cost as much as deciding.
#[derive(Clone, Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "keeping them off the heap is the point"
)]
pub(crate) enum Reports {
    None,
    One([Report; 1]),
    Many(SmallVec<[Report; 4]>),
}

impl Reports {
    pub(crate) fn push(&mut self, report: Report) {
        match self {
            Self::None => *self = Self::One([report]),
            Self::One([first]) => *self = Self::Many(SmallVec::from_slice(&[*first, report])),
            Self::Many(all) => all.push(report),
        }
    }
}

impl Deref for Reports {
    type Target = [Report];

    #[inline]
    fn deref(&self) -> &[Report] {
        match self {
            Self::None => &[],
            Self::One(one) => one,
            Self::Many(all) => all,
        }
    }
}

impl PartialEq for Reports {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}
