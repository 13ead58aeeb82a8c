//! An answer that may lack parts, and says so.

use std::borrow::Cow;

use serde::ser::{Serialize, SerializeStruct, Serializer};

/// An answer together with what is missing from it.
///
/// Serialises as `{"data": …, "partial": true, "errors": [{"component": …, "error": "unavailable"}]}`,
/// in this order. Callers learn which component is missing and never why: that goes to the
/// [`Observer`](crate::Observer). Answer with status 200 and `Cache-Control: no-store`, so that no
/// cache keeps the gap longer than it lasts.
///
/// # Examples
///
/// ```
/// use seawall_degrade::Partial;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let answer = Partial::complete(42).map(|number| [number]);
/// assert_eq!(
///     serde_json::to_string(&answer)?,
///     r#"{"data":[42],"partial":false,"errors":[]}"#,
/// );
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partial<T> {
    data: T,
    errors: Vec<ComponentError>,
}

impl<T> Partial<T> {
    /// An answer that lacks nothing.
    #[must_use]
    pub fn complete(data: T) -> Self {
        Self::new(data, Vec::new())
    }

    pub(crate) fn new(data: T, errors: Vec<ComponentError>) -> Self {
        Self { data, errors }
    }

    /// Whether a component is missing or not current.
    #[must_use]
    pub fn is_partial(&self) -> bool {
        !self.errors.is_empty()
    }

    /// What is missing, in the order in which the components were given.
    #[must_use]
    pub fn errors(&self) -> &[ComponentError] {
        &self.errors
    }

    /// What is there.
    #[must_use]
    pub fn data(&self) -> &T {
        &self.data
    }

    /// What is there, without the note on what is missing.
    #[must_use]
    pub fn into_data(self) -> T {
        self.data
    }

    /// Gives the data another shape and keeps the note.
    #[must_use]
    pub fn map<U>(self, shape: impl FnOnce(T) -> U) -> Partial<U> {
        Partial::new(shape(self.data), self.errors)
    }

    /// Takes the data out, to merge other partial answers before it goes back in with
    /// [`map`](Self::map).
    #[must_use]
    pub fn split(self) -> (Partial<()>, T) {
        (Partial::new((), self.errors), self.data)
    }

    /// Takes over what another answer lacks, its components renamed to `prefix.component`, and gives
    /// back that answer's data.
    ///
    /// # Examples
    ///
    /// ```
    /// use seawall_degrade::{Degrade, Partial, Unavailable, optional, or_else};
    ///
    /// async fn sidebar() -> Result<Partial<Option<u32>>, Unavailable> {
    ///     let weather = optional("weather", async { Err::<u32, _>("no such host") });
    ///     Ok(Degrade::new().join((weather,)).await?.map(|(weather,)| weather))
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Unavailable> {
    /// let parts = (
    ///     or_else("news", async { Ok::<_, String>(vec!["calm"]) }, Vec::new()),
    ///     optional("sidebar", sidebar()),
    /// );
    /// let (mut page, (news, sidebar)) = Degrade::new().join(parts).await?.split();
    /// let weather = sidebar.and_then(|sidebar| page.merge("sidebar", sidebar));
    /// let page = page.map(|()| (news, weather));
    /// assert_eq!(page.errors()[0].component(), "sidebar.weather");
    /// # Ok(()) }
    /// ```
    pub fn merge<U>(&mut self, prefix: &str, other: Partial<U>) -> U {
        self.errors.extend(other.errors.into_iter().map(|error| {
            let component = Cow::Owned(format!("{prefix}.{}", error.component));
            ComponentError { component, ..error }
        }));
        other.data
    }
}

/// A component which is missing, or not current.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComponentError {
    component: Cow<'static, str>,
    error: Fault,
}

impl ComponentError {
    pub(crate) fn new(component: Cow<'static, str>, error: Fault) -> Self {
        Self { component, error }
    }

    /// The name of the component.
    #[must_use]
    pub fn component(&self) -> &str {
        &self.component
    }

    /// What callers are told.
    #[must_use]
    pub fn error(&self) -> Fault {
        self.error
    }
}

/// What a caller is told of a component. A fixed vocabulary, so nothing internal leaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// It is missing, or a default stands in for it.
    Unavailable,
    /// The last good value stands in for it.
    Stale,
}

impl Fault {
    /// The word on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unavailable => "unavailable",
            Self::Stale => "stale",
        }
    }
}

impl<T: Serialize> Serialize for Partial<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut answer = serializer.serialize_struct("Partial", 3)?;
        answer.serialize_field("data", &self.data)?;
        answer.serialize_field("partial", &self.is_partial())?;
        answer.serialize_field("errors", &self.errors)?;
        answer.end()
    }
}

impl Serialize for ComponentError {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut error = serializer.serialize_struct("ComponentError", 2)?;
        error.serialize_field("component", &self.component)?;
        error.serialize_field("error", self.error.as_str())?;
        error.end()
    }
}
