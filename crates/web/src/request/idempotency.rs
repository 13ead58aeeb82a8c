//! Which requests are to be done once, and what the client calls them by.

use std::ops::ControlFlow;

use seawall_idempotency::{IdempotencyKey, KeyError};

use super::RequestHead;

/// Whether a request of this method is expected to change something, so that a key means something
/// for it. Of the safe methods (RFC 9110, section 9.2.1) a repetition does no harm, and a key that
/// comes with one is passed over.
#[must_use]
pub fn changes_state(method: &str) -> bool {
    !matches!(method, "GET" | "HEAD" | "OPTIONS" | "TRACE")
}

/// Reads the `Idempotency-Key` of a request: `None` where there is none.
///
/// # Errors
///
/// As [`IdempotencyKey::only`]: when it is no key, or the header came more than once.
pub fn idempotency_key(head: &dyn RequestHead) -> Result<Option<IdempotencyKey>, KeyError> {
    let mut found = Ok(None);
    let mut lines = 0;
    head.each_header("idempotency-key", &mut |line| {
        lines += 1;
        found = if lines == 1 {
            IdempotencyKey::parse(line).map(Some)
        } else {
            // Whatever the two lines say: the leaf has the error for several.
            IdempotencyKey::only([line, line])
        };
        if lines == 1 {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    });
    found
}

#[cfg(test)]
mod tests {
    use seawall_idempotency::KeyErrorKind;

    use super::*;
    use crate::testing::FakeHead;

    fn read(lines: &[&[u8]]) -> Result<Option<String>, KeyErrorKind> {
        let head = lines.iter().fold(FakeHead::default(), |head, line| {
            head.with_header_bytes("idempotency-key", line)
        });
        idempotency_key(&head)
            .map(|key| key.map(|key| key.as_str().to_owned()))
            .map_err(KeyError::kind)
    }

    #[test]
    fn one_line_is_a_key_and_two_are_none() {
        assert_eq!(read(&[]), Ok(None));
        assert_eq!(read(&[b"k-1"]), Ok(Some("k-1".to_owned())));
        assert_eq!(read(&[b"\"k-1\""]), Ok(Some("k-1".to_owned())));
        assert_eq!(read(&[b""]), Err(KeyErrorKind::Empty));
        assert_eq!(read(&[&[b'k'; 256]]), Err(KeyErrorKind::TooLong));
        assert_eq!(read(&[b"k\xff"]), Err(KeyErrorKind::Character));
        for second in [&b"k-1"[..], b"k-2", b""] {
            assert_eq!(read(&[b"k-1", second]), Err(KeyErrorKind::Repeated));
            assert_eq!(read(&[second, b"k-1"]), Err(KeyErrorKind::Repeated));
        }
    }

    #[test]
    fn what_only_reads_needs_no_key() {
        for method in ["GET", "HEAD", "OPTIONS", "TRACE"] {
            assert!(!changes_state(method));
        }
        for method in ["POST", "PUT", "PATCH", "DELETE", "get", "PURGE"] {
            assert!(changes_state(method));
        }
    }
}
