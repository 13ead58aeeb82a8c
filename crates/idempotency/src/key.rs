//! What a client calls its request by.

use std::error::Error;
use std::fmt;

/// Is the value of an `Idempotency-Key`: 1 to 255 visible ASCII characters.
///
/// Its `Debug` shows nothing: whoever has a key and the caller's credentials has the response.
///
/// # Examples
///
/// ```
/// use seawall_idempotency::IdempotencyKey;
///
/// // The draft's form, a structured-field string, and the bare form that most clients send.
/// let quoted = IdempotencyKey::parse(br#""8e03978e-40d5-43e8-bc93-6894a57f9324""#)?;
/// let bare = IdempotencyKey::parse(b"8e03978e-40d5-43e8-bc93-6894a57f9324")?;
/// assert_eq!(quoted, bare);
/// # Ok::<(), seawall_idempotency::KeyError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct IdempotencyKey(Box<str>);

impl IdempotencyKey {
    /// Is how many characters a key has at most.
    pub const MAX_LEN: usize = 255;

    /// Makes a key of its characters, without quotes around them.
    ///
    /// # Errors
    ///
    /// Fails when there are none, more than [`MAX_LEN`](Self::MAX_LEN), or others than visible
    /// ASCII.
    pub fn new(characters: impl Into<String>) -> Result<Self, KeyError> {
        let characters = characters.into();
        check(characters.as_bytes())?;
        Ok(Self(characters.into_boxed_str()))
    }

    /// Reads one header line: a structured-field string (RFC 9651), whose parameters are ignored,
    /// or the key as it is.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new), and when quotes are not closed or something else than parameters
    /// follows them. A bare key has none of `"`, `\`, `,` and `;`: they would make it a broken
    /// structured field, or two keys joined by a proxy.
    pub fn parse(line: &[u8]) -> Result<Self, KeyError> {
        let line = trim(line);
        let characters = match line.split_first() {
            None => return Err(KeyError(KeyErrorKind::Empty)),
            Some((b'"', rest)) => quoted(rest)?,
            Some(_) => {
                check(line)?;
                if line.iter().any(|b| matches!(b, b'"' | b'\\' | b',' | b';')) {
                    return Err(KeyError(KeyErrorKind::Syntax));
                }
                line.to_vec()
            }
        };
        check(&characters)?;
        let characters =
            String::from_utf8(characters).map_err(|_| KeyError(KeyErrorKind::Character))?;
        Ok(Self(characters.into_boxed_str()))
    }

    /// Reads the header lines of a request: `None` where there is none.
    ///
    /// # Errors
    ///
    /// As [`parse`](Self::parse), and when there are several, even equal ones: whoever added one
    /// may not be who wrote the other.
    pub fn only<'a>(lines: impl IntoIterator<Item = &'a [u8]>) -> Result<Option<Self>, KeyError> {
        let mut lines = lines.into_iter();
        let Some(first) = lines.next() else {
            return Ok(None);
        };
        if lines.next().is_some() {
            return Err(KeyError(KeyErrorKind::Repeated));
        }
        Self::parse(first).map(Some)
    }

    /// Returns the characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdempotencyKey(..)")
    }
}

/// Says why something is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyError(KeyErrorKind);

impl KeyError {
    /// Returns what is wrong.
    #[must_use]
    pub const fn kind(self) -> KeyErrorKind {
        self.0
    }
}

/// Is what can be wrong with a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyErrorKind {
    /// It has no characters.
    Empty,
    /// It has more than [`IdempotencyKey::MAX_LEN`].
    TooLong,
    /// One of its characters is not visible ASCII.
    Character,
    /// It is neither a structured-field string nor a bare key.
    Syntax,
    /// The header came more than once.
    Repeated,
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            KeyErrorKind::Empty => "idempotency key: expected at least one character",
            KeyErrorKind::TooLong => "idempotency key: expected 255 characters at most",
            KeyErrorKind::Character => "idempotency key: expected visible ASCII characters",
            KeyErrorKind::Syntax => "idempotency key: expected a quoted string or a bare key",
            KeyErrorKind::Repeated => "idempotency key: expected one header line",
        })
    }
}

impl Error for KeyError {}

fn check(characters: &[u8]) -> Result<(), KeyError> {
    if characters.is_empty() {
        Err(KeyError(KeyErrorKind::Empty))
    } else if characters.len() > IdempotencyKey::MAX_LEN {
        Err(KeyError(KeyErrorKind::TooLong))
    } else if characters.iter().all(u8::is_ascii_graphic) {
        Ok(())
    } else {
        Err(KeyError(KeyErrorKind::Character))
    }
}

/// Reads the rest of an `sf-string` after its first quote (RFC 9651, 4.2.5).
fn quoted(rest: &[u8]) -> Result<Vec<u8>, KeyError> {
    let mut characters = Vec::with_capacity(rest.len().min(IdempotencyKey::MAX_LEN));
    let mut bytes = rest.iter();
    loop {
        match bytes.next() {
            Some(b'"') => break,
            Some(b'\\') => match bytes.next() {
                Some(escaped @ (b'"' | b'\\')) => characters.push(*escaped),
                _ => return Err(KeyError(KeyErrorKind::Syntax)),
            },
            Some(plain) => characters.push(*plain),
            None => return Err(KeyError(KeyErrorKind::Syntax)),
        }
        if characters.len() > IdempotencyKey::MAX_LEN {
            return Err(KeyError(KeyErrorKind::TooLong));
        }
    }
    match bytes.as_slice() {
        [] => Ok(characters),
        // Parameters are ignored as the draft says; a comma would begin a second member.
        [b';', parameters @ ..] if parameters_only(parameters) => Ok(characters),
        _ => Err(KeyError(KeyErrorKind::Syntax)),
    }
}

/// Whether nothing in there, outside of quotes, ends the item.
fn parameters_only(parameters: &[u8]) -> bool {
    let (mut within, mut escaped) = (false, false);
    for byte in parameters {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if within => escaped = true,
            b'"' => within = !within,
            b',' if !within => return false,
            0x20..=0x7e => {}
            _ => return false,
        }
    }
    !within
}

fn trim(line: &[u8]) -> &[u8] {
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t');
    let start = line.iter().position(|byte| !is_space(byte));
    let end = line.iter().rposition(|byte| !is_space(byte));
    match (start, end) {
        (Some(start), Some(end)) => &line[start..=end],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use KeyErrorKind::{Character, Empty, Repeated, Syntax, TooLong};

    fn check(line: &str, expected: Result<&str, KeyErrorKind>) {
        let got = IdempotencyKey::parse(line.as_bytes());
        let got = got.as_ref().map(IdempotencyKey::as_str);
        assert_eq!(got.map_err(|e| e.kind()), expected, "{line:.40?}");
    }

    #[test]
    fn lines_that_are_keys() {
        check(
            r#""clkyoesmbgybucifusbbtdsbohtyuuwz""#,
            Ok("clkyoesmbgybucifusbbtdsbohtyuuwz"),
        );
        check(" \tabc ", Ok("abc"));
        check("order:12/34", Ok("order:12/34"));
        check(r#""a;b,c""#, Ok("a;b,c"));
        check(r#""a\"b\\c""#, Ok(r#"a"b\c"#));
        check(r#""a"; q="x,\"y"; r"#, Ok("a"));
        check(&"k".repeat(255), Ok(&"k".repeat(255)));
    }

    #[test]
    fn lines_that_are_none() {
        check("", Err(Empty));
        check(r#""""#, Err(Empty));
        check("  ", Err(Empty));
        check(&"k".repeat(256), Err(TooLong));
        check(&format!("\"{}\"", "k".repeat(256)), Err(TooLong));
        check("a b", Err(Character));
        check(r#""a b""#, Err(Character));
        check("schlüssel", Err(Character));
        check("a\0b", Err(Character));
        check(r#""abc"#, Err(Syntax));
        check(r#""a\bc""#, Err(Syntax));
        check(r#""a" "b""#, Err(Syntax));
        check(r#""a", "b""#, Err(Syntax));
        check(r#""a";p, "b""#, Err(Syntax));
        check("a,b", Err(Syntax));
        check("a\"b", Err(Syntax));
    }

    #[test]
    fn one_line_and_no_more() {
        let only = |lines: &[&'static str]| {
            IdempotencyKey::only(lines.iter().map(|line| line.as_bytes())).map_err(KeyError::kind)
        };
        assert_eq!(only(&[]), Ok(None));
        assert_eq!(only(&["a"]).map(|key| key.is_some()), Ok(true));
        assert_eq!(only(&["a", "a"]), Err(Repeated));
    }

    #[test]
    fn a_key_is_not_shown() {
        let key = IdempotencyKey::new("secret").unwrap();
        assert!(!format!("{key:?}").contains("secret"));
    }
}
