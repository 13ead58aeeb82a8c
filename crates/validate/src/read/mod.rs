//! Reading a field by the rules written beside it.
//!
//! `Read<'de, R>` says that a type can be read by rules of the kind `R`: its [`Own`], those of
//! [`Text`], of a [`Number`], of a moment, of [`Items`] or of [`Entries`]. That the kind is a type parameter is
//! what lets the compiler, and not a look at the spelling of the field's type, find out whether
//! rules and type belong together: aliases work, and a rule for text on a number does not compile.

#![expect(
    clippy::exhaustive_structs,
    clippy::exhaustive_enums,
    reason = "derived code makes these; nobody writes them"
)]

mod empty;
mod entries;
mod foreign;
mod items;
#[cfg(feature = "jiff")]
mod moment;
mod number;
mod object;
mod option;
#[cfg(feature = "regex")]
mod pattern;
mod scalar;
mod tagged;
mod text;
mod tuple;
#[cfg(feature = "uuid")]
mod uuid;

use std::marker::PhantomData;

use serde::de::{DeserializeSeed, Deserializer};

pub use empty::EmptyAsNone;
pub(crate) use entries::KeyText;
pub use entries::{Entries, EntryRules, Map, MapOf};
pub use foreign::{Foreign, Parsed};
pub use items::{Collection, ItemRules, Items, ListOf, dedup, repeated};
#[cfg(feature = "jiff")]
pub use moment::{Moment, MomentOf, MomentRules, Side, Times, When};
pub use number::{Num, Number, NumberOf, NumberRules, Span};
pub(crate) use object::Key;
use object::read_map;
pub use object::{
    Fields, Held, check_field, held_rules, in_field, note, read_fields, settle, settle_or,
    settle_some, take,
};
pub use option::Nullable;
#[cfg(feature = "regex")]
pub use pattern::Pattern;
pub use tagged::{
    Nothing, Tagged, Variants, read_adjacent, read_external, read_internal, read_unit, read_variant,
};
pub use text::{Text, TextRules, bytes, chars, then};

use crate::schema::{Schema, Schemas};
use crate::{Cx, Validate};

/// A type that can be read by rules of the kind `R`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be read by the rules of this field",
    label = "needs rules, and rules of its kind",
    note = "text, lists and maps need a maximum: `#[validate(chars(..=100))]`, `#[validate(items(..=50))]`, `#[validate(entries(..=50))]`; `unbounded` opts out",
    note = "`chars`, `email`, .. are for text; `range`, .. for numbers; `past`, .. for moments; `items`, `each` for lists; `entries`, `keys`, `values` for maps",
    note = "a type of yours needs `#[derive(Validate)]`, a foreign one `#[validate(serde)]` or `#[validate(parse, chars(..=100))]`"
)]
pub trait Read<'de, R>: Sized {
    /// Reads one value; see [`Validate::read`].
    ///
    /// # Errors
    ///
    /// Those of the deserializer, and the end of the reading at a limit.
    fn read<D: Deserializer<'de>>(
        deserializer: D,
        cx: &mut Cx<'_>,
    ) -> Result<Option<Self>, D::Error>;

    /// Checks a value that was built in code.
    fn check(&self, cx: &mut Cx<'_>);

    /// What an absent field means.
    #[must_use]
    fn absent() -> Option<Self> {
        None
    }

    /// The rules as JSON Schema.
    fn schema(schemas: &mut Schemas) -> Schema;
}

/// The rules that a type brings along.
#[derive(Debug)]
pub struct Own;

impl<'de, T: Validate<'de>> Read<'de, Own> for T {
    fn read<D: Deserializer<'de>>(
        deserializer: D,
        cx: &mut Cx<'_>,
    ) -> Result<Option<Self>, D::Error> {
        T::read(deserializer, cx)
    }

    fn check(&self, cx: &mut Cx<'_>) {
        Validate::check(self, cx);
    }

    fn absent() -> Option<Self> {
        T::absent()
    }

    fn schema(schemas: &mut Schemas) -> Schema {
        T::schema(schemas)
    }
}

/// A field as a seed.
pub(crate) struct ReadSeed<'a, 'c, T, R> {
    cx: &'a mut Cx<'c>,
    kind: PhantomData<(T, R)>,
}

impl<'a, 'c, T, R> ReadSeed<'a, 'c, T, R> {
    pub(crate) const fn new(cx: &'a mut Cx<'c>) -> Self {
        Self {
            cx,
            kind: PhantomData,
        }
    }
}

impl<'de, R, T: Read<'de, R>> DeserializeSeed<'de> for ReadSeed<'_, '_, T, R> {
    type Value = Option<T>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<T>, D::Error> {
        T::read(deserializer, self.cx)
    }
}
