//! A witness that a value passed its rules.

use std::fmt;
use std::ops::Deref;

use serde::de::Deserializer;

use crate::schema::{Schema, Schemas};
use crate::{Cx, Parser, Validate, Violations};

/// Holds a value that has passed its rules; there is no other way to make one.
///
/// Reach for it where a type's fields are public, so that anybody could have built or changed the
/// value: a function that takes `Valid<T>` need not check again. It lends the value and never lends
/// it for change.
///
/// # Examples
///
/// ```
/// use seawall_validate::{Limits, Valid, from_json};
///
/// fn store(age: &Valid<Option<u8>>) -> bool {
///     age.is_some()
/// }
///
/// let age: Valid<Option<u8>> = from_json(b"30", &Limits::API).unwrap();
/// assert!(store(&age));
/// assert_eq!(Valid::check(7_u8).unwrap().into_inner(), 7);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Valid<T>(T);

impl<T> Valid<T> {
    pub(crate) const fn witness(value: T) -> Self {
        Self(value)
    }

    /// Checks a value that was built in code, without a context.
    ///
    /// # Errors
    ///
    /// Every violation at once.
    pub fn check<'de>(value: T) -> Result<Self, Violations>
    where
        T: Validate<'de>,
    {
        Parser::default().check(value)
    }

    /// Gives the value up, and the proof with it.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> Deref for Valid<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> AsRef<T> for Valid<T> {
    fn as_ref(&self) -> &T {
        &self.0
    }
}

impl<T: fmt::Debug> fmt::Debug for Valid<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<T: serde::Serialize> serde::Serialize for Valid<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de, T: Validate<'de>> Validate<'de> for Valid<T> {
    fn read<D: Deserializer<'de>>(d: D, cx: &mut Cx<'_>) -> Result<Option<Self>, D::Error> {
        let before = cx.faults();
        let value = T::read(d, cx)?;
        // Nothing is wrapped that broke a rule, even if a `Validate` written by hand yields it.
        Ok(value.filter(|_| cx.faults() == before).map(Self))
    }

    fn check(&self, _: &mut Cx<'_>) {}

    fn absent() -> Option<Self> {
        T::absent().map(Self)
    }

    fn schema(schemas: &mut Schemas) -> Schema {
        T::schema(schemas)
    }
}
