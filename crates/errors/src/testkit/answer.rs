//! An answer as a test saw it.

use std::fmt;

/// Holds the parts of an answer that are searched.
#[derive(Clone, Debug, Default)]
pub struct Answer<'a> {
    parts: Vec<(Place, &'a [u8])>,
}

/// Names a part of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place {
    /// The reason phrase of the status line.
    Reason,
    /// The name or the value of the header of this name.
    Header(String),
    /// The body.
    Body,
    /// The name or the value of the trailer field of this name.
    Trailer(String),
}

impl<'a> Answer<'a> {
    /// Has no parts yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { parts: Vec::new() }
    }

    /// Adds the reason phrase.
    #[must_use]
    pub fn reason(self, phrase: &'a (impl AsRef<[u8]> + ?Sized)) -> Self {
        self.with(Place::Reason, phrase.as_ref())
    }

    /// Adds a header.
    #[must_use]
    pub fn header(self, name: &'a str, value: &'a (impl AsRef<[u8]> + ?Sized)) -> Self {
        let place = Place::Header(name.to_owned());
        self.with(place.clone(), name.as_bytes())
            .with(place, value.as_ref())
    }

    /// Adds the body, or a piece of it that was received as one.
    #[must_use]
    pub fn body(self, body: &'a (impl AsRef<[u8]> + ?Sized)) -> Self {
        self.with(Place::Body, body.as_ref())
    }

    /// Adds a trailer field.
    #[must_use]
    pub fn trailer(self, name: &'a str, value: &'a (impl AsRef<[u8]> + ?Sized)) -> Self {
        let place = Place::Trailer(name.to_owned());
        self.with(place.clone(), name.as_bytes())
            .with(place, value.as_ref())
    }

    pub(super) fn parts(&self) -> impl Iterator<Item = (&Place, &'a [u8])> {
        self.parts.iter().map(|(place, text)| (place, *text))
    }

    fn with(mut self, place: Place, text: &'a [u8]) -> Self {
        self.parts.push((place, text));
        self
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reason => f.write_str("reason phrase"),
            Self::Header(name) => write!(f, "header {name}"),
            Self::Body => f.write_str("body"),
            Self::Trailer(name) => write!(f, "trailer {name}"),
        }
    }
}
