//! A value held for later, made under the limits: what a tag that comes late, or a foreign type,
//! has to wait in.

use std::borrow::Cow;

use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error, IntoDeserializer, MapAccess, SeqAccess,
    VariantAccess, Visitor,
};

use crate::input::Input;
use crate::read::KeyText;
use crate::visitor::{self, Take, drain_map};
use crate::{Code, Cx, Violation};

/// A buffered value.
#[derive(Clone, Debug)]
pub(crate) enum Node<'de> {
    Null,
    Bool(bool),
    Int(i128),
    Float(f64),
    Text(Cow<'de, str>),
    Seq(Vec<Self>),
    Map(Vec<(Cow<'de, str>, Self)>),
}

impl<'de> Node<'de> {
    /// Copies a value; none if something in it was refused.
    pub(crate) fn read<D: Deserializer<'de>>(
        deserializer: D,
        cx: &mut Cx<'_>,
    ) -> Result<Option<Self>, D::Error> {
        visitor::read(TakeNode, deserializer, cx)
    }
}

struct TakeNode;

struct NodeSeed<'a, 'c>(&'a mut Cx<'c>);

impl<'de> DeserializeSeed<'de> for NodeSeed<'_, '_> {
    type Value = Option<Node<'de>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        Node::read(deserializer, self.0)
    }
}

impl<'de> Take<'de> for TakeNode {
    type Out = Node<'de>;
    const WANTS: Code = Code::TYPE_MISMATCH;
    const OBJECTS: bool = true;

    fn text<E: Error>(
        self,
        input: Input<'de, '_>,
        cx: &mut Cx<'_>,
    ) -> Result<Option<Node<'de>>, E> {
        let most = cx.limits().string;
        if input.as_str().len() > most {
            cx.report(Violation::new(Code::BYTES_TOO_LONG).param("max", most));
            return Ok(None);
        }
        Ok(Some(Node::Text(match input {
            Input::Borrowed(text) => Cow::Borrowed(text),
            Input::Lent(text) => Cow::Owned(text.to_owned()),
            Input::Owned(text) => Cow::Owned(text),
        })))
    }

    fn int<E: Error>(self, value: i128, _: &mut Cx<'_>) -> Result<Option<Node<'de>>, E> {
        Ok(Some(Node::Int(value)))
    }

    fn float<E: Error>(self, value: f64, _: &mut Cx<'_>) -> Result<Option<Node<'de>>, E> {
        Ok(Some(Node::Float(value)))
    }

    fn boolean<E: Error>(self, value: bool, _: &mut Cx<'_>) -> Result<Option<Node<'de>>, E> {
        Ok(Some(Node::Bool(value)))
    }

    fn null<E: Error>(self, _: &mut Cx<'_>) -> Result<Option<Node<'de>>, E> {
        Ok(Some(Node::Null))
    }

    fn seq<A: SeqAccess<'de>>(
        self,
        mut items: A,
        cx: &mut Cx<'_>,
    ) -> Result<Option<Node<'de>>, A::Error> {
        let most = cx.limits().items;
        let before = cx.faults();
        let mut out = Vec::new();
        while let Some(item) = items.next_element_seed(NodeSeed(cx))? {
            if out.len() == most {
                cx.report(Violation::new(Code::TOO_MANY_ITEMS).param("max", most));
                visitor::drain_seq(items, cx)?;
                return Ok(None);
            }
            out.extend(item);
        }
        Ok((cx.faults() == before).then_some(Node::Seq(out)))
    }

    fn map<A: MapAccess<'de>>(
        self,
        mut map: A,
        cx: &mut Cx<'_>,
    ) -> Result<Option<Node<'de>>, A::Error> {
        let most = cx.limits().keys;
        let before = cx.faults();
        let mut out: Vec<(Cow<'de, str>, Node<'de>)> = Vec::new();
        let mut seen = std::collections::HashSet::new();
        while let Some(key) = map.next_key_seed(KeyText(cx.limits().key))? {
            let Some(key) = key else {
                let most = cx.limits().key;
                cx.report(Violation::new(Code::KEY_TOO_LONG).param("max", most));
                map.next_value_seed(visitor::Drain(cx))?;
                drain_map(map, cx)?;
                return Ok(None);
            };
            if seen.len() >= most {
                return Err(cx.halt(Code::TOO_MANY_KEYS, most));
            }
            if visitor::is_number_key(&key) {
                if let Some(number) = map.next_value_seed(visitor::NumberText(cx))? {
                    return Ok(Some(match number {
                        visitor::Number::Int(number) => Node::Int(number),
                        visitor::Number::Float(number) => Node::Float(number),
                    }));
                }
                // A client's object in a number's clothes would be taken for a number by
                // serde_json's own types.
                cx.entry(&key, |cx| cx.fault(Code::UNKNOWN_FIELD));
                continue;
            }
            if !seen.insert(key.clone()) && !cx.duplicates_allowed {
                cx.entry(&key, |cx| cx.fault(Code::DUPLICATE_FIELD));
                map.next_value_seed(visitor::Drain(cx))?;
                continue;
            }
            if let Some(value) = cx.entry(&key, |cx| map.next_value_seed(NodeSeed(cx)))? {
                out.push((key, value));
            }
        }
        Ok((cx.faults() == before).then_some(Node::Map(out)))
    }
}

type Fault = serde::de::value::Error;

impl<'de> Deserializer<'de> for Node<'de> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self {
            Self::Null => visitor.visit_unit(),
            Self::Bool(value) => visitor.visit_bool(value),
            Self::Int(value) => match (u64::try_from(value), i64::try_from(value)) {
                (Ok(value), _) => visitor.visit_u64(value),
                (_, Ok(value)) => visitor.visit_i64(value),
                _ => visitor.visit_i128(value),
            },
            Self::Float(value) => visitor.visit_f64(value),
            Self::Text(Cow::Borrowed(text)) => visitor.visit_borrowed_str(text),
            Self::Text(Cow::Owned(text)) => visitor.visit_string(text),
            Self::Seq(items) => {
                let mut items = SeqDeserializer::new(items.into_iter());
                let value = visitor.visit_seq(&mut items)?;
                items.end().map(|()| value)
            }
            Self::Map(entries) => {
                let mut entries =
                    MapDeserializer::new(entries.into_iter().map(|(key, value)| (Key(key), value)));
                let value = visitor.visit_map(&mut entries)?;
                entries.end().map(|()| value)
            }
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self {
            Self::Null => visitor.visit_none(),
            other => visitor.visit_some(other),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match self {
            Self::Text(variant) => visitor.visit_enum(Variant {
                name: variant,
                content: None,
            }),
            Self::Map(mut entries) if entries.len() == 1 => {
                let Some((name, content)) = entries.pop() else {
                    return Err(Fault::custom("an enum"));
                };
                visitor.visit_enum(Variant {
                    name,
                    content: Some(content),
                })
            }
            _ => Err(Fault::custom("not an enum")),
        }
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

impl<'de> IntoDeserializer<'de, Fault> for Node<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// A key as a deserializer that lends its text for as long as it can.
pub(crate) struct Key<'de>(pub(crate) Cow<'de, str>);

impl<'de> IntoDeserializer<'de, Fault> for Key<'de> {
    type Deserializer = Node<'de>;

    fn into_deserializer(self) -> Node<'de> {
        Node::Text(self.0)
    }
}

struct Variant<'de> {
    name: Cow<'de, str>,
    content: Option<Node<'de>>,
}

impl<'de> EnumAccess<'de> for Variant<'de> {
    type Error = Fault;
    type Variant = Content<'de>;

    fn variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<(S::Value, Content<'de>), Fault> {
        let name = seed.deserialize(Node::Text(self.name))?;
        Ok((name, Content(self.content)))
    }
}

struct Content<'de>(Option<Node<'de>>);

impl<'de> VariantAccess<'de> for Content<'de> {
    type Error = Fault;

    fn unit_variant(self) -> Result<(), Fault> {
        match self.0 {
            None | Some(Node::Null) => Ok(()),
            Some(_) => Err(Fault::custom("a variant without content")),
        }
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Fault> {
        match self.0 {
            Some(content) => seed.deserialize(content),
            None => Err(Fault::custom("a variant with content")),
        }
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Fault> {
        match self.0 {
            Some(content @ Node::Seq(_)) => content.deserialize_any(visitor),
            _ => Err(Fault::custom("a variant with a list")),
        }
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match self.0 {
            Some(content @ (Node::Map(_) | Node::Seq(_))) => content.deserialize_any(visitor),
            _ => Err(Fault::custom("a variant with fields")),
        }
    }
}
