//! Text between two lengths.

use std::marker::PhantomData;

use super::text_type;
use crate::read::{TextRules, chars};
use crate::{Code, Cx, Schema, Violation};

/// Text of `MIN` to `MAX` characters.
///
/// # Examples
///
/// ```
/// use seawall_validate::types::Bounded;
///
/// type Title = Bounded<1, 80>;
/// assert!(Title::parse("Walls").is_ok());
/// assert_eq!(Title::parse("").unwrap_err().to_string(), "must be at least 1 character");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bounded<const MIN: usize, const MAX: usize>(String);

/// The rules of [`Bounded`].
#[derive(Debug)]
pub(crate) struct BoundedRules<const MIN: usize, const MAX: usize>(PhantomData<()>);

impl<const MIN: usize, const MAX: usize> TextRules for BoundedRules<MIN, MAX> {
    const RAW: Option<usize> = {
        assert!(MIN <= MAX, "the fewest characters are more than the most");
        Some(MAX.saturating_mul(4))
    };

    fn too_long() -> Violation {
        Violation::new(Code::STRING_TOO_LONG).param("max", MAX)
    }

    fn check(text: &str, cx: &mut Cx<'_>) {
        chars(text, MIN, MAX, cx);
    }

    fn describe(schema: &mut Schema) {
        schema.set("minLength", MIN);
        schema.set("maxLength", MAX);
    }
}

text_type!([const MIN: usize, const MAX: usize] Bounded<MIN, MAX>, BoundedRules<MIN, MAX>);
