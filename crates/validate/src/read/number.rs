//! Numbers: read wide, compared with the range, and only then narrowed.

use std::marker::PhantomData;

use serde::de::{Deserializer, Error};

use super::Read;
use crate::cx::Mode;
use crate::input::Input;
use crate::schema::{Schema, Schemas};
use crate::visitor::{self, Take};
use crate::{Code, Cx, Param, Validate, Violation};

/// A number type.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a number",
    label = "`range`, `multiple_of` and the like are for numbers"
)]
pub trait Num: Copy + PartialOrd {
    /// What is reported when the value is no such number.
    const WANTS: Code;
    /// The name of the type in JSON Schema.
    const SCHEMA_TYPE: &'static str;
    /// The least number of the type.
    const LEAST: Self;
    /// The greatest number of the type.
    const MOST: Self;

    /// Narrows a whole number. The error says on which side it fell out.
    ///
    /// # Errors
    ///
    /// `Less` if the number is below the type's range, `Greater` if above.
    fn from_int(value: i128) -> Result<Self, std::cmp::Ordering>;

    /// Narrows a number with a fraction; none if the type has no fractions.
    fn from_float(value: f64) -> Option<Self>;

    /// Whether this is a number one can compute with.
    fn is_finite(self) -> bool {
        true
    }

    /// The number as a parameter of a violation.
    fn param(self) -> Param;
}

macro_rules! int {
    ($($int:ty),*) => {$(
        impl Num for $int {
            const WANTS: Code = Code::TYPE_INTEGER;
            const SCHEMA_TYPE: &'static str = "integer";
            const LEAST: Self = <$int>::MIN;
            const MOST: Self = <$int>::MAX;

            fn from_int(value: i128) -> Result<Self, std::cmp::Ordering> {
                Self::try_from(value).map_err(|_| value.cmp(&0))
            }

            fn from_float(_: f64) -> Option<Self> {
                None
            }

            fn param(self) -> Param {
                Param::Int(i128::try_from(self).unwrap_or(i128::MAX))
            }
        }
    )*};
}
int!(
    u8, u16, u32, u64, u128, usize, i8, i16, i32, i64, i128, isize
);

macro_rules! float {
    ($($float:ty),*) => {$(
        impl Num for $float {
            const WANTS: Code = Code::TYPE_NUMBER;
            const SCHEMA_TYPE: &'static str = "number";
            const LEAST: Self = <$float>::MIN;
            const MOST: Self = <$float>::MAX;

            #[expect(clippy::cast_precision_loss, reason = "a float field asks for the nearest float")]
            fn from_int(value: i128) -> Result<Self, std::cmp::Ordering> {
                Ok(value as Self)
            }

            #[allow(
                clippy::cast_possible_truncation,
                trivial_numeric_casts,
                reason = "each is one type's only; overflow becomes infinite, which is refused"
            )]
            fn from_float(value: f64) -> Option<Self> {
                Some(value as Self)
            }

            fn is_finite(self) -> bool {
                self.is_finite()
            }

            fn param(self) -> Param {
                Param::Float(self.into())
            }
        }
    )*};
}
float!(f32, f64);

/// The number type inside a field's type: `u8` for `Option<u8>`.
pub trait NumberOf {
    /// The number type.
    type Number: Num;
}

impl<N: Num> NumberOf for N {
    type Number = N;
}

impl<T: NumberOf> NumberOf for Option<T> {
    type Number = T::Number;
}

/// The permitted numbers.
#[derive(Clone, Copy, Debug)]
pub struct Span<N> {
    /// The least, included.
    pub min: Option<N>,
    /// The greatest, included.
    pub max: Option<N>,
    /// The lower bound, excluded.
    pub above: Option<N>,
    /// The upper bound, excluded.
    pub below: Option<N>,
}

impl<N> Span<N> {
    /// Every number of the type.
    pub const ALL: Self = Self {
        min: None,
        max: None,
        above: None,
        below: None,
    };
}

impl<N: Num> Span<N> {
    fn check(&self, value: N, cx: &mut Cx<'_>) {
        if let Some(min) = self.min.filter(|min| value < *min) {
            cx.report(Violation::new(Code::NUMBER_TOO_SMALL).param("min", min.param()));
        } else if let Some(above) = self.above.filter(|above| value <= *above) {
            cx.report(Violation::new(Code::NUMBER_NOT_ABOVE).param("above", above.param()));
        } else if let Some(max) = self.max.filter(|max| value > *max) {
            cx.report(Violation::new(Code::NUMBER_TOO_LARGE).param("max", max.param()));
        } else if let Some(below) = self.below.filter(|below| value >= *below) {
            cx.report(Violation::new(Code::NUMBER_NOT_BELOW).param("below", below.param()));
        }
    }

    /// The nearest of the permitted numbers.
    fn nearest(&self, value: N) -> N {
        match (self.min, self.max) {
            (Some(min), _) if value < min => min,
            (_, Some(max)) if value > max => max,
            _ => value,
        }
    }

    /// The end that is nearest to a number which does not even fit the type.
    fn end(&self, side: std::cmp::Ordering) -> Option<N> {
        if side.is_lt() { self.min } else { self.max }
    }

    /// Reports a number that does not even fit the type, by the nearest bound.
    fn outside(&self, side: std::cmp::Ordering, cx: &mut Cx<'_>) {
        let violation = if side.is_lt() {
            match (self.min, self.above) {
                (None, Some(above)) => {
                    Violation::new(Code::NUMBER_NOT_ABOVE).param("above", above.param())
                }
                (min, _) => Violation::new(Code::NUMBER_TOO_SMALL)
                    .param("min", min.unwrap_or(N::LEAST).param()),
            }
        } else {
            match (self.max, self.below) {
                (None, Some(below)) => {
                    Violation::new(Code::NUMBER_NOT_BELOW).param("below", below.param())
                }
                (max, _) => Violation::new(Code::NUMBER_TOO_LARGE)
                    .param("max", max.unwrap_or(N::MOST).param()),
            }
        };
        cx.report(violation);
    }
}

/// What one field says about its number.
pub trait NumberRules<N: Num> {
    /// The permitted numbers.
    const SPAN: Span<N>;

    /// Whether a number outside of [`SPAN`](Self::SPAN) is moved to its nearest end.
    const CLAMP: bool = false;

    /// Further rules.
    fn check(value: N, cx: &mut Cx<'_>);

    /// Adds further keywords of JSON Schema.
    fn describe(schema: &mut Schema);
}

/// A number by the rules `R`.
#[derive(Debug)]
pub struct Number<R>(PhantomData<R>);

/// No rules but the type's range.
struct Any;

impl<N: Num> NumberRules<N> for Any {
    const SPAN: Span<N> = Span::ALL;

    fn check(_: N, _: &mut Cx<'_>) {}

    fn describe(_: &mut Schema) {}
}

impl<'de, N: Num, R: NumberRules<N>> Read<'de, Number<R>> for N {
    fn read<D: Deserializer<'de>>(d: D, cx: &mut Cx<'_>) -> Result<Option<Self>, D::Error> {
        visitor::read(TakeNumber::<R, N>(PhantomData), d, cx)
    }

    fn check(&self, cx: &mut Cx<'_>) {
        check::<R, N>(*self, cx);
    }

    fn schema(_: &mut Schemas) -> Schema {
        let mut schema = Schema::of_type(N::SCHEMA_TYPE);
        let span = R::SPAN;
        let (min, max) = match N::SCHEMA_TYPE {
            // The type's own range is a rule too: 300 is refused for a `u8`. But there is no lower
            // bound to tell where an excluded one was given.
            "integer" => (
                span.min
                    .or_else(|| span.above.is_none().then_some(N::LEAST)),
                span.max.or_else(|| span.below.is_none().then_some(N::MOST)),
            ),
            _ => (span.min, span.max),
        };
        let bounds = [
            ("minimum", min),
            ("maximum", max),
            ("exclusiveMinimum", span.above),
            ("exclusiveMaximum", span.below),
        ];
        for (keyword, bound) in bounds {
            if let Some(bound) = bound {
                schema.set(keyword, bound.param());
            }
        }
        R::describe(&mut schema);
        schema
    }
}

fn check<R: NumberRules<N>, N: Num>(value: N, cx: &mut Cx<'_>) -> Option<N> {
    let before = cx.faults();
    if !value.is_finite() {
        cx.fault(Code::NOT_FINITE);
        return None;
    }
    R::SPAN.check(value, cx);
    R::check(value, cx);
    (cx.faults() == before).then_some(value)
}

/// Judges a number as it was read.
fn settle<R: NumberRules<N>, N: Num>(value: N, cx: &mut Cx<'_>) -> Option<N> {
    if R::CLAMP {
        check::<R, N>(R::SPAN.nearest(value), cx)
    } else {
        check::<R, N>(value, cx)
    }
}

/// Judges a number that does not even fit the type.
fn settle_outside<R: NumberRules<N>, N: Num>(
    side: std::cmp::Ordering,
    cx: &mut Cx<'_>,
) -> Option<N> {
    match R::SPAN.end(side).filter(|_| R::CLAMP) {
        Some(end) => check::<R, N>(end, cx),
        None => {
            R::SPAN.outside(side, cx);
            None
        }
    }
}

struct TakeNumber<R, N>(PhantomData<(R, N)>);

impl<'de, N: Num, R: NumberRules<N>> Take<'de> for TakeNumber<R, N> {
    type Out = N;
    const WANTS: Code = N::WANTS;

    fn int<E: Error>(self, value: i128, cx: &mut Cx<'_>) -> Result<Option<N>, E> {
        Ok(match N::from_int(value) {
            Ok(value) => settle::<R, N>(value, cx),
            Err(side) => settle_outside::<R, N>(side, cx),
        })
    }

    fn float<E: Error>(self, value: f64, cx: &mut Cx<'_>) -> Result<Option<N>, E> {
        if let Some(value) = N::from_float(value) {
            return Ok(settle::<R, N>(value, cx));
        }
        // JSON readers turn integers beyond 64 bits into floats; such a number is too large and
        // not of the wrong type.
        if value.abs() >= 18_446_744_073_709_551_615.0 && value.fract() == 0.0 {
            return Ok(settle_outside::<R, N>(value.total_cmp(&0.0), cx));
        }
        cx.fault(N::WANTS);
        Ok(None)
    }

    fn text<E: Error>(self, input: Input<'de, '_>, cx: &mut Cx<'_>) -> Result<Option<N>, E> {
        let text = input.as_str();
        if cx.mode == Mode::Text && is_plain_number(text) {
            if let Ok(value) = text.parse() {
                return self.int(value, cx);
            }
            if let Ok(value) = text.parse() {
                return self.float(value, cx);
            }
        }
        cx.fault(N::WANTS);
        Ok(None)
    }
}

/// What JSON calls a number: so `+1`, `0x1`, `1_000`, `inf`, ` 1` and `007` are none. A single
/// spelling for each number keeps two caches, or two rate limits, from seeing two numbers.
fn is_plain_number(text: &str) -> bool {
    const MOST: usize = 64;
    let digits = text.strip_prefix('-').unwrap_or(text);
    let whole = digits.len()
        - digits
            .trim_start_matches(|c: char| c.is_ascii_digit())
            .len();
    let canonical = whole == 1 || (whole > 1 && !digits.starts_with('0'));
    let rest = &digits[whole..];
    text.len() <= MOST
        && canonical
        && (rest.is_empty()
            || (rest.starts_with(['.', 'e', 'E'])
                && rest.ends_with(|c: char| c.is_ascii_digit())
                && !rest.starts_with(".e")
                && !rest.starts_with(".E")))
}

macro_rules! own {
    ($($number:ty),*) => {$(
        impl<'de> Validate<'de> for $number {
            fn read<D: Deserializer<'de>>(d: D, cx: &mut Cx<'_>) -> Result<Option<Self>, D::Error> {
                <Self as Read<'de, Number<Any>>>::read(d, cx)
            }

            fn check(&self, cx: &mut Cx<'_>) {
                <Self as Read<'de, Number<Any>>>::check(self, cx);
            }

            fn schema(schemas: &mut Schemas) -> Schema {
                <Self as Read<'de, Number<Any>>>::schema(schemas)
            }
        }
    )*};
}
own!(
    u8, u16, u32, u64, u128, usize, i8, i16, i32, i64, i128, isize, f32, f64
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_numbers_have_one_spelling() {
        for good in ["0", "-1", "30", "1.5", "1e3", "-0.25"] {
            assert!(is_plain_number(good), "{good}");
        }
        for bad in [
            "", "-", "+1", "007", "0x1", "1_0", " 1", "1 ", "inf", "NaN", "1.", ".5", "1.e2", "1e",
        ] {
            assert!(!is_plain_number(bad), "{bad}");
        }
    }
}
