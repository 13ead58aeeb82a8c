//! Text: a cap on the raw bytes, then normalising, then the rules, then the value.

use std::borrow::Cow;
use std::marker::PhantomData;

use serde::de::{Deserializer, Error};

use super::Read;
use crate::input::{FromText, Input};
use crate::schema::{Schema, Schemas};
use crate::visitor::{self, Take};
use crate::{Code, Cx, Violation};

/// What one field says about its text. The derive implements it for a type of no size.
pub trait TextRules {
    /// The most bytes that are looked at, before normalising: four times the maximum, since a
    /// character has at most four bytes, and so that a valid text may be padded with white space.
    /// None: the field is `unbounded`, and [`Limits::string`](crate::Limits::string) holds.
    const RAW: Option<usize>;

    /// What a text over [`RAW`](Self::RAW) is told.
    fn too_long() -> Violation;

    /// Puts the text into its normal form.
    #[must_use]
    fn normalize(text: Cow<'_, str>) -> Cow<'_, str> {
        text
    }

    /// Records what is wrong with a text in normal form.
    fn check(text: &str, cx: &mut Cx<'_>);

    /// Adds the keywords of JSON Schema.
    fn describe(schema: &mut Schema);
}

/// Text by the rules `R`.
#[derive(Debug)]
pub struct Text<R>(PhantomData<R>);

impl<'de, R: TextRules, T: FromText<'de>> Read<'de, Text<R>> for T {
    fn read<D: Deserializer<'de>>(d: D, cx: &mut Cx<'_>) -> Result<Option<Self>, D::Error> {
        visitor::read(TakeText::<R, T>(PhantomData), d, cx)
    }

    fn check(&self, cx: &mut Cx<'_>) {
        R::check(self.as_text(), cx);
    }

    fn schema(_: &mut Schemas) -> Schema {
        let mut schema = Schema::of_type("string");
        R::describe(&mut schema);
        schema
    }
}

pub(super) struct TakeText<R, T>(pub(super) PhantomData<(R, T)>);

impl<'de, R: TextRules, T: FromText<'de>> Take<'de> for TakeText<R, T> {
    type Out = T;
    const WANTS: Code = Code::TYPE_STRING;

    fn text<E: Error>(self, input: Input<'de, '_>, cx: &mut Cx<'_>) -> Result<Option<T>, E> {
        if !fits_raw::<R>(input.as_str(), cx) {
            return Ok(None);
        }
        let before = cx.faults();
        let (value, text_is_sound);
        match input {
            Input::Borrowed(text) => {
                let text = R::normalize(Cow::Borrowed(text));
                R::check(&text, cx);
                text_is_sound = cx.faults() == before;
                value = if text_is_sound {
                    T::from_input(text)
                } else {
                    None
                };
            }
            Input::Lent(text) => {
                let text = R::normalize(Cow::Borrowed(text));
                R::check(&text, cx);
                text_is_sound = cx.faults() == before;
                value = if text_is_sound {
                    T::from_lent(text)
                } else {
                    None
                };
            }
            Input::Owned(text) => {
                let text = R::normalize(Cow::Owned(text));
                R::check(&text, cx);
                text_is_sound = cx.faults() == before;
                value = if text_is_sound {
                    T::from_input(text)
                } else {
                    None
                };
            }
        }
        if value.is_none() && text_is_sound {
            cx.fault(Code::NOT_BORROWED);
        }
        Ok(value)
    }
}

/// Whether the text is short enough to be looked at; says so if it is not.
pub(crate) fn fits_raw<R: TextRules>(text: &str, cx: &mut Cx<'_>) -> bool {
    match R::RAW {
        Some(most) if text.len() > most => {
            cx.report(R::too_long());
            false
        }
        None if text.len() > cx.limits().string => {
            let most = cx.limits().string;
            cx.report(Violation::new(Code::BYTES_TOO_LONG).param("max", most));
            false
        }
        _ => true,
    }
}

/// Applies one normaliser, and keeps the text it has where nothing changed.
pub fn then<'a>(
    text: Cow<'a, str>,
    normalize: impl for<'x> Fn(&'x str) -> Cow<'x, str>,
) -> Cow<'a, str> {
    match text {
        Cow::Borrowed(text) => normalize(text),
        Cow::Owned(text) => {
            let changed = match normalize(&text) {
                Cow::Borrowed(same) if same == text => None,
                other => Some(other.into_owned()),
            };
            Cow::Owned(changed.unwrap_or(text))
        }
    }
}

/// Checks how many characters there are. False ends the field's rules: what is too long is not
/// matched against a pattern, and a sentence about the format of an empty text helps nobody.
pub fn chars(text: &str, min: usize, max: usize, cx: &mut Cx<'_>) -> bool {
    if crate::rule::more_chars_than(text, max) {
        cx.report(Violation::new(Code::STRING_TOO_LONG).param("max", max));
    } else if crate::rule::fewer_chars_than(text, min) {
        cx.report(Violation::new(Code::STRING_TOO_SHORT).param("min", min));
    } else {
        return true;
    }
    false
}

/// Checks how many bytes there are, as [`chars`] does.
pub fn bytes(text: &str, min: usize, max: usize, cx: &mut Cx<'_>) -> bool {
    if text.len() > max {
        cx.report(Violation::new(Code::BYTES_TOO_LONG).param("max", max));
    } else if text.len() < min {
        cx.report(Violation::new(Code::BYTES_TOO_SHORT).param("min", min));
    } else {
        return true;
    }
    false
}
