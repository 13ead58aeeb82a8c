//! An empty text that means nothing was said, as forms send it.

use std::borrow::Cow;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::de::{Deserializer, Error};

use super::Read;
use super::foreign::{Parsed, TakeParsed};
use super::text::{TakeText, Text, TextRules, fits_raw};
use crate::input::{FromText, Input};
use crate::schema::{Schema, Schemas};
use crate::visitor::{self, Take};
use crate::{Code, Cx};

/// Text by the rules `R`, nothing if it is empty in its normal form, and else read as `K`.
#[derive(Debug)]
pub struct EmptyAsNone<R, K>(PhantomData<(R, K)>);

macro_rules! read {
    ($([$($from:tt)*] $kind:ident, $take:ident;)*) => {$(
        impl<'de, R: TextRules, T: $($from)*> Read<'de, EmptyAsNone<R, $kind<R>>> for Option<T> {
            fn read<D: Deserializer<'de>>(
                d: D,
                cx: &mut Cx<'_>,
            ) -> Result<Option<Self>, D::Error> {
                let take = $take::<R, T>(PhantomData);
                visitor::read(TakeFilled::<R, _>(take, PhantomData), d, cx)
            }

            fn check(&self, cx: &mut Cx<'_>) {
                if let Some(value) = self {
                    <T as Read<'de, $kind<R>>>::check(value, cx);
                }
            }

            fn absent() -> Option<Self> {
                Some(None)
            }

            fn schema(schemas: &mut Schemas) -> Schema {
                <T as Read<'de, $kind<R>>>::schema(schemas).or_null()
            }
        }
    )*};
}
read! {
    [FromText<'de>] Text, TakeText;
    [FromStr] Parsed, TakeParsed;
}

/// Looks whether a text is empty before it is taken.
struct TakeFilled<R, T>(T, PhantomData<R>);

impl<'de, R: TextRules, T: Take<'de>> Take<'de> for TakeFilled<R, T> {
    type Out = Option<T::Out>;
    const WANTS: Code = T::WANTS;

    fn null<E: Error>(self, _: &mut Cx<'_>) -> Result<Option<Self::Out>, E> {
        Ok(Some(None))
    }

    fn text<E: Error>(
        self,
        input: Input<'de, '_>,
        cx: &mut Cx<'_>,
    ) -> Result<Option<Self::Out>, E> {
        if !fits_raw::<R>(input.as_str(), cx) {
            return Ok(None);
        }
        // It is normalised once more when it is taken, which for a normal form means one look.
        let input = match input {
            Input::Borrowed(text) => match R::normalize(Cow::Borrowed(text)) {
                Cow::Borrowed(text) => Input::Borrowed(text),
                Cow::Owned(text) => Input::Owned(text),
            },
            Input::Lent(text) => match R::normalize(Cow::Borrowed(text)) {
                Cow::Borrowed(text) => Input::Lent(text),
                Cow::Owned(text) => Input::Owned(text),
            },
            Input::Owned(text) => Input::Owned(R::normalize(Cow::Owned(text)).into_owned()),
        };
        if input.as_str().is_empty() {
            return Ok(Some(None));
        }
        Ok(self.0.text(input, cx)?.map(Some))
    }
}
