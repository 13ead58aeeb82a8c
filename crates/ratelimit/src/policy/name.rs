//! Names that may stand in a header field and label a metric.

use std::fmt;
use std::str::FromStr;

use crate::error::ConfigError;

/// The name of a policy: 1 to 31 visible ASCII characters, without `"` and `\`.
///
/// It is kept inline, so that a report can carry it without touching a shared counter.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PolicyName {
    bytes: [u8; Self::LONGEST],
    length: u8,
}

impl PolicyName {
    /// The most bytes that a name may have.
    pub const LONGEST: usize = 31;

    /// A name from a literal; in a constant it is checked when the program is compiled.
    ///
    /// # Panics
    ///
    /// If it is no name.
    ///
    /// # Examples
    ///
    /// ```
    /// use seawall_ratelimit::PolicyName;
    ///
    /// const LOGIN: PolicyName = PolicyName::literal("login");
    /// assert_eq!(LOGIN.as_str(), "login");
    /// ```
    #[must_use]
    #[track_caller]
    pub const fn literal(name: &'static str) -> Self {
        match Self::parse(name.as_bytes()) {
            Some(name) => name,
            None => panic!("{}", EXPECTED),
        }
    }

    /// The name.
    #[must_use]
    #[expect(clippy::missing_panics_doc, reason = "only ASCII is ever stored")]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..usize::from(self.length)])
            .expect("only ASCII is ever stored")
    }

    const fn parse(name: &[u8]) -> Option<Self> {
        if name.is_empty() || name.len() > Self::LONGEST {
            return None;
        }
        let mut bytes = [0; Self::LONGEST];
        let mut i = 0;
        while i < name.len() {
            if !name[i].is_ascii_graphic() || name[i] == b'"' || name[i] == b'\\' {
                return None;
            }
            bytes[i] = name[i];
            i += 1;
        }
        #[expect(clippy::cast_possible_truncation, reason = "compared with 31 above")]
        Some(Self {
            bytes,
            length: name.len() as u8,
        })
    }
}

impl FromStr for PolicyName {
    type Err = ConfigError;

    fn from_str(name: &str) -> Result<Self, ConfigError> {
        Self::parse(name.as_bytes()).ok_or_else(|| ConfigError::new("name", EXPECTED).of(name))
    }
}

impl AsRef<str> for PolicyName {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for PolicyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for PolicyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

const EXPECTED: &str = "expected 1 to 31 visible ASCII characters without `\"` and `\\`";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_what_a_header_field_can_carry() {
        let check = |name: &str, ok| assert_eq!(name.parse::<PolicyName>().is_ok(), ok, "{name:?}");
        check("login", true);
        check("per-user/5h", true);
        check(&"x".repeat(31), true);
        check(&"x".repeat(32), false);
        check("", false);
        check("two words", false);
        check("quo\"te", false);
        check("back\\slash", false);
        check("line\nbreak", false);
        check("naïve", false);
    }

    #[test]
    fn reads_back() {
        let name: PolicyName = "per-user".parse().unwrap();
        assert_eq!(
            (name.as_str(), &*name.to_string()),
            ("per-user", "per-user")
        );
        assert_eq!(
            (name.as_ref(), &*format!("{name:?}")),
            ("per-user", "\"per-user\"")
        );
    }
}
