//! A share of a whole, exact enough that 5 of 10 is never less than 50 %.

use crate::ConfigError;
use std::fmt;

/// A share between 0 and 1, kept to nine decimal places.
///
/// # Examples
///
/// ```
/// use seawall_breaker::Ratio;
///
/// assert_eq!(Ratio::percent(50), Ratio::new(0.5)?);
/// assert!(Ratio::new(1.5).is_err());
/// # Ok::<(), seawall_breaker::ConfigError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "f64", into = "f64"))]
pub struct Ratio(u32);

impl Ratio {
    /// Nothing of the whole.
    pub const ZERO: Self = Self(0);
    /// All of the whole.
    pub const ONE: Self = Self(ONE);

    /// A ratio from a number between 0 and 1, both included.
    ///
    /// # Errors
    ///
    /// When the number lies outside, or is none.
    pub fn new(value: f64) -> Result<Self, ConfigError> {
        if !(0.0..=1.0).contains(&value) {
            return Err(ConfigError::new("ratio", "a number from 0 to 1", value));
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the value lies between 0 and 1, so the product lies between 0 and ONE"
        )]
        Ok(Self((value * f64::from(ONE)).round() as u32))
    }

    /// A ratio in whole percent.
    ///
    /// # Panics
    ///
    /// When the number is greater than 100; in a `const`, that is a compile error.
    #[must_use]
    pub const fn percent(percent: u8) -> Self {
        assert!(percent <= 100, "a ratio is at most 100 percent");
        Self(percent as u32 * (ONE / 100))
    }

    /// The number between 0 and 1.
    #[must_use]
    pub fn get(self) -> f64 {
        f64::from(self.0) / f64::from(ONE)
    }

    /// Whether `part` of `whole` is at least this ratio.
    pub(crate) fn reached(self, part: u32, whole: u32) -> bool {
        // One part in a billion is forgiven, so that two thirds, which nine places round up, are
        // reached by 2 of 3.
        scaled(part, ONE) + u64::from(whole) >= scaled(whole, self.0)
    }

    /// Whether `part` of `whole` is more than this ratio.
    pub(crate) fn exceeded(self, part: u32, whole: u32) -> bool {
        scaled(part, ONE) > scaled(whole, self.0) + u64::from(whole)
    }
}

/// Below `2^32 * 10^9`, which leaves room in 64 bits for the sums above.
fn scaled(count: u32, by: u32) -> u64 {
    u64::from(count) * u64::from(by)
}

const ONE: u32 = 1_000_000_000;

impl TryFrom<f64> for Ratio {
    type Error = ConfigError;

    fn try_from(value: f64) -> Result<Self, ConfigError> {
        Self::new(value)
    }
}

impl From<Ratio> for f64 {
    fn from(ratio: Ratio) -> Self {
        ratio.get()
    }
}

impl fmt::Debug for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ratio({})", self.get())
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} %", self.get() * 100.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(ratio: f64, part: u32, whole: u32, reached: bool, exceeded: bool) {
        let ratio = Ratio::new(ratio).unwrap();
        assert_eq!(
            ratio.reached(part, whole),
            reached,
            "{part} of {whole} reaches {ratio}"
        );
        assert_eq!(
            ratio.exceeded(part, whole),
            exceeded,
            "{part} of {whole} exceeds {ratio}"
        );
    }

    #[test]
    fn an_equal_share_reaches_and_does_not_exceed() {
        check(0.5, 5, 10, true, false);
        check(0.3, 3, 10, true, false);
        check(1.0, 7, 7, true, false);
        check(1.0 / 3.0, 1, 3, true, false);
        check(2.0 / 3.0, 2, 3, true, false);
        check(2.0 / 3.0, 666_666, 999_999, true, false);
        check(1.0, u32::MAX, u32::MAX, true, false);
    }

    #[test]
    fn one_less_does_not_reach_and_one_more_exceeds() {
        check(0.5, 4, 10, false, false);
        check(0.5, 6, 10, true, true);
        check(1.0 / 3.0, 340, 1_023, false, false);
        check(1.0 / 3.0, 342, 1_023, true, true);
        check(0.999_999, 999_998, 1_000_000, false, false);
    }

    #[test]
    fn one_part_in_a_billion_is_forgiven_and_two_are_not() {
        check(5e-9, 6, 1_000_000_000, true, false);
        check(5e-9, 7, 1_000_000_000, true, true);
        check(5e-9, 4, 1_000_000_000, true, false);
        check(5e-9, 3, 1_000_000_000, false, false);
    }

    #[test]
    fn a_ratio_reads_as_its_number() {
        let third = Ratio::new(0.3).unwrap();
        assert_eq!(f64::from(third), 0.3);
        assert_eq!(format!("{third:?} {third}"), "Ratio(0.3) 30 %");
    }

    #[test]
    fn what_is_no_share_does_not_construct() {
        for bad in [-0.1, 1.000_1, f64::NAN, f64::INFINITY] {
            assert!(Ratio::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn percent_and_number_are_the_same_value() {
        assert_eq!(Ratio::percent(30), Ratio::new(0.3).unwrap());
        assert_eq!(Ratio::percent(100), Ratio::ONE);
        assert_eq!(Ratio::percent(0), Ratio::ZERO);
    }
}
