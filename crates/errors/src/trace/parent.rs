//! The `traceparent` header.

use std::{error::Error, fmt, str::FromStr};

use crate::random;

/// Places a request in a trace: which trace, which parent, and whether it is recorded.
///
/// # Examples
///
/// ```
/// use seawall_errors::trace::TraceParent;
///
/// let parent: TraceParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".parse()?;
/// assert!(parent.is_sampled());
/// assert_eq!(parent.to_string(), "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
/// assert!("00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01".parse::<TraceParent>().is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceParent {
    trace_id: u128,
    parent_id: u64,
    flags: u8,
}

/// Says that a `traceparent` is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TraceParentError;

impl TraceParent {
    /// Reads a header value; blanks and tabs around it do not count.
    ///
    /// Versions after 00 are read as far as 00 goes, as the recommendation demands; `ff`, ids of
    /// zeros and capital letters are refused.
    ///
    /// # Errors
    ///
    /// [`TraceParentError`] for everything else. Treat the header as absent then.
    pub fn parse(value: &[u8]) -> Result<Self, TraceParentError> {
        let value = trim(value);
        let (known, rest) = value.split_at_checked(55).ok_or(TraceParentError)?;
        if [2, 35, 52].iter().any(|&dash| known[dash] != b'-') {
            return Err(TraceParentError);
        }
        let version = hex(&known[..2])?;
        let well_ended = match version {
            0 => rest.is_empty(),
            0xff => false,
            _ => rest.is_empty() || rest[0] == b'-',
        };
        let trace_id = hex(&known[3..35])?;
        let parent_id = u64::try_from(hex(&known[36..52])?).map_err(|_| TraceParentError)?;
        let flags = u8::try_from(hex(&known[53..])?).map_err(|_| TraceParentError)?;
        if !well_ended || trace_id == 0 || parent_id == 0 {
            return Err(TraceParentError);
        }
        Ok(Self {
            trace_id,
            parent_id,
            flags: flags & KNOWN_FLAGS,
        })
    }

    /// Begins a trace, with random ids.
    #[must_use]
    pub fn root(sampled: bool) -> Self {
        let trace_id = u128::from(nonzero()) << 64 | u128::from(nonzero());
        Self {
            trace_id,
            parent_id: nonzero(),
            flags: RANDOM | u8::from(sampled),
        }
    }

    /// The same trace with a new parent: what to send along with a call of one's own.
    #[must_use]
    pub fn child(self) -> Self {
        Self {
            parent_id: nonzero(),
            ..self
        }
    }

    /// Sets whether the request is recorded.
    #[must_use]
    pub const fn sampled(mut self, sampled: bool) -> Self {
        self.flags = if sampled {
            self.flags | SAMPLED
        } else {
            self.flags & !SAMPLED
        };
        self
    }

    /// The id of the trace; never 0.
    #[must_use]
    pub const fn trace_id(self) -> u128 {
        self.trace_id
    }

    /// The id of the parent within the trace; never 0.
    #[must_use]
    pub const fn parent_id(self) -> u64 {
        self.parent_id
    }

    /// Whether the caller may have recorded the request.
    #[must_use]
    pub const fn is_sampled(self) -> bool {
        self.flags & SAMPLED != 0
    }

    /// Whether the trace id is known to be random in its last seven bytes.
    #[must_use]
    pub const fn is_random(self) -> bool {
        self.flags & RANDOM != 0
    }
}

impl FromStr for TraceParent {
    type Err = TraceParentError;

    fn from_str(value: &str) -> Result<Self, Self::Err> {
        Self::parse(value.as_bytes())
    }
}

/// The header value, in version 00.
impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "00-{:032x}-{:016x}-{:02x}",
            self.trace_id, self.parent_id, self.flags
        )
    }
}

impl fmt::Debug for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TraceParent({self})")
    }
}

impl fmt::Display for TraceParentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "expected a traceparent: version, trace id, parent id and flags in lower-case \
             hexadecimal digits, 2-32-16-2",
        )
    }
}

impl Error for TraceParentError {}

/// Blanks and tabs, which HTTP allows around a value (`OWS`).
pub(super) fn trim(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}

/// Reads at most 32 digits.
fn hex(digits: &[u8]) -> Result<u128, TraceParentError> {
    digits.iter().try_fold(0, |sum, digit| {
        let digit = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return Err(TraceParentError),
        };
        Ok(sum << 4 | u128::from(digit))
    })
}

/// Zero marks an id as invalid.
fn nonzero() -> u64 {
    random::bits().max(1)
}

const SAMPLED: u8 = 1;
const RANDOM: u8 = 2;
/// Flags without a meaning are sent as zero.
const KNOWN_FLAGS: u8 = SAMPLED | RANDOM;
