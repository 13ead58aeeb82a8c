//! The reports of a decision: one in place, several on the heap.

use std::ops::Deref;

use crate::report::Report;

/// A list whose most frequent length, one, is written where it stays.
///
/// A decision travels with its request, through futures of futures, and is copied with each of them.
/// Room for four reports in place made it 500 bytes, and the copies took longer than the one
/// allocation that two or more of them ask for.
#[derive(Clone, Debug)]
pub(crate) enum Reports {
    None,
    One([Report; 1]),
    Many(Vec<Report>),
}

impl Reports {
    /// No reports yet, of so many to come.
    #[inline]
    pub(crate) fn for_several(count: usize) -> Self {
        if count > 1 {
            Self::Many(Vec::with_capacity(count))
        } else {
            Self::None
        }
    }

    pub(crate) fn push(&mut self, report: Report) {
        match self {
            Self::None => *self = Self::One([report]),
            Self::One([first]) => *self = Self::Many(vec![*first, report]),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_made_where_several_are_to_come() {
        assert!(matches!(Reports::for_several(1), Reports::None));
        assert!(matches!(Reports::for_several(2), Reports::Many(all) if all.capacity() >= 2));
    }
}
