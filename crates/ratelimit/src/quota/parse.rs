//! Reads a quota from text, at compile time too.

use std::error::Error;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::{Algorithm, Quota};

/// Why a text or a pair of numbers is no quota.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct QuotaError {
    message: &'static str,
}

impl QuotaError {
    pub(super) const ZERO_PERIOD: Self = Self::new("the period of a quota must not be zero");
    pub(super) const PERIOD_TOO_LONG: Self =
        Self::new("the period of a quota must be at most 366 days");
    pub(super) const TOO_FAST: Self =
        Self::new("a quota must allow at most one unit a microsecond");
    pub(super) const BURST_TOO_LARGE: Self =
        Self::new("the burst of a quota must refill within 35 years");

    const NUMBER: Self = Self::new("expected a whole number below 4294967296, as in \"10/minute\"");
    const SEPARATOR: Self = Self::new(
        "expected `/` or `per` after the limit, as in \"10/minute\" or \"5 per 2 hours\"",
    );
    const UNIT: Self = Self::new(
        "expected a unit: microsecond, millisecond, second, minute, hour, day, week, or us, ms, s, \
         sec, m, min, h, d, w",
    );
    const OPTION: Self =
        Self::new("expected `burst=N` or `algorithm=gcra|sliding_window|fixed_window` after `;`");
    const REPEATED: Self = Self::new("expected each option of a quota at most once");
    const WINDOW_BURST: Self = Self::new("expected no burst: a window has none");

    const fn new(message: &'static str) -> Self {
        Self { message }
    }

    /// What was expected.
    #[must_use]
    pub const fn message(&self) -> &'static str {
        self.message
    }
}

impl fmt::Display for QuotaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message)
    }
}

impl Error for QuotaError {}

impl FromStr for Quota {
    type Err = QuotaError;

    /// Reads `N / unit`, `N per M unit`, `N/Munit`, each optionally followed by `;burst=N` and
    /// `;algorithm=gcra|sliding_window|fixed_window`. Case and white space do not matter.
    fn from_str(text: &str) -> Result<Self, QuotaError> {
        Self::parse(text)
    }
}

impl Quota {
    /// Reads a quota from text; the constant form of [`FromStr`].
    ///
    /// # Errors
    ///
    /// If the text is not of the form `N/unit`, `N per M units`, with options after `;`, or names a
    /// quota that [`Quota::new`] would refuse.
    pub const fn parse(text: &str) -> Result<Self, QuotaError> {
        let mut at = Cursor {
            text: text.as_bytes(),
            position: 0,
        };
        let Some(limit) = at.number() else {
            return Err(QuotaError::NUMBER);
        };
        if !at.byte(b'/') && !at.word("per") {
            return Err(QuotaError::SEPARATOR);
        }
        let count = if at.at_digit() {
            match at.number() {
                Some(count) => count,
                None => return Err(QuotaError::NUMBER),
            }
        } else {
            1
        };
        let Some(unit_us) = at.unit() else {
            return Err(QuotaError::UNIT);
        };
        // At most 2^32 weeks of microseconds: 2.6e21 overflows, and is far beyond the longest period.
        let Some(period_us) = unit_us.checked_mul(count as u64) else {
            return Err(QuotaError::PERIOD_TOO_LONG);
        };

        let mut burst = None;
        let mut algorithm = None;
        while at.byte(b';') {
            if at.word("burst") {
                if burst.is_some() {
                    return Err(QuotaError::REPEATED);
                }
                if !at.byte(b'=') {
                    return Err(QuotaError::OPTION);
                }
                burst = at.number();
                if burst.is_none() {
                    return Err(QuotaError::NUMBER);
                }
            } else if at.word("algorithm") {
                if algorithm.is_some() {
                    return Err(QuotaError::REPEATED);
                }
                if !at.byte(b'=') {
                    return Err(QuotaError::OPTION);
                }
                algorithm = Some(if at.word("gcra") {
                    Algorithm::Gcra
                } else if at.word("sliding_window") {
                    Algorithm::SlidingWindow
                } else if at.word("fixed_window") {
                    Algorithm::FixedWindow
                } else {
                    return Err(QuotaError::OPTION);
                });
            } else {
                return Err(QuotaError::OPTION);
            }
        }
        at.skip_white();
        if at.position != at.text.len() {
            return Err(QuotaError::OPTION);
        }

        let quota = match Self::new(limit, Duration::from_micros(period_us)) {
            Ok(quota) => quota,
            Err(error) => return Err(error),
        };
        match (algorithm, burst) {
            (None | Some(Algorithm::Gcra), None) => Ok(quota),
            (None | Some(Algorithm::Gcra), Some(burst)) => quota.try_with_burst(burst),
            (Some(_), Some(_)) => Err(QuotaError::WINDOW_BURST),
            (Some(algorithm), None) => Ok(quota.with_algorithm(algorithm)),
        }
    }

    /// What [`quota!`](crate::quota!) calls.
    #[doc(hidden)]
    #[must_use]
    pub const fn literal(text: &str) -> Self {
        match Self::parse(text) {
            Ok(quota) => quota,
            Err(error) => panic!("{}", error.message()),
        }
    }
}

/// A place in the text. Each method skips white space first, and moves only when it succeeds.
struct Cursor<'a> {
    text: &'a [u8],
    position: usize,
}

impl Cursor<'_> {
    const fn skip_white(&mut self) {
        while self.position < self.text.len() && self.text[self.position].is_ascii_whitespace() {
            self.position += 1;
        }
    }

    const fn at_digit(&mut self) -> bool {
        self.skip_white();
        self.position < self.text.len() && self.text[self.position].is_ascii_digit()
    }

    const fn byte(&mut self, expected: u8) -> bool {
        self.skip_white();
        let found = self.position < self.text.len() && self.text[self.position] == expected;
        if found {
            self.position += 1;
        }
        found
    }

    const fn number(&mut self) -> Option<u32> {
        if !self.at_digit() {
            return None;
        }
        let mut value: u64 = 0;
        while self.position < self.text.len() && self.text[self.position].is_ascii_digit() {
            value = value * 10 + (self.text[self.position] - b'0') as u64;
            if value > u32::MAX as u64 {
                return None;
            }
            self.position += 1;
        }
        #[expect(
            clippy::cast_possible_truncation,
            reason = "compared with u32::MAX in the loop"
        )]
        Some(value as u32)
    }

    /// A whole word, case aside: letters and `_` up to the next other byte.
    const fn word(&mut self, expected: &str) -> bool {
        self.skip_white();
        let expected = expected.as_bytes();
        let end = self.position + expected.len();
        if end > self.text.len() || (end < self.text.len() && is_letter(self.text[end])) {
            return false;
        }
        let mut i = 0;
        while i < expected.len() {
            if self.text[self.position + i].to_ascii_lowercase() != expected[i] {
                return false;
            }
            i += 1;
        }
        self.position = end;
        true
    }

    const fn unit(&mut self) -> Option<u64> {
        let mut i = 0;
        while i < UNITS.len() {
            let (name, micros) = UNITS[i];
            if self.word(name) {
                return Some(micros);
            }
            i += 1;
        }
        None
    }
}

const fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_'
}

pub(super) const SECOND: u64 = 1_000_000;
pub(super) const MINUTE: u64 = 60 * SECOND;
pub(super) const HOUR: u64 = 60 * MINUTE;
pub(super) const DAY: u64 = 24 * HOUR;

const UNITS: [(&str, u64); 27] = [
    ("s", SECOND),
    ("sec", SECOND),
    ("secs", SECOND),
    ("second", SECOND),
    ("seconds", SECOND),
    ("m", MINUTE),
    ("min", MINUTE),
    ("mins", MINUTE),
    ("minute", MINUTE),
    ("minutes", MINUTE),
    ("h", HOUR),
    ("hr", HOUR),
    ("hrs", HOUR),
    ("hour", HOUR),
    ("hours", HOUR),
    ("d", DAY),
    ("day", DAY),
    ("days", DAY),
    ("w", 7 * DAY),
    ("week", 7 * DAY),
    ("weeks", 7 * DAY),
    ("ms", 1_000),
    ("millisecond", 1_000),
    ("milliseconds", 1_000),
    ("us", 1),
    ("microsecond", 1),
    ("microseconds", 1),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Quota) {
        assert_eq!(Quota::parse(text), Ok(expected), "{text}");
    }

    fn refused(text: &str, expected: QuotaError) {
        assert_eq!(Quota::parse(text), Err(expected), "{text}");
    }

    fn every(limit: u32, seconds: u64) -> Quota {
        Quota::new(limit, Duration::from_secs(seconds)).unwrap()
    }

    #[test]
    fn reads_numbers_and_units_in_any_spelling() {
        check("10/minute", Quota::per_minute(10));
        check("1 per second", Quota::per_second(1));
        check("1/SECOND", Quota::per_second(1));
        check(" 1 / Second ", Quota::per_second(1));
        check("5 per 2 hours", every(5, 7_200));
        check("1 per 3 hour", every(1, 10_800));
        check("1/2 day", every(1, 172_800));
        check("100/15s", every(100, 15));
        check("7/week", every(7, 604_800));
        check(
            "2/500ms",
            Quota::new(2, Duration::from_millis(500)).unwrap(),
        );
        check("0/day", Quota::per_day(0));
    }

    #[test]
    fn reads_options() {
        check("100/15s;burst=20", every(100, 15).with_burst(20));
        check(
            "100/15s ; Burst = 20 ; algorithm=gcra",
            every(100, 15).with_burst(20),
        );
        let sliding = Quota::per_hour(5).with_algorithm(Algorithm::SlidingWindow);
        check("5/h;algorithm=sliding_window", sliding);
        check(
            "5/h;ALGORITHM=fixed_window",
            Quota::per_hour(5).with_algorithm(Algorithm::FixedWindow),
        );
    }

    #[test]
    fn an_error_says_what_was_expected() {
        let error = Quota::parse("10 perhaps minute").unwrap_err();
        assert!(error.message().starts_with("expected `/` or `per`"));
        assert_eq!(error.to_string(), error.message());
    }

    #[test]
    fn refuses_with_what_was_expected() {
        refused("", QuotaError::NUMBER);
        refused("meow", QuotaError::NUMBER);
        refused("-1/minute", QuotaError::NUMBER);
        refused("4294967296/day", QuotaError::NUMBER);
        refused("10", QuotaError::SEPARATOR);
        refused("10 minute", QuotaError::SEPARATOR);
        refused("10 perhaps minute", QuotaError::SEPARATOR);
        refused("1 per millenium", QuotaError::UNIT);
        refused("1 per yearl", QuotaError::UNIT);
        refused("1/", QuotaError::UNIT);
        refused("1/minutes_", QuotaError::UNIT);
        refused("1.5/minute", QuotaError::SEPARATOR);
        refused("1/minute burst=2", QuotaError::OPTION);
        refused("1/minute;", QuotaError::OPTION);
        refused("1/minute;burst", QuotaError::OPTION);
        refused("1/minute;burst=", QuotaError::NUMBER);
        refused("1/minute;burst=1;burst=2", QuotaError::REPEATED);
        refused(
            "1/minute;algorithm=gcra;algorithm=gcra",
            QuotaError::REPEATED,
        );
        refused("1/minute;algorithm=log", QuotaError::OPTION);
        refused(
            "1/minute;burst=2;algorithm=fixed_window",
            QuotaError::WINDOW_BURST,
        );
        refused("1/0 minutes", QuotaError::ZERO_PERIOD);
        refused("1/4294967295 weeks", QuotaError::PERIOD_TOO_LONG);
        refused("1/367 days", QuotaError::PERIOD_TOO_LONG);
        refused("1000001/second", QuotaError::TOO_FAST);
        refused("1/366d;burst=36", QuotaError::BURST_TOO_LARGE);
    }
}
