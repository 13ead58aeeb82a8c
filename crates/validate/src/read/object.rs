//! Structs: fields by name, each at most once, and none that was not declared.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, Visitor};

use super::{Read, ReadSeed};
use crate::cx::Unknown;
use crate::path::Step;
use crate::schema::{Schema, Schemas};
use crate::visitor::{self, Drain, NumberText, Take, is_number_key};
use crate::{Code, Cx, Violation};

/// A struct, taken apart into fields. The derive implements it; `flatten` is why it is a trait:
/// a struct passes the keys that it does not know on to the fields that are flattened into it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be flattened",
    label = "is no struct that derives `Validate`",
    note = "`flatten` and tagged newtype variants need a struct with named fields that derives `Validate`"
)]
pub trait Fields<'de>: Sized {
    /// The fields that were read so far.
    type Partial;
    /// How many fields there are, those of flattened structs included.
    const COUNT: usize;
    /// Whether keys that nobody knows are refused.
    const CLOSED: bool;

    /// No fields yet.
    fn open() -> Self::Partial;
    /// The number of the field with this key.
    fn find(key: &str) -> Option<usize>;
    /// Reads the value of a field.
    ///
    /// # Errors
    ///
    /// Those of the deserializer, and the end of the reading at a limit.
    fn accept<A: MapAccess<'de>>(
        partial: &mut Self::Partial,
        field: usize,
        map: &mut A,
        cx: &mut Cx<'_>,
    ) -> Result<(), A::Error>;
    /// Builds the struct, if every field is there and sound.
    fn close(partial: Self::Partial, cx: &mut Cx<'_>) -> Option<Self>;
    /// Checks a struct that was built in code.
    fn check_fields(&self, cx: &mut Cx<'_>);
    /// Adds the fields to a schema.
    fn describe(schema: &mut Schema, schemas: &mut Schemas);
}

impl<'de, T: Fields<'de>> Fields<'de> for Box<T> {
    type Partial = T::Partial;
    const COUNT: usize = T::COUNT;
    const CLOSED: bool = T::CLOSED;

    fn open() -> Self::Partial {
        T::open()
    }

    fn find(key: &str) -> Option<usize> {
        T::find(key)
    }

    fn accept<A: MapAccess<'de>>(
        partial: &mut Self::Partial,
        field: usize,
        map: &mut A,
        cx: &mut Cx<'_>,
    ) -> Result<(), A::Error> {
        T::accept(partial, field, map, cx)
    }

    fn close(partial: Self::Partial, cx: &mut Cx<'_>) -> Option<Self> {
        T::close(partial, cx).map(Self::new)
    }

    fn check_fields(&self, cx: &mut Cx<'_>) {
        T::check_fields(self, cx);
    }

    fn describe(schema: &mut Schema, schemas: &mut Schemas) {
        T::describe(schema, schemas);
    }
}

/// A field while its struct is being read.
#[derive(Debug)]
pub enum Held<T> {
    /// Its key has not come yet.
    Absent,
    /// Its key came, and its value was refused.
    Refused,
    /// Its value.
    Value(T),
}

impl<T> Held<T> {
    /// The value, if there is one. A field that was left out takes what `absent` gives.
    fn or_absent(self, absent: impl FnOnce() -> Option<T>) -> Option<T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Refused => None,
            Self::Absent => absent(),
        }
    }
}

/// Reads the value of the field `name` into its place; false if the key was there before.
///
/// # Errors
///
/// Those of the deserializer, and the end of the reading at a limit.
pub fn take<'de, T: Read<'de, R>, R, A: MapAccess<'de>>(
    place: &mut Held<T>,
    name: &'static str,
    map: &mut A,
    cx: &mut Cx<'_>,
) -> Result<bool, A::Error> {
    let again = !matches!(place, Held::Absent);
    cx.step(Step::Field(name), |cx| {
        if again && !cx.duplicates_allowed {
            cx.fault(Code::DUPLICATE_FIELD);
            map.next_value_seed(Drain(cx))?;
            return Ok(false);
        }
        let value = map.next_value_seed(ReadSeed::<T, R>::new(cx))?;
        *place = value.map_or(Held::Refused, Held::Value);
        Ok(true)
    })
}

/// The value of a field once the whole object was read: an absent one is what its type makes of
/// that, and required where the type makes nothing of it.
pub fn settle<'de, T: Read<'de, R>, R>(
    place: Held<T>,
    name: &'static str,
    cx: &mut Cx<'_>,
) -> Option<T> {
    place.or_absent(|| T::absent().or_else(|| require(name, cx)))
}

/// The value of a field that has a default.
pub fn settle_or<T>(place: Held<T>, default: impl FnOnce() -> T) -> Option<T> {
    place.or_absent(|| Some(default()))
}

/// The value of an `Option` that is `required` all the same.
pub fn settle_some<T>(
    place: Held<Option<T>>,
    name: &'static str,
    cx: &mut Cx<'_>,
) -> Option<Option<T>> {
    match place.or_absent(|| Some(None)) {
        Some(None) => require(name, cx),
        other => other,
    }
}

fn require<T>(name: &'static str, cx: &mut Cx<'_>) -> Option<T> {
    cx.step(Step::Field(name), |cx| cx.fault(Code::REQUIRED));
    None
}

/// Checks one field of a struct that was built in code.
pub fn check_field<'de, T: Read<'de, R>, R>(value: &T, name: &'static str, cx: &mut Cx<'_>) {
    cx.step(Step::Field(name), |cx| value.check(cx));
}

/// Runs rules of the user's on a field that was read.
pub fn in_field(name: &'static str, cx: &mut Cx<'_>, rules: impl FnOnce(&mut Cx<'_>)) {
    cx.step(Step::Field(name), rules);
}

/// Runs rules of the user's on a field that was just read.
pub fn held_rules<T>(
    place: &mut Held<T>,
    name: &'static str,
    cx: &mut Cx<'_>,
    rules: impl FnOnce(&T, &mut Cx<'_>),
) {
    let Held::Value(value) = place else { return };
    let before = cx.faults();
    cx.step(Step::Field(name), |cx| rules(value, cx));
    if cx.faults() > before {
        *place = Held::Refused;
    }
}

/// Records what a rule of the user's found.
pub fn note(found: Result<(), Violation>, cx: &mut Cx<'_>) {
    if let Err(violation) = found {
        cx.report(violation);
    }
}

/// Reads a struct from an object.
///
/// # Errors
///
/// Those of the deserializer, and the end of the reading at a limit.
pub fn read_fields<'de, T: Fields<'de>, D: Deserializer<'de>>(
    deserializer: D,
    cx: &mut Cx<'_>,
) -> Result<Option<T>, D::Error> {
    visitor::read(TakeFields::<T>(PhantomData), deserializer, cx)
}

struct TakeFields<T>(PhantomData<T>);

impl<'de, T: Fields<'de>> Take<'de> for TakeFields<T> {
    type Out = T;
    const WANTS: Code = Code::TYPE_OBJECT;
    const OBJECTS: bool = true;

    fn map<A: MapAccess<'de>>(self, map: A, cx: &mut Cx<'_>) -> Result<Option<T>, A::Error> {
        read_map(map, cx)
    }
}

/// Reads the fields of a struct.
pub(super) fn read_map<'de, T: Fields<'de>, A: MapAccess<'de>>(
    mut map: A,
    cx: &mut Cx<'_>,
) -> Result<Option<T>, A::Error> {
    let mut partial = T::open();
    let mut keys = 0;
    while let Some(key) = next_key::<T, A>(&mut map, &mut keys, cx)? {
        match key {
            Key::Field(field) => T::accept(&mut partial, field, &mut map, cx)?,
            Key::Other => map.next_value_seed(Drain(cx))?,
            Key::Number => {
                if map.next_value_seed(NumberText(cx))?.is_some() {
                    cx.fault(Code::TYPE_OBJECT);
                    return Ok(None);
                }
                unknown("$serde_json::private::Number", T::CLOSED, cx);
            }
        }
        cx.go_on()?;
    }
    Ok(T::close(partial, cx))
}

/// Reads one more key, if there is one and it may be read.
pub(super) fn next_key<'de, T: Fields<'de>, A: MapAccess<'de>>(
    map: &mut A,
    keys: &mut usize,
    cx: &mut Cx<'_>,
) -> Result<Option<Key>, A::Error> {
    let key = map.next_key_seed(KeySeed::<T> {
        cx,
        fields: PhantomData,
    })?;
    *keys += 1;
    if key.is_some() && *keys > cx.limits().keys {
        return Err(cx.halt(Code::TOO_MANY_KEYS, cx.limits().keys));
    }
    Ok(key)
}

/// Records a key that nobody knows.
pub(super) fn unknown(key: &str, closed: bool, cx: &mut Cx<'_>) {
    if key.len() > cx.limits().key {
        let most = cx.limits().key;
        cx.report(Violation::new(Code::KEY_TOO_LONG).param("max", most));
    } else if closed && cx.unknown == Unknown::AsDeclared {
        cx.entry(key, |cx| cx.fault(Code::UNKNOWN_FIELD));
    }
}

/// A key, looked up while its text is at hand.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Key {
    /// A declared field.
    Field(usize),
    /// Not a field; recorded already if that matters.
    Other,
    /// Perhaps a number of `serde_json`'s in disguise.
    Number,
}

struct KeySeed<'a, 'c, T> {
    cx: &'a mut Cx<'c>,
    fields: PhantomData<T>,
}

impl<'de, T: Fields<'de>> DeserializeSeed<'de> for KeySeed<'_, '_, T> {
    type Value = Key;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Key, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de, T: Fields<'de>> Visitor<'de> for KeySeed<'_, '_, T> {
    type Value = Key;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Key, E> {
        Ok(match T::find(key) {
            Some(field) => Key::Field(field),
            None if is_number_key(key) => Key::Number,
            None => {
                unknown(key, T::CLOSED, self.cx);
                Key::Other
            }
        })
    }
}
