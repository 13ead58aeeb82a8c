//! One thing that is wrong, and where.

use std::borrow::Cow;
use std::fmt;

use crate::Code;
use crate::path::{Part, Path};

/// A value in a violation's sentence: a bound, a position, a list of what is permitted.
///
/// It comes from the rule, never from the input.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Param {
    /// A whole number.
    Int(i128),
    /// A number with a fraction.
    Float(f64),
    /// A text that the program itself holds.
    Text(Cow<'static, str>),
}

impl fmt::Display for Param {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(number) => number.fmt(f),
            Self::Float(number) => number.fmt(f),
            Self::Text(text) => f.write_str(text),
        }
    }
}

impl serde::Serialize for Param {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            // Only what does not fit the usual integers takes the wide road, which not every
            // format has.
            Self::Int(number) => match (i64::try_from(*number), u64::try_from(*number)) {
                (Ok(number), _) => serializer.serialize_i64(number),
                (_, Ok(number)) => serializer.serialize_u64(number),
                _ => serializer.serialize_i128(*number),
            },
            Self::Float(number) => serializer.serialize_f64(*number),
            Self::Text(text) => serializer.serialize_str(text),
        }
    }
}

impl From<Param> for serde_json::Value {
    fn from(param: Param) -> Self {
        match param {
            Param::Int(number) => match (i64::try_from(number), u64::try_from(number)) {
                (Ok(number), _) => number.into(),
                (_, Ok(number)) => number.into(),
                _ => number.to_string().into(),
            },
            Param::Float(number) => number.into(),
            Param::Text(text) => text.into_owned().into(),
        }
    }
}

macro_rules! param_from {
    ($($int:ty),*) => {$(
        impl From<$int> for Param {
            fn from(number: $int) -> Self {
                Self::Int(i128::from(number))
            }
        }
    )*};
}
param_from!(u8, u16, u32, u64, i8, i16, i32, i64, i128);

impl From<usize> for Param {
    fn from(number: usize) -> Self {
        Self::Int(i128::try_from(number).unwrap_or(i128::MAX))
    }
}

impl From<f64> for Param {
    fn from(number: f64) -> Self {
        Self::Float(number)
    }
}

impl From<&'static str> for Param {
    fn from(text: &'static str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Param {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

/// Says that one value is wrong, by which rule, and where it stands.
///
/// It never holds the value: logs and error bodies made from it cannot leak what the client sent.
/// The one thing of the client's that may appear is the name of a key, escaped and cut.
///
/// # Examples
///
/// ```
/// use seawall_validate::{Code, Violation};
///
/// const TAKEN: Code = Code::new("taken", "is taken already");
/// fn not_root(name: &str) -> Result<(), Violation> {
///     if name == "root" { Err(Violation::new(TAKEN)) } else { Ok(()) }
/// }
/// assert_eq!(not_root("root").unwrap_err().code(), "taken");
/// ```
#[derive(Clone, PartialEq)]
pub struct Violation {
    code: Code,
    path: Path,
    params: Vec<(&'static str, Param)>,
}

impl Violation {
    /// Says what is wrong with the value at hand; the place is added by whoever reads it.
    #[must_use]
    pub const fn new(code: Code) -> Self {
        Self {
            code,
            path: Path::root(),
            params: Vec::new(),
        }
    }

    /// Adds a parameter of the rule, for the sentence and for clients that make their own.
    #[must_use]
    pub fn param(mut self, name: &'static str, value: impl Into<Param>) -> Self {
        self.params.push((name, value.into()));
        self
    }

    /// Moves the violation from the value at hand to one of its fields.
    #[must_use]
    pub fn at_field(mut self, name: &'static str) -> Self {
        self.path.push(Part::Field(name));
        self
    }

    /// What programs compare: `invalid_email`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        self.code.id()
    }

    /// The code with its sentence.
    #[must_use]
    pub const fn kind(&self) -> Code {
        self.code
    }

    /// The sentence for people, its parameters filled in.
    #[must_use]
    pub fn message(&self) -> Cow<'static, str> {
        let template = self.code.message();
        if template.contains('{') {
            self.fill(template).into()
        } else {
            template.into()
        }
    }

    /// Fills the parameters into a sentence of yours, for instance a translated one; the notation
    /// is the one of [`Code`].
    #[must_use]
    pub fn fill(&self, template: &str) -> String {
        let mut out = String::with_capacity(template.len() + 8);
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('{') {
            out.push_str(before);
            let Some((slot, after)) = after.split_once('}') else {
                out.push('{');
                rest = after;
                continue;
            };
            let (name, noun) = slot
                .split_once('|')
                .map_or((slot, None), |(n, u)| (n, Some(u)));
            if let Some((_, value)) = self.params.iter().find(|(known, _)| *known == name) {
                out.push_str(&value.to_string());
                if let Some(noun) = noun {
                    out.push(' ');
                    out.push_str(noun);
                    if *value != Param::Int(1) {
                        out.push('s');
                    }
                }
            }
            rest = after;
        }
        out.push_str(rest);
        out
    }

    /// The field as people write it, `items[3].name`; none if the whole input is meant.
    #[must_use]
    pub fn field(&self) -> Option<String> {
        (!self.path.is_root()).then(|| self.path.dotted())
    }

    /// The field as a JSON Pointer (RFC 6901), `/items/3/name`; empty if the whole input is meant.
    #[must_use]
    pub fn pointer(&self) -> String {
        self.path.pointer()
    }

    /// The parameters of the rule: `("max", 254)`.
    #[must_use]
    pub fn params(&self) -> impl ExactSizeIterator<Item = (&'static str, &Param)> {
        self.params.iter().map(|(name, value)| (*name, value))
    }

    pub(crate) fn under(mut self, mut path: Path) -> Self {
        path.append(self.path);
        self.path = path;
        self
    }

    pub(crate) fn path_mut(&mut self) -> &mut Path {
        &mut self.path
    }
}

impl fmt::Debug for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Violation")
            .field("code", &self.code.id())
            .field("field", &self.path.dotted())
            .field("params", &self.params)
            .finish()
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_root() {
            write!(f, "{}: ", self.path.dotted())?;
        }
        f.write_str(&self.message())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nouns_agree_with_their_number() {
        let short = Violation::new(Code::STRING_TOO_SHORT);
        assert_eq!(
            short.clone().param("min", 1_u8).message(),
            "must be at least 1 character"
        );
        assert_eq!(
            short.param("min", 2_u8).message(),
            "must be at least 2 characters"
        );
    }

    #[test]
    fn a_sentence_without_parameters_is_borrowed() {
        assert!(matches!(
            Violation::new(Code::REQUIRED).message(),
            Cow::Borrowed(_)
        ));
    }

    #[test]
    fn a_translated_sentence_uses_the_same_parameters() {
        let long = Violation::new(Code::STRING_TOO_LONG).param("max", 254_u8);
        assert_eq!(
            long.fill("höchstens {max} Zeichen {"),
            "höchstens 254 Zeichen {"
        );
    }
}
