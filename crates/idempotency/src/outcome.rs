//! How an operation ended, as it is stored and answered again.

use std::error::Error;
use std::fmt;

use bytes::{BufMut, Bytes, BytesMut};

/// Is the end of an operation: a status, headers and a body, none of which this crate looks into
/// but the status.
///
/// For work that is not about HTTP, the body is what counts; the status stays at 200.
///
/// # Examples
///
/// ```
/// use seawall_idempotency::Outcome;
///
/// let outcome = Outcome::new("{\"payment_id\":7}").status(201).header("location", "/payments/7");
/// assert_eq!(Outcome::decode(outcome.encode())?, outcome);
/// # Ok::<(), seawall_idempotency::DecodeError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
#[must_use]
pub struct Outcome {
    status: u16,
    format: u8,
    body: Body,
    headers: Vec<(Bytes, Bytes)>,
}

/// Is what is left of a body.
#[derive(Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "it was stored or it was not")]
pub enum Body {
    /// All of it.
    Full(Bytes),
    /// Nothing: it was too large to be stored. The operation was executed all the same, and is not
    /// executed again.
    Omitted,
}

impl Outcome {
    /// Makes an outcome of status 200 with a body and no headers.
    pub fn new(body: impl Into<Bytes>) -> Self {
        Self {
            status: 200,
            format: 0,
            body: Body::Full(body.into()),
            headers: Vec::new(),
        }
    }

    /// Sets the status, by which a [`Policy`](crate::Policy) decides whether it is stored.
    pub fn status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    /// Adds a header. Several of one name keep their order; the bytes stay as they are.
    pub fn header(mut self, name: impl Into<Bytes>, value: impl Into<Bytes>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Sets a number that tells whoever stores what the body is, as an error that is to be rendered
    /// anew for each answer. Default: 0.
    pub fn format(self, format: u8) -> Self {
        Self { format, ..self }
    }

    /// Returns the outcome without its body.
    pub fn omitted(self) -> Self {
        Self {
            body: Body::Omitted,
            ..self
        }
    }

    /// Returns the outcome with some of its headers.
    pub(crate) fn retaining(&self, keep: impl Fn(&[u8]) -> bool) -> Self {
        let mut outcome = self.clone();
        outcome.headers.retain(|(name, _)| keep(name));
        outcome
    }

    /// Returns the outcome without body and headers: what always fits.
    pub(crate) fn bare(&self) -> Self {
        Self {
            status: self.status,
            format: self.format,
            body: Body::Omitted,
            headers: Vec::new(),
        }
    }

    /// Returns the status.
    #[must_use]
    pub const fn status_code(&self) -> u16 {
        self.status
    }

    /// Returns the number that was set with [`format`](Self::format).
    #[must_use]
    pub const fn format_code(&self) -> u8 {
        self.format
    }

    /// Returns the headers in their order.
    #[must_use]
    pub fn headers(&self) -> &[(Bytes, Bytes)] {
        &self.headers
    }

    /// Returns what is left of the body.
    #[must_use]
    pub const fn body(&self) -> &Body {
        &self.body
    }

    /// Returns whether the body is missing.
    #[must_use]
    pub const fn is_omitted(&self) -> bool {
        matches!(self.body, Body::Omitted)
    }

    /// Returns the body's bytes, which are none where it is omitted.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        match &self.body {
            Body::Full(bytes) => bytes,
            Body::Omitted => &[],
        }
    }

    /// Returns how many bytes [`encode`](Self::encode) makes.
    #[must_use]
    pub fn encoded_len(&self) -> usize {
        let headers: usize = self
            .headers
            .iter()
            .map(|(name, value)| 8 + name.len() + value.len())
            .sum();
        HEAD + headers + self.bytes().len()
    }

    /// Writes it down, with a version in front.
    ///
    /// # Panics
    ///
    /// Panics with 2^32 headers, or a header of 4 GiB.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        let mut out = BytesMut::with_capacity(self.encoded_len());
        out.put_u8(VERSION);
        out.put_u8(u8::from(self.is_omitted()));
        out.put_u8(self.format);
        out.put_u16(self.status);
        out.put_u32(len(self.headers.len()));
        for (name, value) in &self.headers {
            out.put_u32(len(name.len()));
            out.put_u32(len(value.len()));
            out.put_slice(name);
            out.put_slice(value);
        }
        out.put_slice(self.bytes());
        out.freeze()
    }

    /// Reads what [`encode`](Self::encode) wrote, without copying.
    ///
    /// # Errors
    ///
    /// Fails when it is something else, or of another version.
    pub fn decode(encoded: Bytes) -> Result<Self, DecodeError> {
        let mut rest = encoded;
        let head = cut(&mut rest, HEAD)?;
        if head[0] != VERSION || head[1] > 1 {
            return Err(DecodeError(()));
        }
        let is_omitted = head[1] == 1;
        let count = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
        let mut headers = Vec::new();
        for _ in 0..count {
            let lens = cut(&mut rest, 8)?;
            let at =
                |i: usize| u32::from_be_bytes([lens[i], lens[i + 1], lens[i + 2], lens[i + 3]]);
            let name = cut(&mut rest, at(0) as usize)?;
            let value = cut(&mut rest, at(4) as usize)?;
            headers.push((name, value));
        }
        if is_omitted && !rest.is_empty() {
            return Err(DecodeError(()));
        }
        Ok(Self {
            status: u16::from_be_bytes([head[3], head[4]]),
            format: head[2],
            body: if is_omitted {
                Body::Omitted
            } else {
                Body::Full(rest)
            },
            headers,
        })
    }
}

/// Bodies are what callers paid for and hold personal data, so none is shown.
impl fmt::Debug for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outcome")
            .field("status", &self.status)
            .field("format", &self.format)
            .field("headers", &self.headers.len())
            .field("body", &self.body)
            .finish()
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full(bytes) => write!(f, "Full({} bytes)", bytes.len()),
            Self::Omitted => f.write_str("Omitted"),
        }
    }
}

/// Says that bytes are no outcome of this version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecodeError(());

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("stored outcome: expected an encoding of version 1")
    }
}

impl Error for DecodeError {}

const VERSION: u8 = 1;

/// Version, omitted or not, format, status, number of headers.
const HEAD: usize = 9;

fn len(len: usize) -> u32 {
    u32::try_from(len).expect("headers are limited long before by whoever read them")
}

fn cut(rest: &mut Bytes, len: usize) -> Result<Bytes, DecodeError> {
    if len > rest.len() {
        return Err(DecodeError(()));
    }
    Ok(rest.split_to(len))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_bare_outcome_always_fits() {
        let large = Outcome::new(vec![0; 1 << 20]).header("x", vec![1; 1 << 10]);
        assert!(large.bare().encoded_len() <= crate::Caps::ALWAYS_FITS);
    }

    #[test]
    fn a_count_that_is_too_large_is_refused_without_room_for_it() {
        let mut bytes = Outcome::new("").encode().to_vec();
        bytes[5..9].fill(0xff);
        assert!(Outcome::decode(bytes.into()).is_err());
    }

    #[test]
    fn a_body_is_not_shown() {
        let shown = format!("{:?}", Outcome::new("secret").header("h", "hidden"));
        assert!(
            !shown.contains("secret") && !shown.contains("hidden"),
            "{shown}"
        );
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(
            status: u16,
            format: u8,
            headers in prop::collection::vec((any::<Vec<u8>>(), any::<Vec<u8>>()), 0..5),
            body in any::<Option<Vec<u8>>>(),
        ) {
            let mut outcome = Outcome::new(body.clone().unwrap_or_default());
            for (name, value) in headers {
                outcome = outcome.header(name, value);
            }
            let mut outcome = outcome.status(status).format(format);
            if body.is_none() {
                outcome = outcome.omitted();
            }
            let encoded = outcome.encode();
            prop_assert_eq!(encoded.len(), outcome.encoded_len());
            for short in 0..encoded.len().min(HEAD) {
                prop_assert!(Outcome::decode(encoded.slice(..short)).is_err());
            }
            prop_assert_eq!(Outcome::decode(encoded).unwrap(), outcome);
        }

        #[test]
        fn no_bytes_are_too_strange(bytes: Vec<u8>) {
            let _ = Outcome::decode(bytes.into());
        }
    }
}
