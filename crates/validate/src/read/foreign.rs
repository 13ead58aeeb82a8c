//! Types that know nothing of us: through `FromStr`, or through `Deserialize` behind a guard.

use std::borrow::Cow;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::Deserialize;
use serde::de::{Deserializer, Error};

use super::Read;
use super::text::{TextRules, fits_raw};
use crate::input::Input;
use crate::node::Node;
use crate::schema::{Schema, Schemas};
use crate::visitor::{self, Take};
use crate::{Code, Cx, Violation};

/// Text by the rules `R`, then parsed with `FromStr`.
#[derive(Debug)]
pub struct Parsed<R>(PhantomData<R>);

/// What the text is told when `FromStr` refuses it.
const UNPARSED: Code = Code::PATTERN;

impl<'de, R: TextRules, T: FromStr> Read<'de, Parsed<R>> for T {
    fn read<D: Deserializer<'de>>(d: D, cx: &mut Cx<'_>) -> Result<Option<Self>, D::Error> {
        visitor::read(TakeParsed::<R, T>(PhantomData), d, cx)
    }

    fn check(&self, _: &mut Cx<'_>) {}

    fn schema(_: &mut Schemas) -> Schema {
        let mut schema = Schema::of_type("string");
        R::describe(&mut schema);
        schema
    }
}

pub(super) struct TakeParsed<R, T>(pub(super) PhantomData<(R, T)>);

impl<'de, R: TextRules, T: FromStr> Take<'de> for TakeParsed<R, T> {
    type Out = T;
    const WANTS: Code = Code::TYPE_STRING;

    fn text<E: Error>(self, input: Input<'de, '_>, cx: &mut Cx<'_>) -> Result<Option<T>, E> {
        if !fits_raw::<R>(input.as_str(), cx) {
            return Ok(None);
        }
        let before = cx.faults();
        let text = R::normalize(Cow::Borrowed(input.as_str()));
        R::check(&text, cx);
        if cx.faults() > before {
            return Ok(None);
        }
        let value = text.parse().ok();
        if value.is_none() {
            cx.fault(UNPARSED);
        }
        Ok(value)
    }
}

/// Any `Deserialize` type, from a copy of the value that was made under the limits.
///
/// The copy costs memory in proportion to the value, bounded by the limits; so prefer rules.
#[derive(Debug)]
pub struct Foreign;

impl<'de, T: Deserialize<'de>> Read<'de, Foreign> for T {
    fn read<D: Deserializer<'de>>(d: D, cx: &mut Cx<'_>) -> Result<Option<Self>, D::Error> {
        let Some(node) = Node::read(d, cx)? else {
            return Ok(None);
        };
        let value = T::deserialize(node).ok();
        if value.is_none() {
            cx.report(Violation::new(Code::TYPE_MISMATCH));
        }
        Ok(value)
    }

    fn check(&self, _: &mut Cx<'_>) {}

    fn absent() -> Option<Self> {
        // As serde's own derive asks: only an `Option` makes something of nothing.
        T::deserialize(Absent).ok()
    }

    fn schema(_: &mut Schemas) -> Schema {
        Schema::anything()
    }
}

/// The deserializer of an absent field.
struct Absent;

impl<'de> Deserializer<'de> for Absent {
    type Error = serde::de::value::Error;

    fn deserialize_any<V: serde::de::Visitor<'de>>(self, _: V) -> Result<V::Value, Self::Error> {
        Err(Self::Error::custom("absent"))
    }

    fn deserialize_option<V: serde::de::Visitor<'de>>(
        self,
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        visitor.visit_none()
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}
