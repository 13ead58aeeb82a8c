//! Everything that is wrong with one input, in the order in which it was met.

use std::fmt;

use crate::Violation;

/// Says which kind of refusal this is; a service turns it into a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// The input is not in its format at all: 400.
    Malformed,
    /// The body is larger than the limit: 413.
    TooLarge,
    /// The query is longer than the limit: 414.
    QueryTooLong,
    /// The content type is not one that is read here: 415.
    Unsupported,
    /// There are more headers, or larger ones, than the limit: 431.
    HeadersTooLarge,
    /// The input can be read and breaks rules: 422.
    Invalid,
}

/// Holds every violation of one input, in the order of the input, capped.
///
/// # Examples
///
/// ```
/// use seawall_validate::{Kind, Limits, from_json};
///
/// let refused = from_json::<u8>(b"300", &Limits::API).unwrap_err();
/// assert_eq!(refused.kind(), Kind::Invalid);
/// assert_eq!(refused.iter().next().unwrap().code(), "number_too_large");
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Violations {
    list: Vec<Violation>,
    kind: Kind,
    truncated: bool,
}

impl Violations {
    /// Refuses an input as a whole, as a reader of your own does when it cannot even begin.
    #[must_use]
    pub fn of(kind: Kind, violation: Violation) -> Self {
        Self {
            list: vec![violation],
            kind,
            truncated: false,
        }
    }

    /// The refusal of a content type, for adapters that read bodies.
    #[must_use]
    pub const fn unsupported() -> Self {
        Self {
            list: Vec::new(),
            kind: Kind::Unsupported,
            truncated: false,
        }
    }

    pub(crate) const fn invalid(list: Vec<Violation>, truncated: bool) -> Self {
        Self {
            list,
            kind: Kind::Invalid,
            truncated,
        }
    }

    /// Which kind of refusal this is.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether there were more violations than the limit, and reading stopped there.
    #[must_use]
    pub const fn is_truncated(&self) -> bool {
        self.truncated
    }

    /// Whether there is no single violation to show.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// How many violations there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.list.len()
    }

    /// The violations, in the order of the input.
    pub fn iter(&self) -> std::slice::Iter<'_, Violation> {
        self.list.iter()
    }
}

impl<'a> IntoIterator for &'a Violations {
    type Item = &'a Violation;
    type IntoIter = std::slice::Iter<'a, Violation>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl IntoIterator for Violations {
    type Item = Violation;
    type IntoIter = std::vec::IntoIter<Violation>;

    fn into_iter(self) -> Self::IntoIter {
        self.list.into_iter()
    }
}

impl fmt::Display for Violations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.list.as_slice() {
            [] => f.write_str("input refused"),
            [only] => only.fmt(f),
            [first, rest @ ..] => {
                let more = if self.truncated { " or more" } else { "" };
                write!(f, "{first} (and {}{more} further)", rest.len())
            }
        }
    }
}

impl std::error::Error for Violations {}
