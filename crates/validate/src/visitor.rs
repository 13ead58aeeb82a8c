//! The one visitor: it takes whatever the format delivers, so that a wrong type is a violation
//! like any other and reading goes on behind it.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::input::Input;
use crate::{Code, Cx};

/// What a field makes of each kind of value. The provided methods refuse: they record the wrong
/// type, read the value to its end under the limits, and yield nothing.
pub(crate) trait Take<'de>: Sized {
    type Out;

    /// What is reported when the value is of another kind.
    const WANTS: Code;

    fn text<E: Error>(self, _: Input<'de, '_>, cx: &mut Cx<'_>) -> Result<Option<Self::Out>, E> {
        cx.fault(Self::WANTS);
        Ok(None)
    }

    fn int<E: Error>(self, _: i128, cx: &mut Cx<'_>) -> Result<Option<Self::Out>, E> {
        cx.fault(Self::WANTS);
        Ok(None)
    }

    fn float<E: Error>(self, _: f64, cx: &mut Cx<'_>) -> Result<Option<Self::Out>, E> {
        cx.fault(Self::WANTS);
        Ok(None)
    }

    fn boolean<E: Error>(self, _: bool, cx: &mut Cx<'_>) -> Result<Option<Self::Out>, E> {
        cx.fault(Self::WANTS);
        Ok(None)
    }

    fn null<E: Error>(self, cx: &mut Cx<'_>) -> Result<Option<Self::Out>, E> {
        cx.fault_null(Self::WANTS);
        Ok(None)
    }

    fn seq<A: SeqAccess<'de>>(
        self,
        items: A,
        cx: &mut Cx<'_>,
    ) -> Result<Option<Self::Out>, A::Error> {
        // In a query, several values for one name arrive as a list.
        cx.fault(match cx.mode {
            crate::cx::Mode::Text => Code::DUPLICATE_FIELD,
            crate::cx::Mode::Typed => Self::WANTS,
        });
        drain_seq(items, cx)?;
        Ok(None)
    }

    /// An object; `Self::OBJECTS` says whether this is ever called.
    fn map<A: MapAccess<'de>>(
        self,
        entries: A,
        cx: &mut Cx<'_>,
    ) -> Result<Option<Self::Out>, A::Error> {
        cx.fault(Self::WANTS);
        drain_map(entries, cx)?;
        Ok(None)
    }

    /// Whether an object is welcome. Where it is not, a map is first looked at for `serde_json`'s
    /// disguise of numbers.
    const OBJECTS: bool = false;
}

/// Reads one value of a self-describing format.
pub(crate) fn read<'de, T: Take<'de>, D: Deserializer<'de>>(
    take: T,
    deserializer: D,
    cx: &mut Cx<'_>,
) -> Result<Option<T::Out>, D::Error> {
    cx.count()?;
    deserializer.deserialize_any(Any {
        take,
        cx,
        input: PhantomData,
    })
}

/// Reads one list where values are written as text: there, only the field knows whether it is one.
pub(crate) fn read_seq<'de, T: Take<'de>, D: Deserializer<'de>>(
    take: T,
    deserializer: D,
    cx: &mut Cx<'_>,
) -> Result<Option<T::Out>, D::Error> {
    cx.count()?;
    deserializer.deserialize_seq(Any {
        take,
        cx,
        input: PhantomData,
    })
}

struct Any<'a, 'c, 'de, T> {
    take: T,
    cx: &'a mut Cx<'c>,
    input: PhantomData<&'de ()>,
}

impl<'de, T: Take<'de>> Visitor<'de> for Any<'_, '_, 'de, T> {
    type Value = Option<T::Out>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Self::Value, E> {
        self.take.boolean(value, self.cx)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
        self.take.int(value.into(), self.cx)
    }

    fn visit_i128<E: Error>(self, value: i128) -> Result<Self::Value, E> {
        self.take.int(value, self.cx)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Self::Value, E> {
        self.take.int(value.into(), self.cx)
    }

    fn visit_u128<E: Error>(self, value: u128) -> Result<Self::Value, E> {
        // Beyond i128 every field's range has ended long before; the largest value stands for it.
        self.take
            .int(i128::try_from(value).unwrap_or(i128::MAX), self.cx)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Self::Value, E> {
        self.take.float(value, self.cx)
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Self::Value, E> {
        self.take.text(Input::Lent(value), self.cx)
    }

    fn visit_borrowed_str<E: Error>(self, value: &'de str) -> Result<Self::Value, E> {
        self.take.text(Input::Borrowed(value), self.cx)
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Self::Value, E> {
        self.take.text(Input::Owned(value), self.cx)
    }

    fn visit_bytes<E: Error>(self, value: &[u8]) -> Result<Self::Value, E> {
        match std::str::from_utf8(value) {
            Ok(text) => self.visit_str(text),
            Err(_) => Err(E::custom("text that is not UTF-8")),
        }
    }

    fn visit_none<E: Error>(self) -> Result<Self::Value, E> {
        self.take.null(self.cx)
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        self.take.null(self.cx)
    }

    fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<Self::Value, D::Error> {
        inner.deserialize_any(self)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<Self::Value, D::Error> {
        inner.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Self::Value, A::Error> {
        self.cx.enter()?;
        let out = self.take.seq(items, self.cx)?;
        self.cx.leave();
        Ok(out)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        if !T::OBJECTS {
            match entries.next_key_seed(IsNumberKey)? {
                None => {
                    self.cx.fault(T::WANTS);
                    return Ok(None);
                }
                Some(true) => {
                    if let Some(number) = entries.next_value_seed(NumberText(self.cx))? {
                        return match number {
                            Number::Int(number) => self.take.int(number, self.cx),
                            Number::Float(number) => self.take.float(number, self.cx),
                        };
                    }
                }
                Some(false) => entries.next_value_seed(Drain(self.cx))?,
            }
        }
        self.cx.enter()?;
        let out = self.take.map(entries, self.cx)?;
        self.cx.leave();
        Ok(out)
    }
}

/// With `serde_json`'s feature `arbitrary_precision`, which any crate of a program can turn on for
/// all, a number arrives as a map with this one key and its digits as an *owned* string. A client
/// may write such an object too, but its text arrives borrowed or lent, so the two cannot be
/// confused.
const NUMBER_KEY: &str = "$serde_json::private::Number";

pub(crate) fn is_number_key(key: &str) -> bool {
    key == NUMBER_KEY
}

struct IsNumberKey;

impl<'de> DeserializeSeed<'de> for IsNumberKey {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Visitor<'_> for IsNumberKey {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<bool, E> {
        Ok(is_number_key(key))
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<bool, E> {
        Ok(false)
    }
}

#[derive(Clone, Copy)]
pub(crate) enum Number {
    Int(i128),
    Float(f64),
}

/// Reads the value behind the number key: the number, or nothing if it was a client's object, in
/// which case the value was drained.
pub(crate) struct NumberText<'a, 'c>(pub(crate) &'a mut Cx<'c>);

impl<'de> DeserializeSeed<'de> for NumberText<'_, '_> {
    type Value = Option<Number>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        struct Digits;
        impl<'de> Take<'de> for Digits {
            type Out = Number;
            const WANTS: Code = Code::TYPE_NUMBER;

            fn text<E: Error>(
                self,
                text: Input<'de, '_>,
                _: &mut Cx<'_>,
            ) -> Result<Option<Number>, E> {
                let Input::Owned(digits) = text else {
                    return Ok(None);
                };
                if let Ok(number) = digits.parse() {
                    return Ok(Some(Number::Int(number)));
                }
                Ok(digits.parse().ok().map(Number::Float))
            }

            fn int<E: Error>(self, _: i128, _: &mut Cx<'_>) -> Result<Option<Number>, E> {
                Ok(None)
            }

            fn float<E: Error>(self, _: f64, _: &mut Cx<'_>) -> Result<Option<Number>, E> {
                Ok(None)
            }

            fn boolean<E: Error>(self, _: bool, _: &mut Cx<'_>) -> Result<Option<Number>, E> {
                Ok(None)
            }

            fn null<E: Error>(self, _: &mut Cx<'_>) -> Result<Option<Number>, E> {
                Ok(None)
            }

            fn seq<A: SeqAccess<'de>>(
                self,
                items: A,
                cx: &mut Cx<'_>,
            ) -> Result<Option<Number>, A::Error> {
                drain_seq(items, cx)?;
                Ok(None)
            }

            const OBJECTS: bool = true;

            fn map<A: MapAccess<'de>>(
                self,
                entries: A,
                cx: &mut Cx<'_>,
            ) -> Result<Option<Number>, A::Error> {
                drain_map(entries, cx)?;
                Ok(None)
            }
        }
        read(Digits, deserializer, self.0)
    }
}

/// Reads a value to its end, under the limits, and keeps nothing.
pub(crate) struct Drain<'a, 'c>(pub(crate) &'a mut Cx<'c>);

impl<'de> DeserializeSeed<'de> for Drain<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        struct Nothing;
        impl<'de> Take<'de> for Nothing {
            type Out = ();
            const WANTS: Code = Code::TYPE_MISMATCH;

            fn text<E: Error>(self, _: Input<'de, '_>, _: &mut Cx<'_>) -> Result<Option<()>, E> {
                Ok(None)
            }

            fn int<E: Error>(self, _: i128, _: &mut Cx<'_>) -> Result<Option<()>, E> {
                Ok(None)
            }

            fn float<E: Error>(self, _: f64, _: &mut Cx<'_>) -> Result<Option<()>, E> {
                Ok(None)
            }

            fn boolean<E: Error>(self, _: bool, _: &mut Cx<'_>) -> Result<Option<()>, E> {
                Ok(None)
            }

            fn null<E: Error>(self, _: &mut Cx<'_>) -> Result<Option<()>, E> {
                Ok(None)
            }

            fn seq<A: SeqAccess<'de>>(
                self,
                items: A,
                cx: &mut Cx<'_>,
            ) -> Result<Option<()>, A::Error> {
                drain_seq(items, cx)?;
                Ok(None)
            }

            const OBJECTS: bool = true;

            fn map<A: MapAccess<'de>>(
                self,
                entries: A,
                cx: &mut Cx<'_>,
            ) -> Result<Option<()>, A::Error> {
                drain_map(entries, cx)?;
                Ok(None)
            }
        }
        read(Nothing, deserializer, self.0)?;
        Ok(())
    }
}

/// Reads the rest of a list.
pub(crate) fn drain_seq<'de, A: SeqAccess<'de>>(
    mut items: A,
    cx: &mut Cx<'_>,
) -> Result<(), A::Error> {
    while items.next_element_seed(Drain(cx))?.is_some() {}
    Ok(())
}

/// Reads the rest of an object.
pub(crate) fn drain_map<'de, A: MapAccess<'de>>(
    mut entries: A,
    cx: &mut Cx<'_>,
) -> Result<(), A::Error> {
    let mut keys = 0;
    while entries.next_key_seed(IsNumberKey)?.is_some() {
        keys += 1;
        if keys > cx.limits().keys {
            return Err(cx.halt(Code::TOO_MANY_KEYS, cx.limits().keys));
        }
        entries.next_value_seed(Drain(cx))?;
    }
    Ok(())
}
