//! Enums: which variant it is stands around the content, inside it, or beside it.

use std::borrow::Cow;
use std::cell::Cell;
use std::marker::PhantomData;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess};

use super::object::{Fields, next_key, unknown};
use super::{Key, KeyText, read_map};
use crate::input::Input;
use crate::node::{Key as NodeKey, Node};
use crate::path::Step;
use crate::schema::{Schema, Schemas};
use crate::visitor::{self, Drain, NumberText, Take, drain_map, is_number_key};
use crate::{Code, Cx, Violation};

/// An enum, taken apart into variants. The derive implements it.
pub trait Variants<'de>: Sized {
    /// The names of the variants on the wire, in order.
    const NAMES: &'static [&'static str];
    /// The same, for the sentence of a violation.
    const LISTED: &'static str;
    /// Whether no variant has content.
    const UNITS: bool;
    /// Whether keys that nobody knows are refused.
    const CLOSED: bool;

    /// The number of the variant with this name.
    fn find(name: &str) -> Option<usize>;
    /// The variant, if it has no content.
    fn unit(variant: usize) -> Option<Self>;
    /// Reads the content of a variant.
    ///
    /// # Errors
    ///
    /// Those of the deserializer, and the end of the reading at a limit.
    fn content<D: Deserializer<'de>>(
        variant: usize,
        deserializer: D,
        cx: &mut Cx<'_>,
    ) -> Result<Option<Self>, D::Error>;
}

/// An enum whose tag stands among the fields of its variants.
pub trait Tagged<'de>: Variants<'de> {
    /// Reads the fields of a variant; the tag is not among them any more.
    ///
    /// # Errors
    ///
    /// Those of the deserializer, and the end of the reading at a limit.
    fn fields<A: MapAccess<'de>>(
        variant: usize,
        map: A,
        cx: &mut Cx<'_>,
    ) -> Result<Option<Self>, A::Error>;
}

fn not_listed<'de, T: Variants<'de>>(cx: &mut Cx<'_>) {
    cx.report(Violation::new(Code::ONE_OF).param("values", T::LISTED));
}

/// Reads the content behind a tag.
struct ContentSeed<'a, 'c, T> {
    variant: usize,
    cx: &'a mut Cx<'c>,
    kind: PhantomData<T>,
}

impl<'de, T: Variants<'de>> DeserializeSeed<'de> for ContentSeed<'_, '_, T> {
    type Value = Option<T>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<T>, D::Error> {
        T::content(self.variant, deserializer, self.cx)
    }
}

/// Reads `"name"` or `{"name": content}`.
///
/// # Errors
///
/// Those of the deserializer, and the end of the reading at a limit.
pub fn read_external<'de, T: Variants<'de>, D: Deserializer<'de>>(
    deserializer: D,
    cx: &mut Cx<'_>,
) -> Result<Option<T>, D::Error> {
    visitor::read(External::<T>(PhantomData), deserializer, cx)
}

struct External<T>(PhantomData<T>);

impl<'de, T: Variants<'de>> Take<'de> for External<T> {
    type Out = T;
    const WANTS: Code = if T::UNITS {
        Code::TYPE_STRING
    } else {
        Code::TYPE_OBJECT
    };
    const OBJECTS: bool = true;

    fn text<E: Error>(self, input: Input<'de, '_>, cx: &mut Cx<'_>) -> Result<Option<T>, E> {
        let Some(variant) = T::find(input.as_str()) else {
            not_listed::<T>(cx);
            return Ok(None);
        };
        let unit = T::unit(variant);
        if unit.is_none() {
            cx.fault(Code::TYPE_OBJECT);
        }
        Ok(unit)
    }

    fn map<A: MapAccess<'de>>(self, mut map: A, cx: &mut Cx<'_>) -> Result<Option<T>, A::Error> {
        let Some(key) = map.next_key_seed(KeyText(cx.limits().key))? else {
            cx.fault(Self::WANTS);
            return Ok(None);
        };
        if key.as_deref().is_some_and(is_number_key)
            && map.next_value_seed(NumberText(cx))?.is_some()
        {
            cx.fault(Self::WANTS);
            return Ok(None);
        }
        let Some(variant) = key.as_deref().and_then(T::find) else {
            if key.as_deref().is_none_or(|key| !is_number_key(key)) {
                map.next_value_seed(Drain(cx))?;
            }
            not_listed::<T>(cx);
            drain_map(map, cx)?;
            return Ok(None);
        };
        let value = cx.step(Step::Field(T::NAMES[variant]), |cx| {
            map.next_value_seed(ContentSeed::<T> {
                variant,
                cx,
                kind: PhantomData,
            })
        })?;
        let mut keys = 1;
        let mut alone = true;
        while let Some(key) = next_key::<Nothing<true>, A>(&mut map, &mut keys, cx)? {
            alone = false;
            after(key, &mut map, cx)?;
        }
        Ok(value.filter(|_| alone))
    }
}

/// Passes a value over whose key was refused.
fn after<'de, A: MapAccess<'de>>(key: Key, map: &mut A, cx: &mut Cx<'_>) -> Result<(), A::Error> {
    if matches!(key, Key::Number) {
        unknown("$serde_json::private::Number", true, cx);
    }
    map.next_value_seed(Drain(cx))?;
    cx.go_on()
}

/// A struct without fields: what a variant without content is between tags, and what an object is
/// held against when no further key may come.
#[derive(Debug)]
pub struct Nothing<const CLOSED: bool>;

impl<'de, const CLOSED: bool> Fields<'de> for Nothing<CLOSED> {
    type Partial = ();
    const COUNT: usize = 0;
    const CLOSED: bool = CLOSED;

    fn open() {}

    fn find(_: &str) -> Option<usize> {
        None
    }

    fn accept<A: MapAccess<'de>>(
        (): &mut (),
        _: usize,
        map: &mut A,
        cx: &mut Cx<'_>,
    ) -> Result<(), A::Error> {
        map.next_value_seed(Drain(cx))
    }

    fn close((): (), _: &mut Cx<'_>) -> Option<Self> {
        Some(Self)
    }

    fn check_fields(&self, _: &mut Cx<'_>) {}

    fn describe(_: &mut Schema, _: &mut Schemas) {}
}

/// Reads the name behind a tag.
struct TagSeed<'a, 'c, T> {
    tag: &'static str,
    cx: &'a mut Cx<'c>,
    kind: PhantomData<T>,
}

impl<'de, T: Variants<'de>> DeserializeSeed<'de> for TagSeed<'_, '_, T> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        struct TakeTag<T>(PhantomData<T>);
        impl<'de, T: Variants<'de>> Take<'de> for TakeTag<T> {
            type Out = usize;
            const WANTS: Code = Code::TYPE_STRING;

            fn text<E: Error>(
                self,
                input: Input<'de, '_>,
                cx: &mut Cx<'_>,
            ) -> Result<Option<usize>, E> {
                let variant = T::find(input.as_str());
                if variant.is_none() {
                    not_listed::<T>(cx);
                }
                Ok(variant)
            }
        }
        let take = TakeTag::<T>(PhantomData);
        self.cx.step(Step::Field(self.tag), |cx| {
            visitor::read(take, deserializer, cx)
        })
    }
}

/// Reads `{"tag": "name", ..fields}`.
///
/// Where the tag comes first, as everybody writes it, the fields are read directly; what stands
/// before a late tag is held back under the limits.
///
/// # Errors
///
/// Those of the deserializer, and the end of the reading at a limit.
pub fn read_internal<'de, T: Tagged<'de>, D: Deserializer<'de>>(
    tag: &'static str,
    deserializer: D,
    cx: &mut Cx<'_>,
) -> Result<Option<T>, D::Error> {
    visitor::read(
        Internal::<T> {
            tag,
            kind: PhantomData,
        },
        deserializer,
        cx,
    )
}

struct Internal<T> {
    tag: &'static str,
    kind: PhantomData<T>,
}

impl<'de, T: Tagged<'de>> Take<'de> for Internal<T> {
    type Out = T;
    const WANTS: Code = Code::TYPE_OBJECT;
    const OBJECTS: bool = true;

    fn map<A: MapAccess<'de>>(self, mut map: A, cx: &mut Cx<'_>) -> Result<Option<T>, A::Error> {
        let before = cx.faults();
        let mut held = Vec::new();
        while let Some(key) = map.next_key_seed(KeyText(cx.limits().key))? {
            let Some(key) = key else {
                let most = cx.limits().key;
                cx.report(Violation::new(Code::KEY_TOO_LONG).param("max", most));
                map.next_value_seed(Drain(cx))?;
                cx.go_on()?;
                continue;
            };
            if key == self.tag {
                let seed = TagSeed::<T> {
                    tag: self.tag,
                    cx,
                    kind: PhantomData,
                };
                let Some(variant) = map.next_value_seed(seed)? else {
                    drain_map(map, cx)?;
                    return Ok(None);
                };
                let again = Cell::new(false);
                held.reverse();
                let rest = Rest {
                    tag: self.tag,
                    again: &again,
                    most: cx.limits().key,
                    held,
                    value: None,
                    map,
                };
                let value = T::fields(variant, rest, cx)?;
                if again.get() && !cx.duplicates_allowed {
                    cx.step(Step::Field(self.tag), |cx| cx.fault(Code::DUPLICATE_FIELD));
                }
                return Ok(value.filter(|_| cx.faults() == before));
            }
            if is_number_key(&key)
                && held.is_empty()
                && map.next_value_seed(NumberText(cx))?.is_some()
            {
                cx.fault(Self::WANTS);
                return Ok(None);
            }
            if held.len() >= cx.limits().keys {
                return Err(cx.halt(Code::TOO_MANY_KEYS, cx.limits().keys));
            }
            let node = cx.entry(&key, |cx| map.next_value_seed(HoldSeed(cx)))?;
            held.extend(node.map(|node| (key, node)));
            cx.go_on()?;
        }
        cx.step(Step::Field(self.tag), |cx| cx.fault(Code::REQUIRED));
        Ok(None)
    }
}

struct HoldSeed<'a, 'c>(&'a mut Cx<'c>);

impl<'de> DeserializeSeed<'de> for HoldSeed<'_, '_> {
    type Value = Option<Node<'de>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        Node::read(deserializer, self.0)
    }
}

/// What was held back before the tag, and then the rest of the object.
struct Rest<'de, 'a, A> {
    tag: &'static str,
    again: &'a Cell<bool>,
    most: usize,
    /// The last one comes first.
    held: Vec<(Cow<'de, str>, Node<'de>)>,
    value: Option<Node<'de>>,
    map: A,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Rest<'de, '_, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, A::Error> {
        if let Some((key, value)) = self.held.pop() {
            self.value = Some(value);
            return seed
                .deserialize(Node::Text(key))
                .map(Some)
                .map_err(A::Error::custom);
        }
        loop {
            let Some(key) = self.map.next_key_seed(KeyText(self.most))? else {
                return Ok(None);
            };
            // An overlong key is cut to what is still overlong, and so refused as such.
            let key = key.unwrap_or_else(|| Cow::Owned(" ".repeat(self.most.saturating_add(1))));
            if key != self.tag {
                let key = serde::de::IntoDeserializer::into_deserializer(NodeKey(key));
                return seed.deserialize(key).map(Some).map_err(A::Error::custom);
            }
            self.again.set(true);
            self.map.next_value::<IgnoredAny>()?;
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        match self.value.take() {
            Some(node) => seed.deserialize(node).map_err(A::Error::custom),
            None => self.map.next_value_seed(seed),
        }
    }
}

/// Reads the fields of a variant into a struct.
///
/// # Errors
///
/// Those of the deserializer, and the end of the reading at a limit.
pub fn read_variant<'de, T: Fields<'de>, A: MapAccess<'de>>(
    map: A,
    cx: &mut Cx<'_>,
) -> Result<Option<T>, A::Error> {
    read_map(map, cx)
}

/// Reads the null that stands for a variant without content.
///
/// # Errors
///
/// Those of the deserializer, and the end of the reading at a limit.
pub fn read_unit<'de, D: Deserializer<'de>>(
    deserializer: D,
    cx: &mut Cx<'_>,
) -> Result<Option<()>, D::Error> {
    <() as crate::Validate<'de>>::read(deserializer, cx)
}

/// Reads `{"tag": "name", "content": ..}`, in either order.
///
/// # Errors
///
/// Those of the deserializer, and the end of the reading at a limit.
pub fn read_adjacent<'de, T: Variants<'de>, D: Deserializer<'de>>(
    tag: &'static str,
    content: &'static str,
    deserializer: D,
    cx: &mut Cx<'_>,
) -> Result<Option<T>, D::Error> {
    visitor::read(
        Adjacent::<T> {
            tag,
            content,
            kind: PhantomData,
        },
        deserializer,
        cx,
    )
}

struct Adjacent<T> {
    tag: &'static str,
    content: &'static str,
    kind: PhantomData<T>,
}

/// The content, once its key was seen.
enum Content<'de, T> {
    Absent,
    Refused,
    Early(Node<'de>),
    Read(T),
}

impl<'de, T: Variants<'de>> Take<'de> for Adjacent<T> {
    type Out = T;
    const WANTS: Code = Code::TYPE_OBJECT;
    const OBJECTS: bool = true;

    fn map<A: MapAccess<'de>>(self, mut map: A, cx: &mut Cx<'_>) -> Result<Option<T>, A::Error> {
        let before = cx.faults();
        // None: no tag yet. Some(None): a tag that was refused.
        let mut variant: Option<Option<usize>> = None;
        let mut content = Content::Absent;
        let mut keys = 0;
        while let Some(key) = map.next_key_seed(KeyText(cx.limits().key))? {
            keys += 1;
            if keys > cx.limits().keys {
                return Err(cx.halt(Code::TOO_MANY_KEYS, cx.limits().keys));
            }
            let key = key.unwrap_or_else(|| Cow::Owned(" ".repeat(cx.limits().key + 1)));
            let again = if key == self.tag {
                variant.is_some()
            } else {
                key == self.content && !matches!(content, Content::Absent)
            };
            if again && !cx.duplicates_allowed {
                cx.entry(&key, |cx| cx.fault(Code::DUPLICATE_FIELD));
                map.next_value_seed(Drain(cx))?;
            } else if key == self.tag {
                let seed = TagSeed::<T> {
                    tag: self.tag,
                    cx,
                    kind: PhantomData,
                };
                variant = Some(map.next_value_seed(seed)?);
            } else if key == self.content {
                content = cx.step(Step::Field(self.content), |cx| {
                    Ok::<_, A::Error>(match variant {
                        Some(Some(variant)) => {
                            let seed = ContentSeed::<T> {
                                variant,
                                cx,
                                kind: PhantomData,
                            };
                            map.next_value_seed(seed)?
                                .map_or(Content::Refused, Content::Read)
                        }
                        Some(None) => {
                            map.next_value_seed(Drain(cx))?;
                            Content::Refused
                        }
                        None => map
                            .next_value_seed(HoldSeed(cx))?
                            .map_or(Content::Refused, Content::Early),
                    })
                })?;
            } else if keys == 1 && is_number_key(&key) {
                if map.next_value_seed(NumberText(cx))?.is_some() {
                    cx.fault(Self::WANTS);
                    return Ok(None);
                }
                unknown(&key, T::CLOSED, cx);
            } else {
                unknown(&key, T::CLOSED, cx);
                map.next_value_seed(Drain(cx))?;
            }
            cx.go_on()?;
        }
        let Some(variant) = variant else {
            cx.step(Step::Field(self.tag), |cx| cx.fault(Code::REQUIRED));
            return Ok(None);
        };
        let Some(variant) = variant else {
            return Ok(None);
        };
        let value = match content {
            Content::Read(value) => Some(value),
            Content::Refused => None,
            Content::Early(node) => cx.step(Step::Field(self.content), |cx| {
                T::content(variant, node, cx).map_err(A::Error::custom)
            })?,
            Content::Absent => {
                let unit = T::unit(variant);
                if unit.is_none() {
                    cx.step(Step::Field(self.content), |cx| cx.fault(Code::REQUIRED));
                }
                unit
            }
        };
        Ok(value.filter(|_| cx.faults() == before))
    }
}
