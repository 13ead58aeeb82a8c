//! Writes a quota as the text that reads back as the same quota.

use std::fmt;

use super::parse::{DAY, HOUR, MINUTE, SECOND};
use super::{Algorithm, Quota};

impl fmt::Display for Quota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/", self.limit)?;
        match self.period_us {
            SECOND => f.write_str("second")?,
            MINUTE => f.write_str("minute")?,
            HOUR => f.write_str("hour")?,
            DAY => f.write_str("day")?,
            us => {
                let (unit, name) = UNITS
                    .into_iter()
                    .find(|(unit, _)| us % unit == 0)
                    .expect("every whole number is a multiple of one microsecond");
                write!(f, "{}{name}", us / unit)?;
            }
        }
        if self.algorithm == Algorithm::Gcra && self.burst != self.limit {
            write!(f, ";burst={}", self.burst)?;
        }
        match self.algorithm {
            Algorithm::Gcra => Ok(()),
            Algorithm::SlidingWindow => f.write_str(";algorithm=sliding_window"),
            Algorithm::FixedWindow => f.write_str(";algorithm=fixed_window"),
        }
    }
}

impl fmt::Debug for Quota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Quota({self})")
    }
}

const UNITS: [(u64, &str); 6] = [
    (DAY, "d"),
    (HOUR, "h"),
    (MINUTE, "min"),
    (SECOND, "s"),
    (1_000, "ms"),
    (1, "us"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let quota: Quota = text.parse().unwrap();
        assert_eq!(quota.to_string(), expected);
        assert_eq!(expected.parse(), Ok(quota));
    }

    #[test]
    fn writes_what_reads_back() {
        check("10/minute", "10/minute");
        check("10 per 60 seconds", "10/minute");
        check("5 per 2 hours", "5/2h");
        check("100/15s;burst=20", "100/15s;burst=20");
        check("1/90ms", "1/90ms");
        check("1/week", "1/7d");
        check(
            "1/1001us;algorithm=fixed_window",
            "1/1001us;algorithm=fixed_window",
        );
        check(
            "9/day;algorithm=sliding_window",
            "9/day;algorithm=sliding_window",
        );
    }

    #[test]
    fn debug_is_the_text() {
        assert_eq!(format!("{:?}", Quota::per_minute(10)), "Quota(10/minute)");
    }
}
