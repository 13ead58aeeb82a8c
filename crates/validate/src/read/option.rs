//! `Option` and `Box`: every kind of rules passes through them.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserializer, Error, Visitor};

use super::{Entries, Items, Number, Read, Text};
use crate::schema::{Schema, Schemas};
use crate::{Cx, Validate};

/// Rules for what is inside an `Option`, where the kind cannot pass through by itself.
#[derive(Debug)]
pub struct Nullable<R>(PhantomData<R>);

/// Reads null as nothing, and anything else by the rules `R`.
fn read_option<'de, T: Read<'de, R>, R, D: Deserializer<'de>>(
    deserializer: D,
    cx: &mut Cx<'_>,
) -> Result<Option<Option<T>>, D::Error> {
    deserializer.deserialize_option(Maybe {
        cx,
        kind: PhantomData,
    })
}

struct Maybe<'a, 'c, T, R> {
    cx: &'a mut Cx<'c>,
    kind: PhantomData<(T, R)>,
}

impl<'de, R, T: Read<'de, R>> Visitor<'de> for Maybe<'_, '_, T, R> {
    type Value = Option<Option<T>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value or null")
    }

    fn visit_none<E: Error>(self) -> Result<Self::Value, E> {
        self.cx.count()?;
        Ok(Some(None))
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        self.visit_none()
    }

    fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<Self::Value, D::Error> {
        Ok(T::read(inner, self.cx)?.map(Some))
    }
}

macro_rules! through_option {
    ($([$($param:ident),*] $kind:ty;)*) => {$(
        impl<'de, T: Read<'de, $kind>, $($param),*> Read<'de, $kind> for Option<T> {
            fn read<D: Deserializer<'de>>(
                d: D,
                cx: &mut Cx<'_>,
            ) -> Result<Option<Self>, D::Error> {
                read_option::<T, $kind, D>(d, cx)
            }

            fn check(&self, cx: &mut Cx<'_>) {
                if let Some(value) = self {
                    value.check(cx);
                }
            }

            fn absent() -> Option<Self> {
                Some(None)
            }

            fn schema(schemas: &mut Schemas) -> Schema {
                <T as Read<'de, $kind>>::schema(schemas).or_null()
            }
        }
    )*};
}
through_option! {
    [R] Text<R>;
    [R] Number<R>;
    [R, E] Items<R, E>;
    [R, K, V] Entries<R, K, V>;
}

#[cfg(feature = "jiff")]
through_option! {
    [R] super::When<R>;
}

impl<'de, T: Read<'de, R>, R> Read<'de, Nullable<R>> for Option<T> {
    fn read<D: Deserializer<'de>>(d: D, cx: &mut Cx<'_>) -> Result<Option<Self>, D::Error> {
        read_option::<T, R, D>(d, cx)
    }

    fn check(&self, cx: &mut Cx<'_>) {
        if let Some(value) = self {
            value.check(cx);
        }
    }

    fn absent() -> Option<Self> {
        Some(None)
    }

    fn schema(schemas: &mut Schemas) -> Schema {
        <T as Read<'de, R>>::schema(schemas).or_null()
    }
}

impl<'de, T: Validate<'de>> Validate<'de> for Option<T> {
    fn read<D: Deserializer<'de>>(d: D, cx: &mut Cx<'_>) -> Result<Option<Self>, D::Error> {
        read_option::<T, super::Own, D>(d, cx)
    }

    fn check(&self, cx: &mut Cx<'_>) {
        if let Some(value) = self {
            value.check(cx);
        }
    }

    fn absent() -> Option<Self> {
        Some(None)
    }

    fn schema(schemas: &mut Schemas) -> Schema {
        T::schema(schemas).or_null()
    }
}

impl<'de, T: Validate<'de>> Validate<'de> for Box<T> {
    fn read<D: Deserializer<'de>>(d: D, cx: &mut Cx<'_>) -> Result<Option<Self>, D::Error> {
        Ok(T::read(d, cx)?.map(Self::new))
    }

    fn check(&self, cx: &mut Cx<'_>) {
        T::check(self, cx);
    }

    fn absent() -> Option<Self> {
        T::absent().map(Self::new)
    }

    fn schema(schemas: &mut Schemas) -> Schema {
        T::schema(schemas)
    }
}
