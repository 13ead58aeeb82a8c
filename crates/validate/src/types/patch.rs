//! A field of a partial update.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserializer, Error, Visitor};

use crate::{Cx, Schema, Schemas, Validate};

/// Tells a field that is absent from one that is null: in a PATCH, the first means "leave it", the
/// second "remove it".
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "derive")] {
/// use seawall_validate::{Limits, Validate, from_json, types::{Bounded, Patch}};
///
/// #[derive(Debug, Validate)]
/// struct Update {
///     nick: Patch<Bounded<1, 20>>,
/// }
///
/// let update = |body: &str| from_json::<Update>(body.as_bytes(), &Limits::API).unwrap().nick;
/// assert!(matches!(update("{}"), Patch::Absent));
/// assert!(matches!(update(r#"{"nick":null}"#), Patch::Null));
/// assert!(matches!(update(r#"{"nick":"al"}"#), Patch::Value(_)));
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "there is no fourth case")]
pub enum Patch<T> {
    /// The key is not there.
    #[default]
    Absent,
    /// The value is null.
    Null,
    /// There is a value.
    Value(T),
}

impl<'de, T: Validate<'de>> Validate<'de> for Patch<T> {
    fn read<D: Deserializer<'de>>(d: D, cx: &mut Cx<'_>) -> Result<Option<Self>, D::Error> {
        struct Maybe<'a, 'c, T>(&'a mut Cx<'c>, PhantomData<T>);

        impl<'de, T: Validate<'de>> Visitor<'de> for Maybe<'_, '_, T> {
            type Value = Option<Patch<T>>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value or null")
            }

            fn visit_none<E: Error>(self) -> Result<Self::Value, E> {
                self.0.count()?;
                Ok(Some(Patch::Null))
            }

            fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
                self.visit_none()
            }

            fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<Self::Value, D::Error> {
                Ok(T::read(inner, self.0)?.map(Patch::Value))
            }
        }

        d.deserialize_option(Maybe(cx, PhantomData))
    }

    fn check(&self, cx: &mut Cx<'_>) {
        if let Self::Value(value) = self {
            value.check(cx);
        }
    }

    fn absent() -> Option<Self> {
        Some(Self::Absent)
    }

    fn schema(schemas: &mut Schemas) -> Schema {
        T::schema(schemas).or_null()
    }
}
