//! Maps: keys are a client's text and have rules of their own.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::hash::{BuildHasher, Hash};
use std::marker::PhantomData;

use serde::de::value::BorrowedStrDeserializer;
use serde::de::{DeserializeSeed, Deserializer, Error, IntoDeserializer, MapAccess, Visitor};

use super::{Read, ReadSeed};
use crate::cx::Mode;
use crate::schema::{Schema, Schemas};
use crate::visitor::{self, Drain, NumberText, Take, drain_map, is_number_key};
use crate::{Code, Cx, Violation};

/// A map that is filled entry by entry.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a map",
    label = "`keys` and `values` are for `BTreeMap` and `HashMap`"
)]
pub trait Map: Sized {
    /// The type of the keys.
    type Key;
    /// The type of the values.
    type Value;

    /// Begins.
    fn open() -> Self;
    /// Adds an entry; false if the key was there.
    fn add(&mut self, key: Self::Key, value: Self::Value) -> bool;
    /// The entries.
    fn iter(&self) -> impl Iterator<Item = (&Self::Key, &Self::Value)>;
}

impl<K: Ord, V> Map for BTreeMap<K, V> {
    type Key = K;
    type Value = V;

    fn open() -> Self {
        Self::new()
    }

    fn add(&mut self, key: K, value: V) -> bool {
        self.insert(key, value).is_none()
    }

    fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        <&Self>::into_iter(self)
    }
}

impl<K: Eq + Hash, V, S: BuildHasher + Default> Map for HashMap<K, V, S> {
    type Key = K;
    type Value = V;

    fn open() -> Self {
        Self::default()
    }

    fn add(&mut self, key: K, value: V) -> bool {
        self.insert(key, value).is_none()
    }

    fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        <&Self>::into_iter(self)
    }
}

/// The map inside a field's type: `BTreeMap<K, V>` for `Option<BTreeMap<K, V>>`.
pub trait MapOf {
    /// The type of the keys.
    type Key;
    /// The type of the values.
    type Value;
}

impl<M: Map> MapOf for M {
    type Key = M::Key;
    type Value = M::Value;
}

impl<M: MapOf> MapOf for Option<M> {
    type Key = M::Key;
    type Value = M::Value;
}

/// What one field says about its map.
pub trait EntryRules {
    /// The fewest entries.
    const MIN: usize;
    /// The most entries; none: [`Limits::items`](crate::Limits::items) holds.
    const MAX: Option<usize>;
}

/// A map by the rules `R`, its keys by the rules `K`, its values by the rules `V`.
#[derive(Debug)]
pub struct Entries<R, K, V>(PhantomData<(R, K, V)>);

impl<'de, M, R, K, V> Read<'de, Entries<R, K, V>> for M
where
    M: Map,
    M::Key: Read<'de, K>,
    M::Value: Read<'de, V>,
    R: EntryRules,
{
    fn read<D: Deserializer<'de>>(d: D, cx: &mut Cx<'_>) -> Result<Option<Self>, D::Error> {
        visitor::read(TakeEntries::<M, R, K, V>(PhantomData), d, cx)
    }

    fn check(&self, cx: &mut Cx<'_>) {
        let mut count = 0;
        for (key, value) in self.iter() {
            count += 1;
            // The key's own text is not at hand here: it may be a number or a type of the user's.
            cx.entry("", |cx| {
                key.check(cx);
                value.check(cx);
            });
        }
        check_count::<R>(count, cx);
    }

    fn schema(schemas: &mut Schemas) -> Schema {
        let mut schema = Schema::of_type("object");
        let keys = <M::Key as Read<'de, K>>::schema(schemas);
        if keys.is_type("string") {
            schema.nest("propertyNames", keys);
        }
        schema.nest(
            "additionalProperties",
            <M::Value as Read<'de, V>>::schema(schemas),
        );
        if R::MIN > 0 {
            schema.set("minProperties", R::MIN);
        }
        if let Some(max) = R::MAX {
            schema.set("maxProperties", max);
        }
        schema
    }
}

fn check_count<R: EntryRules>(count: usize, cx: &mut Cx<'_>) {
    if count < R::MIN {
        cx.report(Violation::new(Code::TOO_FEW_ITEMS).param("min", R::MIN));
    }
    if let Some(max) = R::MAX.filter(|max| count > *max) {
        cx.report(Violation::new(Code::TOO_MANY_ITEMS).param("max", max));
    }
}

struct TakeEntries<M, R, K, V>(PhantomData<(M, R, K, V)>);

impl<'de, M, R, K, V> Take<'de> for TakeEntries<M, R, K, V>
where
    M: Map,
    M::Key: Read<'de, K>,
    M::Value: Read<'de, V>,
    R: EntryRules,
{
    type Out = M;
    const WANTS: Code = Code::TYPE_OBJECT;
    const OBJECTS: bool = true;

    fn map<A: MapAccess<'de>>(self, mut map: A, cx: &mut Cx<'_>) -> Result<Option<M>, A::Error> {
        let before = cx.faults();
        let max = R::MAX.unwrap_or(cx.limits().items);
        let mut out = M::open();
        let mut count = 0;
        while let Some(text) = map.next_key_seed(KeyText(cx.limits().key))? {
            if count == max {
                cx.report(Violation::new(Code::TOO_MANY_ITEMS).param("max", max));
                map.next_value_seed(Drain(cx))?;
                drain_map(map, cx)?;
                return Ok(None);
            }
            count += 1;
            let Some(text) = text else {
                let most = cx.limits().key;
                cx.report(Violation::new(Code::KEY_TOO_LONG).param("max", most));
                map.next_value_seed(Drain(cx))?;
                cx.go_on()?;
                continue;
            };
            if is_number_key(&text) && map.next_value_seed(NumberText(cx))?.is_some() {
                cx.fault(Self::WANTS);
                return Ok(None);
            }
            let key = match &text {
                Cow::Borrowed(text) => KeyRef::Borrowed(text),
                Cow::Owned(text) => KeyRef::Lent(text),
            };
            let entry = |cx: &mut Cx<'_>| {
                let key = read_key::<M::Key, K, A::Error>(key, cx)?;
                let value = map.next_value_seed(ReadSeed::<M::Value, V>::new(cx))?;
                Ok::<_, A::Error>(key.zip(value))
            };
            if let Some((key, value)) = cx.entry(&text, entry)?
                && !out.add(key, value)
                && !cx.duplicates_allowed
            {
                cx.entry(&text, |cx| cx.fault(Code::DUPLICATE_FIELD));
            }
            cx.go_on()?;
        }
        check_count::<R>(count, cx);
        Ok((cx.faults() == before).then_some(out))
    }
}

/// The text of a key, with the lifetime that it has.
#[derive(Clone, Copy)]
enum KeyRef<'de, 'a> {
    Borrowed(&'de str),
    Lent(&'a str),
}

/// Reads a key from its text, in which numbers and the like are written out.
fn read_key<'de, T: Read<'de, K>, K, E: Error>(
    text: KeyRef<'de, '_>,
    cx: &mut Cx<'_>,
) -> Result<Option<T>, E> {
    let mode = std::mem::replace(&mut cx.mode, Mode::Text);
    let key = match text {
        KeyRef::Borrowed(text) => T::read(BorrowedStrDeserializer::new(text), cx),
        KeyRef::Lent(text) => T::read(text.into_deserializer(), cx),
    };
    cx.mode = mode;
    key
}

/// Reads a key as text; none if it is longer than so many bytes.
pub(crate) struct KeyText(pub(crate) usize);

impl<'de> DeserializeSeed<'de> for KeyText {
    type Value = Option<Cow<'de, str>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for KeyText {
    type Value = Option<Cow<'de, str>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E: Error>(self, key: &'de str) -> Result<Self::Value, E> {
        Ok((key.len() <= self.0).then_some(Cow::Borrowed(key)))
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Self::Value, E> {
        Ok((key.len() <= self.0).then(|| Cow::Owned(key.to_owned())))
    }
}
