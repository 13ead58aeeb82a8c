//! Deadlines on the wire: what is left of a budget, as a header says it.
//!
//! Both grammars are relative ("so long from when this arrives"), since the clocks of two machines
//! disagree. Only a peer that you trust should be believed, and no peer more than your own maximum:
//!
//! ```
//! use std::time::Duration;
//! use seawall_timeout::{Deadline, header};
//!
//! # fn main() -> Result<(), header::HeaderError> {
//! // What came in, clamped by what this service allows anybody:
//! let maximum = Duration::from_secs(30);
//! let asked = header::parse_grpc(b"5S")?;
//! let deadline = Deadline::after(header::clamp([asked], maximum));
//!
//! // What goes out: the rest, minus what we need to answer with it.
//! if let Some(left) = deadline.reserve(Duration::from_millis(100)).remaining() {
//!     let value = header::format_millis(left);
//!     assert!(value == "4900" || value.starts_with("48"));
//! }
//! # Ok(()) }
//! ```

use std::error::Error;
use std::fmt;
use std::time::Duration;

/// The name of gRPC's header, in lower case.
pub const GRPC_TIMEOUT: &str = "grpc-timeout";

/// The name of the header in whole milliseconds, in lower case.
pub const REQUEST_TIMEOUT_MS: &str = "x-request-timeout-ms";

/// Reads a value of `grpc-timeout`: 1 to 8 digits and one unit of `H`, `M`, `S`, `m`, `u`, `n`.
///
/// Zero is accepted and means that no time is left; to refuse it would be to give more.
///
/// # Errors
///
/// [`HeaderError`] for every other text, white space and signs included.
pub fn parse_grpc(value: &[u8]) -> Result<Duration, HeaderError> {
    let wrong = HeaderError {
        expected: "1 to 8 digits and a unit of H, M, S, m, u or n",
    };
    let (&unit, digits) = value.split_last().ok_or(wrong)?;
    let amount = parse_digits(digits, 8).ok_or(wrong)?;
    match unit {
        b'H' => Ok(Duration::from_secs(amount * 3600)),
        b'M' => Ok(Duration::from_secs(amount * 60)),
        b'S' => Ok(Duration::from_secs(amount)),
        b'm' => Ok(Duration::from_millis(amount)),
        b'u' => Ok(Duration::from_micros(amount)),
        b'n' => Ok(Duration::from_nanos(amount)),
        _ => Err(wrong),
    }
}

/// Writes a value of `grpc-timeout`, in the finest unit whose number has no more than 8 digits.
///
/// What does not fit is cut, never rounded up: no one is promised more than there is. More than
/// 99,999,999 hours are written as that.
#[must_use]
pub fn format_grpc(left: Duration) -> String {
    let seconds = u128::from(left.as_secs());
    let (amount, unit) = [
        (left.as_nanos(), 'n'),
        (left.as_micros(), 'u'),
        (left.as_millis(), 'm'),
        (seconds, 'S'),
        (seconds / 60, 'M'),
    ]
    .into_iter()
    .find(|(amount, _)| *amount <= MOST_GRPC)
    .unwrap_or(((seconds / 3600).min(MOST_GRPC), 'H'));
    format!("{amount}{unit}")
}

/// Reads a value of `x-request-timeout-ms`: 1 to 10 digits.
///
/// # Errors
///
/// [`HeaderError`] for every other text, white space and signs included.
pub fn parse_millis(value: &[u8]) -> Result<Duration, HeaderError> {
    parse_digits(value, 10)
        .map(Duration::from_millis)
        .ok_or(HeaderError {
            expected: "1 to 10 digits",
        })
}

/// Writes a value of `x-request-timeout-ms`. What is less than a millisecond is cut.
#[must_use]
pub fn format_millis(left: Duration) -> String {
    left.as_millis().min(MOST_MILLIS).to_string()
}

/// The shortest of what was asked for, and never more than `maximum`.
#[must_use]
pub fn clamp(asked: impl IntoIterator<Item = Duration>, maximum: Duration) -> Duration {
    asked.into_iter().fold(maximum, Duration::min)
}

/// A header whose value is no timeout. The value itself is not kept: it may be anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeaderError {
    expected: &'static str,
}

impl HeaderError {
    /// What the grammar allows.
    #[must_use]
    pub fn expected(&self) -> &'static str {
        self.expected
    }
}

impl fmt::Display for HeaderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "invalid timeout header, expected {}", self.expected)
    }
}

impl Error for HeaderError {}

/// The number that up to `most` digits (ten at most, so nothing overflows) and nothing else make.
fn parse_digits(digits: &[u8], most: usize) -> Option<u64> {
    if digits.is_empty() || digits.len() > most {
        return None;
    }
    digits.iter().try_fold(0, |number: u64, digit| {
        digit
            .is_ascii_digit()
            .then(|| number * 10 + u64::from(digit - b'0'))
    })
}

const MOST_GRPC: u128 = 99_999_999;
const MOST_MILLIS: u128 = 9_999_999_999;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check_grpc(value: &str, expected: Option<Duration>) {
        assert_eq!(parse_grpc(value.as_bytes()).ok(), expected, "{value}");
    }

    #[test]
    fn reads_the_units_of_grpc() {
        check_grpc("3H", Some(Duration::from_secs(10_800)));
        check_grpc("2M", Some(Duration::from_secs(120)));
        check_grpc("42S", Some(Duration::from_secs(42)));
        check_grpc("13m", Some(Duration::from_millis(13)));
        check_grpc("2u", Some(Duration::from_micros(2)));
        check_grpc("82n", Some(Duration::from_nanos(82)));
        check_grpc("00000001S", Some(Duration::from_secs(1)));
        check_grpc("99999999H", Some(Duration::from_secs(99_999_999 * 3600)));
        check_grpc("0n", Some(Duration::ZERO));
    }

    #[test]
    fn refuses_what_grpc_does_not_allow() {
        for wrong in [
            "",
            "S",
            "5",
            "5s",
            "5h",
            "+5S",
            "-5S",
            " 5S",
            "5S ",
            "5 S",
            "1.5S",
            "123456789S",
            "5SS",
            "٥S",
        ] {
            check_grpc(wrong, None);
        }
        assert!(parse_grpc(b"5\xff").is_err());
    }

    #[test]
    fn writes_the_finest_unit_that_fits() {
        for (left, expected) in [
            (Duration::ZERO, "0n"),
            (Duration::from_nanos(99_999_999), "99999999n"),
            (Duration::from_nanos(100_000_999), "100000u"),
            (Duration::from_secs(5), "5000000u"),
            (Duration::from_secs(100), "100000m"),
            (Duration::from_secs(100_000), "100000S"),
            (Duration::from_secs(100_000_059), "1666667M"),
            (Duration::MAX, "99999999H"),
        ] {
            assert_eq!(format_grpc(left), expected);
        }
    }

    #[test]
    fn reads_milliseconds_and_nothing_else() {
        assert_eq!(parse_millis(b"1500"), Ok(Duration::from_millis(1500)));
        assert_eq!(
            parse_millis(b"9999999999"),
            Ok(Duration::from_millis(9_999_999_999))
        );
        for wrong in [
            &b""[..],
            b"10000000000",
            b"1.5",
            b"1e3",
            b"-1",
            b"+1",
            b" 1",
            b"1 ",
            b"\xd9\xa1",
        ] {
            assert!(parse_millis(wrong).is_err());
        }
        assert_eq!(format_millis(Duration::from_micros(1_999)), "1");
        assert_eq!(format_millis(Duration::MAX), "9999999999");
    }

    #[test]
    fn the_shortest_wins_and_the_maximum_holds() {
        let s = Duration::from_secs;
        assert_eq!(clamp([], s(30)), s(30));
        assert_eq!(clamp([s(60)], s(30)), s(30));
        assert_eq!(clamp([s(7), s(5)], s(30)), s(5));
    }

    proptest! {
        #[test]
        fn what_was_written_reads_as_no_more_and_hardly_less(
            seconds in 0..=u64::from(u32::MAX),
            nanos in 0..1_000_000_000_u32,
            cut in 0..64_u32,
        ) {
            let left = Duration::new(seconds >> cut, nanos);
            let read = parse_grpc(format_grpc(left).as_bytes()).unwrap();
            prop_assert!(read <= left);
            // A unit is a thousand times the next at most, so five digits at least are kept.
            prop_assert!(left - read <= left / 99_999);
            let read = parse_millis(format_millis(left).as_bytes()).unwrap();
            prop_assert!(read <= left);
        }

        #[test]
        fn no_bytes_break_the_parsers(value in proptest::collection::vec(any::<u8>(), 0..12)) {
            if let Ok(read) = parse_grpc(&value) {
                prop_assert!(parse_grpc(format_grpc(read).as_bytes()).is_ok());
            }
            if let Ok(read) = parse_millis(&value) {
                prop_assert_eq!(parse_millis(format_millis(read).as_bytes()), Ok(read));
            }
        }
    }
}
