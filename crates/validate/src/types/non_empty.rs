//! A list that has a first item.

use std::ops::Deref;

use serde::de::Deserializer;

use crate::read::{Collection, ItemRules, Items, Read};
use crate::{Code, Cx, Schema, Schemas, Violation};

/// A list of at least one item. It has a maximum like every list: `#[validate(items(..=50))]`.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "derive")] {
/// use seawall_validate::{Limits, Validate, from_json, types::NonEmpty};
///
/// #[derive(Debug, Validate)]
/// struct Order {
///     #[validate(items(..=50))]
///     lines: NonEmpty<Vec<u32>>,
/// }
///
/// let order: Order = from_json(br#"{"lines":[7]}"#, &Limits::API).unwrap();
/// assert_eq!(order.lines.first(), &7);
/// assert!(from_json::<Order>(br#"{"lines":[]}"#, &Limits::API).is_err());
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NonEmpty<C>(C);

impl<C: Collection> NonEmpty<C> {
    /// Takes a list, unless it is empty.
    pub fn new(list: C) -> Option<Self> {
        let filled = list.iter().next().is_some();
        filled.then_some(Self(list))
    }

    /// The first item; there always is one.
    ///
    /// # Panics
    ///
    /// Never: the list is not empty.
    pub fn first(&self) -> &C::Item {
        self.0.iter().next().expect("the list is not empty")
    }

    /// Gives the list up, and the proof with it.
    pub fn into_inner(self) -> C {
        self.0
    }
}

impl<C> Deref for NonEmpty<C> {
    type Target = C;

    fn deref(&self) -> &C {
        &self.0
    }
}

impl<C: serde::Serialize> serde::Serialize for NonEmpty<C> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<C: Collection> crate::read::ListOf for NonEmpty<C> {
    type Item = C::Item;
}

impl<'de, C, R, E> Read<'de, Items<R, E>> for NonEmpty<C>
where
    C: Collection,
    C::Item: Read<'de, E>,
    R: ItemRules<C::Item>,
{
    fn read<D: Deserializer<'de>>(d: D, cx: &mut Cx<'_>) -> Result<Option<Self>, D::Error> {
        let Some(list) = <C as Read<'de, Items<R, E>>>::read(d, cx)? else {
            return Ok(None);
        };
        let list = Self::new(list);
        if list.is_none() {
            cx.report(Violation::new(Code::TOO_FEW_ITEMS).param("min", 1_u8));
        }
        Ok(list)
    }

    fn check(&self, cx: &mut Cx<'_>) {
        <C as Read<'de, Items<R, E>>>::check(&self.0, cx);
    }

    fn schema(schemas: &mut Schemas) -> Schema {
        let mut schema = <C as Read<'de, Items<R, E>>>::schema(schemas);
        if R::MIN == 0 {
            schema.set("minItems", 1_u8);
        }
        schema
    }
}
