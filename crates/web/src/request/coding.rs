//! How a request's body is packed.

use std::ops::ControlFlow;

use super::RequestHead;

/// The content coding of a request's body, as `Content-Encoding` tells it (RFC 9110, section 8.4).
///
/// A body that is packed is not what it seems: a few kilobytes may unpack to gigabytes. So whoever
/// reads a body asks first, and refuses with
/// [`answer::coding::unsupported`](crate::answer::coding::unsupported) what nobody unpacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Coding {
    /// As it is.
    Identity,
    /// `gzip`, or `x-gzip`, which is the same.
    Gzip,
    /// `deflate`: the zlib format.
    Deflate,
    /// Anything else, and any two on top of each other: a bomb in a bomb has the ratio of both.
    Other,
}

impl Coding {
    /// Reads it from all lines of the header.
    #[must_use]
    pub fn of(head: &dyn RequestHead) -> Self {
        let mut coding = Self::Identity;
        head.each_header("content-encoding", &mut |line| {
            for name in line.split(|byte| *byte == b',') {
                let this = Self::named(name.trim_ascii());
                coding = match (coding, this) {
                    (before, Self::Identity) => before,
                    (Self::Identity, this) => this,
                    _ => Self::Other,
                };
            }
            ControlFlow::Continue(())
        });
        coding
    }

    fn named(name: &[u8]) -> Self {
        let is = |other: &[u8]| name.eq_ignore_ascii_case(other);
        if name.is_empty() || is(b"identity") {
            Self::Identity
        } else if is(b"gzip") || is(b"x-gzip") {
            Self::Gzip
        } else if is(b"deflate") {
            Self::Deflate
        } else {
            Self::Other
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::FakeHead;

    #[track_caller]
    fn check(lines: &[&str], expected: Coding) {
        let head = lines.iter().fold(FakeHead::default(), |head, line| {
            head.with_header("content-encoding", line)
        });
        assert_eq!(Coding::of(&head), expected, "{lines:?}");
    }

    #[test]
    fn one_coding_is_told_by_its_name() {
        check(&[], Coding::Identity);
        check(&[""], Coding::Identity);
        check(&["identity"], Coding::Identity);
        check(&["GZip"], Coding::Gzip);
        check(&["x-gzip"], Coding::Gzip);
        check(&[" deflate "], Coding::Deflate);
        for other in ["br", "zstd", "compress", "rot13", "gzip;q=1", "g zip"] {
            check(&[other], Coding::Other);
        }
    }

    #[test]
    fn two_codings_are_one_too_many_on_one_line_or_on_two() {
        check(&["gzip, gzip"], Coding::Other);
        check(&["gzip", "deflate"], Coding::Other);
        check(&["identity, gzip"], Coding::Gzip);
        check(&["identity", "gzip"], Coding::Gzip);
        check(&["br, identity"], Coding::Other);
    }
}
