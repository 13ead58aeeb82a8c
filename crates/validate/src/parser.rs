//! The ways in: one for each kind of input, all with the same limits, rules and violations.

use std::any::Any;
use std::fmt;

use serde::de::Deserializer;

use crate::cx::{Mode, Unknown};
use crate::pairs::Pairs;
use crate::violations::Kind;
use crate::{Code, Cx, Limits, Valid, Validate, Violation, Violations};

/// Reads inputs, with limits and a context of your choice.
///
/// The free functions ([`from_json`] and its kin) are this with the limits alone. It is cheap to
/// make, `Copy`, and shared by nothing.
///
/// # Examples
///
/// A rule that asks for something of the caller's:
///
/// ```
/// # #[cfg(feature = "derive")] {
/// use seawall_validate::{Code, Cx, Limits, Parser, Validate, Violation};
///
/// struct Reserved(Vec<&'static str>);
///
/// const RESERVED: Code = Code::new("reserved", "is reserved");
///
/// fn not_reserved(name: &str, cx: &Cx<'_>) -> Result<(), Violation> {
///     let taken = cx.context::<Reserved>().is_some_and(|all| all.0.contains(&name));
///     if taken { Err(Violation::new(RESERVED)) } else { Ok(()) }
/// }
///
/// #[derive(Debug, Validate)]
/// struct Signup {
///     #[validate(chars(1..=20), with_context = not_reserved)]
///     name: String,
/// }
///
/// let reserved = Reserved(vec!["admin"]);
/// let parser = Parser::new(&Limits::API).context(&reserved);
/// let refused = parser.json::<Signup>(br#"{"name":"admin"}"#).unwrap_err();
/// assert_eq!(refused.iter().next().unwrap().code(), "reserved");
/// # }
/// ```
#[derive(Clone, Copy)]
pub struct Parser<'c> {
    limits: &'c Limits,
    context: Option<&'c (dyn Any + Send + Sync)>,
    #[cfg(feature = "jiff")]
    now: Option<jiff::Timestamp>,
    duplicates_allowed: bool,
}

impl Default for Parser<'static> {
    /// [`Limits::API`] and no context.
    fn default() -> Self {
        Self::new(&Limits::API)
    }
}

impl<'c> Parser<'c> {
    /// Reads within these limits.
    #[must_use]
    pub const fn new(limits: &'c Limits) -> Self {
        Self {
            limits,
            context: None,
            #[cfg(feature = "jiff")]
            now: None,
            duplicates_allowed: false,
        }
    }

    /// Passes something of yours on to the rules; default: nothing.
    #[must_use]
    pub fn context<C: Any + Send + Sync>(mut self, context: &'c C) -> Self {
        self.context = Some(context);
        self
    }

    /// Says when it is, to the rules that ask; default: they ask the operating system, once for a
    /// reading.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "derive")] {
    /// use jiff::Timestamp;
    /// use seawall_validate::{Limits, Parser, Validate};
    ///
    /// #[derive(Debug, Validate)]
    /// struct Reminder {
    ///     #[validate(future)]
    ///     at: Timestamp,
    /// }
    ///
    /// let parser = Parser::new(&Limits::API).at("2026-01-01T00:00:00Z".parse()?);
    /// assert!(parser.json::<Reminder>(br#"{"at":"2026-01-01T00:00:01Z"}"#).is_ok());
    /// let refused = parser.json::<Reminder>(br#"{"at":"2026-01-01T00:00:00Z"}"#).unwrap_err();
    /// assert_eq!(refused.to_string(), "at: must be in the future");
    /// # }
    /// # Ok::<_, jiff::Error>(())
    /// ```
    #[cfg(feature = "jiff")]
    #[cfg_attr(docsrs, doc(cfg(feature = "jiff")))]
    #[must_use]
    pub const fn at(mut self, now: jiff::Timestamp) -> Self {
        self.now = Some(now);
        self
    }

    /// Accepts a key that is given twice, and lets the last one count; default: refused.
    ///
    /// Readers disagree about which of two counts, and attackers live on that; this is for input
    /// that you must take as it is.
    #[must_use]
    pub const fn allow_duplicate_keys(mut self) -> Self {
        self.duplicates_allowed = true;
        self
    }

    fn cx(&self, mode: Mode) -> Cx<'c> {
        let mut cx = Cx::new(self.limits, mode).with_context(self.context);
        #[cfg(feature = "jiff")]
        {
            cx = cx.with_now(self.now);
        }
        cx.duplicates_allowed = self.duplicates_allowed;
        cx
    }

    /// Reads a JSON body.
    ///
    /// # Errors
    ///
    /// Every violation at once; or one of [`Kind::Malformed`] if this is not JSON, or of
    /// [`Kind::TooLarge`].
    pub fn json<'de, T: Validate<'de>>(&self, body: &'de [u8]) -> Result<T, Violations> {
        self.fits(body.len())?;
        // Once over the whole body is far cheaper than once for each string in it, which is what
        // `from_slice` does.
        let text = std::str::from_utf8(body).map_err(|error| not_utf8(body, &error))?;
        let mut cx = self.cx(Mode::Typed);
        let mut json = serde_json::Deserializer::from_str(text);
        let value = match T::read(&mut json, &mut cx).and_then(|value| json.end().map(|()| value)) {
            Ok(value) => value,
            Err(_) if cx.halted() => None,
            Err(error) => return Err(malformed_json(&error)),
        };
        cx.conclude(value)
    }

    fn fits(&self, bytes: usize) -> Result<(), Violations> {
        if bytes <= self.limits.body {
            return Ok(());
        }
        let violation = Violation::new(Code::BODY_TOO_LARGE).param("max", self.limits.body);
        Err(Violations::of(Kind::TooLarge, violation))
    }

    /// Reads a query: the part of a URL behind the question mark.
    ///
    /// # Errors
    ///
    /// Every violation at once; or one of [`Kind::QueryTooLong`], or of [`Kind::Malformed`] if
    /// the percent-encoding is broken.
    pub fn query<'de, T: Validate<'de>>(&self, query: &'de str) -> Result<T, Violations> {
        if query.len() > self.limits.query {
            let violation = Violation::new(Code::QUERY_TOO_LONG).param("max", self.limits.query);
            return Err(Violations::of(Kind::QueryTooLong, violation));
        }
        self.text(
            Pairs::decode(query, self.limits.pairs)?,
            Unknown::AsDeclared,
        )
    }

    /// Reads an `application/x-www-form-urlencoded` body.
    ///
    /// # Errors
    ///
    /// Every violation at once; or one of [`Kind::TooLarge`], or of [`Kind::Malformed`] if the
    /// percent-encoding is broken.
    pub fn form<'de, T: Validate<'de>>(&self, body: &'de [u8]) -> Result<T, Violations> {
        self.fits(body.len())?;
        let text = std::str::from_utf8(body).map_err(|_| malformed_text())?;
        self.text(Pairs::decode(text, self.limits.pairs)?, Unknown::AsDeclared)
    }

    /// Reads names and values that were decoded already: path parameters, multipart text fields.
    ///
    /// # Errors
    ///
    /// Every violation at once.
    pub fn pairs<'de, T, I>(&self, pairs: I) -> Result<T, Violations>
    where
        T: Validate<'de>,
        I: IntoIterator<Item = (&'de str, &'de str)>,
    {
        self.text(Pairs::of(pairs, self.limits.pairs)?, Unknown::AsDeclared)
    }

    /// Reads headers. Names are compared without regard to case, in lower case, which is how
    /// fields have to be named; headers that the type does not name are passed over.
    ///
    /// # Errors
    ///
    /// Every violation at once; or one of [`Kind::HeadersTooLarge`].
    pub fn headers<'de, T, I>(&self, headers: I) -> Result<T, Violations>
    where
        T: Validate<'de>,
        I: IntoIterator<Item = (&'de str, &'de [u8])>,
    {
        self.text(Pairs::of_headers(headers, self.limits)?, Unknown::Ignore)
    }

    fn text<'de, T: Validate<'de>>(
        &self,
        pairs: Pairs<'de>,
        unknown: Unknown,
    ) -> Result<T, Violations> {
        let mut cx = self.cx(Mode::Text);
        cx.unknown = unknown;
        let value = match T::read(pairs, &mut cx) {
            Ok(value) => value,
            Err(_) if cx.halted() => None,
            Err(_) => return Err(malformed_text()),
        };
        cx.conclude(value)
    }

    /// Reads from any self-describing format of serde's.
    ///
    /// # Errors
    ///
    /// Every violation at once; or one of [`Kind::Malformed`] if the deserializer fails.
    pub fn deserializer<'de, T, D>(&self, deserializer: D) -> Result<T, Violations>
    where
        T: Validate<'de>,
        D: Deserializer<'de>,
    {
        let mut cx = self.cx(Mode::Typed);
        let value = match T::read(deserializer, &mut cx) {
            Ok(value) => value,
            Err(_) if cx.halted() => None,
            Err(_) => {
                return Err(Violations::of(
                    Kind::Malformed,
                    Violation::new(Code::MALFORMED),
                ));
            }
        };
        cx.conclude(value)
    }

    /// Checks a value that was built in code.
    ///
    /// # Errors
    ///
    /// Every violation at once.
    pub fn check<'de, T: Validate<'de>>(&self, value: T) -> Result<Valid<T>, Violations> {
        let mut cx = self.cx(Mode::Typed);
        value.check(&mut cx);
        cx.conclude(Some(value)).map(Valid::witness)
    }
}

impl fmt::Debug for Parser<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parser")
            .field("limits", &self.limits)
            .field("has_context", &self.context.is_some())
            .field("duplicates_allowed", &self.duplicates_allowed)
            .finish_non_exhaustive()
    }
}

fn malformed_json(error: &serde_json::Error) -> Violations {
    malformed_at(error.line(), error.column())
}

/// The place is told as `serde_json` tells it: a line from 1, and bytes of the line up to there.
#[cold]
fn not_utf8(body: &[u8], error: &std::str::Utf8Error) -> Violations {
    let before = &body[..error.valid_up_to()];
    let mut lines = before.rsplit(|byte| *byte == b'\n');
    let column = lines.next().map_or(0, <[u8]>::len);
    malformed_at(1 + lines.count(), column)
}

fn malformed_at(line: usize, column: usize) -> Violations {
    let violation = Violation::new(Code::MALFORMED_JSON)
        .param("line", line)
        .param("column", column);
    Violations::of(Kind::Malformed, violation)
}

pub(crate) fn malformed_text() -> Violations {
    Violations::of(Kind::Malformed, Violation::new(Code::MALFORMED_TEXT))
}

/// Reads a JSON body within `limits`; see [`Parser::json`].
///
/// # Errors
///
/// Every violation at once.
pub fn from_json<'de, T: Validate<'de>>(body: &'de [u8], limits: &Limits) -> Result<T, Violations> {
    Parser::new(limits).json(body)
}

/// Reads a query within `limits`; see [`Parser::query`].
///
/// # Errors
///
/// Every violation at once.
pub fn from_query<'de, T: Validate<'de>>(
    query: &'de str,
    limits: &Limits,
) -> Result<T, Violations> {
    Parser::new(limits).query(query)
}

/// Reads a form's body within `limits`; see [`Parser::form`].
///
/// # Errors
///
/// Every violation at once.
pub fn from_form<'de, T: Validate<'de>>(body: &'de [u8], limits: &Limits) -> Result<T, Violations> {
    Parser::new(limits).form(body)
}

/// Reads decoded names and values within `limits`; see [`Parser::pairs`].
///
/// # Errors
///
/// Every violation at once.
pub fn from_pairs<'de, T, I>(pairs: I, limits: &Limits) -> Result<T, Violations>
where
    T: Validate<'de>,
    I: IntoIterator<Item = (&'de str, &'de str)>,
{
    Parser::new(limits).pairs(pairs)
}

/// Reads headers within `limits`; see [`Parser::headers`].
///
/// # Errors
///
/// Every violation at once.
pub fn from_headers<'de, T, I>(headers: I, limits: &Limits) -> Result<T, Violations>
where
    T: Validate<'de>,
    I: IntoIterator<Item = (&'de str, &'de [u8])>,
{
    Parser::new(limits).headers(headers)
}

/// Reads from any self-describing format within `limits`; see [`Parser::deserializer`].
///
/// # Errors
///
/// Every violation at once.
pub fn from_deserializer<'de, T, D>(deserializer: D, limits: &Limits) -> Result<T, Violations>
where
    T: Validate<'de>,
    D: Deserializer<'de>,
{
    Parser::new(limits).deserializer(deserializer)
}

/// What a derived `Deserialize` does: [`Limits::API`], and the first violation as the error.
///
/// # Errors
///
/// The deserializer's own, or the first violation, in the deserializer's words.
#[doc(hidden)]
pub fn deserialize<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: Validate<'de>,
    D: Deserializer<'de>,
{
    let mut cx = Cx::new(&Limits::API, Mode::Typed);
    let value = T::read(deserializer, &mut cx);
    match value {
        Err(error) if !cx.halted() => Err(error),
        Err(_) => cx.conclude(None).map_err(serde::de::Error::custom),
        Ok(value) => cx.conclude(value).map_err(serde::de::Error::custom),
    }
}
