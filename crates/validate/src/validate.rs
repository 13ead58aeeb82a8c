//! The trait of types that a client may send.

use serde::de::{DeserializeSeed, Deserializer};

use crate::cx::Cx;
use crate::schema::{Schema, Schemas};

/// Reads a type from a client's input, checking its rules on the way.
///
/// Derive it; the derive also implements [`serde::Deserialize`] over the same code, so that there
/// is no second way in. Numbers, `bool`, `char`, IP addresses, and `Option`, `Box`, tuples and
/// arrays of what can be read are ready. `String`, `Vec` and maps are not, on purpose: they have no
/// maximum. A field gives them one.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "derive")] {
/// use seawall_validate::{Limits, Validate, from_json};
///
/// #[derive(Debug, Validate)]
/// struct Signup {
///     #[validate(normalize(trim), chars(1..=40))]
///     name: String,
/// }
///
/// let signup: Signup = from_json(br#"{"name": "  Ada "}"#, &Limits::API).unwrap();
/// assert_eq!(signup.name, "Ada");
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be read from a client as it stands",
    label = "has no rules of its own",
    note = "text needs a maximum: `#[validate(chars(..=100))]`; lists and maps too: `#[validate(items(..=50))]`; `unbounded` opts out",
    note = "a type of yours needs `#[derive(Validate)]`, a foreign one `#[validate(serde)]` or `#[validate(parse, chars(..=100))]`"
)]
pub trait Validate<'de>: Sized {
    /// Reads one value.
    ///
    /// `Ok(None)` means that something was wrong and was recorded in `cx`, and that the value was
    /// read to its end; `Err` that reading cannot go on.
    ///
    /// # Errors
    ///
    /// Those of the deserializer, and the end of the reading at a limit.
    fn read<D: Deserializer<'de>>(
        deserializer: D,
        cx: &mut Cx<'_>,
    ) -> Result<Option<Self>, D::Error>;

    /// Checks a value that was built in code by the same rules (normalising is not repeated).
    fn check(&self, cx: &mut Cx<'_>);

    /// What an absent field means; for most types, nothing.
    #[must_use]
    fn absent() -> Option<Self> {
        None
    }

    /// The same rules as JSON Schema 2020-12.
    fn schema(schemas: &mut Schemas) -> Schema;
}

/// A [`Validate`] type as a seed.
pub(crate) struct Seed<'a, 'c, T>(
    pub(crate) &'a mut Cx<'c>,
    pub(crate) std::marker::PhantomData<T>,
);

impl<'de, T: Validate<'de>> DeserializeSeed<'de> for Seed<'_, '_, T> {
    type Value = Option<T>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<T>, D::Error> {
        T::read(deserializer, self.0)
    }
}
