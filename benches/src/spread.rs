//! The least, the middle and the greatest of many figures.

use serde::Serialize;

/// Three figures that say how much a measurement scatters.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Spread {
    /// The least.
    pub min: f64,
    /// The middle one, or the mean of the middle two.
    pub median: f64,
    /// The greatest.
    pub max: f64,
}

impl Spread {
    /// `None` where there is no figure at all.
    #[must_use]
    pub fn of(mut figures: Vec<f64>) -> Option<Self> {
        figures.sort_by(f64::total_cmp);
        let (&min, &max) = (figures.first()?, figures.last()?);
        let middle = figures.len() / 2;
        let median = if figures.len() % 2 == 1 {
            figures[middle]
        } else {
            f64::midpoint(figures[middle - 1], figures[middle])
        };
        Some(Self { min, median, max })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(figures: &[f64], expected: [f64; 3]) {
        let spread = Spread::of(figures.to_vec()).unwrap();
        assert_eq!([spread.min, spread.median, spread.max], expected);
    }

    #[test]
    fn the_middle_is_found_in_any_order() {
        check(&[3.0, 1.0, 2.0], [1.0, 2.0, 3.0]);
        check(&[5.0], [5.0, 5.0, 5.0]);
    }

    #[test]
    fn between_two_middles_lies_their_mean() {
        check(&[4.0, 1.0, 2.0, 9.0], [1.0, 3.0, 9.0]);
    }

    #[test]
    fn nothing_has_no_spread() {
        assert_eq!(Spread::of(Vec::new()), None);
    }
}
