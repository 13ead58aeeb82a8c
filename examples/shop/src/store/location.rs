//! What `--store` and `store.location` may say.

use std::borrow::Cow;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use serde::Deserialize;
use serde::de::{self, Deserializer};

/// Where shared state lives.
///
/// | location | rate limits | accepted webhooks, idempotency keys | ledger |
/// |---|---|---|---|
/// | `memory` | this process | this process | a file |
/// | `sqlite:PATH` | this process | the file, shared by the processes of one machine | that file |
/// | `redis://…` | the server | the server | a file |
/// | `postgres://…` | the server | the server | the server |
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// This process.
    Memory,
    /// A file; without a path, one in a temporary directory.
    Sqlite(Option<PathBuf>),
    /// A Redis; without an address, a throw-away one.
    Redis(Option<Url>),
    /// A `PostgreSQL`; without an address, a throw-away one.
    Postgres(Option<Url>),
}

impl Location {
    /// The kind of backend, as it is spelt in front of a colon.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Sqlite(_) => "sqlite",
            Self::Redis(_) => "redis",
            Self::Postgres(_) => "postgres",
        }
    }

    /// Text that was refused, without what may be a password.
    #[must_use]
    pub fn redact(text: &str) -> String {
        match text.split_once("://") {
            Some((scheme, _)) => format!("{scheme}://…"),
            None => text.to_owned(),
        }
    }
}

/// A file in a temporary directory: as durable as a demonstration need be, and nothing to clean up.
impl Default for Location {
    fn default() -> Self {
        Self::Sqlite(None)
    }
}

/// What was expected in place of some text.
pub(crate) const EXPECTED: &str = "memory, sqlite, sqlite:PATH, redis, redis://HOST:PORT, postgres \
                                   or postgres://USER@HOST:PORT/DATABASE";

impl FromStr for Location {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let url = || Url::parse(text).ok_or(EXPECTED);
        match text.split_once(':') {
            None => match text {
                "memory" => Ok(Self::Memory),
                "sqlite" => Ok(Self::Sqlite(None)),
                "redis" => Ok(Self::Redis(None)),
                "postgres" => Ok(Self::Postgres(None)),
                _ => Err(EXPECTED),
            },
            Some(("sqlite", path)) if !path.is_empty() => Ok(Self::Sqlite(Some(path.into()))),
            Some(("redis", _)) => url().map(|url| Self::Redis(Some(url))),
            Some(("postgres", _)) => url().map(|url| Self::Postgres(Some(url))),
            _ => Err(EXPECTED),
        }
    }
}

/// As it is given to `--store`; a URL with whatever it holds.
impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(Some(path)) => write!(f, "sqlite:{}", path.display()),
            Self::Redis(Some(url)) | Self::Postgres(Some(url)) => f.write_str(url.expose()),
            _ => f.write_str(self.kind()),
        }
    }
}

impl<'de> Deserialize<'de> for Location {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'_, str>::deserialize(deserializer)?;
        text.parse().map_err(|expected| {
            let text = Self::redact(&text);
            de::Error::custom(format!("`{text}` is no store; expected {expected}"))
        })
    }
}

/// A server's address: scheme, authority, and whatever the driver makes of the rest.
#[derive(Clone, PartialEq, Eq)]
pub struct Url(String);

impl Url {
    fn parse(text: &str) -> Option<Self> {
        let url = Self(text.to_owned());
        url.host_and_port(0).is_some().then_some(url)
    }

    /// The text, for the driver.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Host, without the brackets of IPv6, and port.
    #[must_use]
    pub fn host_and_port(&self, default: u16) -> Option<(&str, u16)> {
        let authority = &self.0[self.authority()?];
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, port.parse().ok()?),
            _ => (authority, default),
        };
        let bare = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'));
        let host = bare.unwrap_or(host);
        (!host.is_empty()).then_some((host, port))
    }

    /// The same with another host and port: for a proxy in between.
    #[must_use]
    pub fn through(&self, proxy: std::net::SocketAddr) -> Self {
        let mut text = self.0.clone();
        if let Some(place) = self.authority() {
            text.replace_range(place, &proxy.to_string());
        }
        Self(text)
    }

    /// Where host and port stand.
    fn authority(&self) -> Option<std::ops::Range<usize>> {
        let start = self.0.find("://")? + 3;
        let rest = &self.0[start..];
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        // A password may hold an `@`; a host does not.
        let host = rest[..end].rfind('@').map_or(0, |at| at + 1);
        Some(start + host..start + end)
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // It may hold a password.
        f.write_str("Url(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_understood_with_and_without_a_place() {
        let check = |text: &str, kind: &str| {
            let location: Location = text.parse().unwrap();
            assert_eq!(location.kind(), kind);
            assert_eq!(location.to_string(), text);
        };
        check("memory", "memory");
        check("sqlite", "sqlite");
        check("sqlite:/tmp/shop.db", "sqlite");
        check("redis", "redis");
        check("redis://:pw@host:6379/1", "redis");
        check("postgres", "postgres");
        check("postgres://app@host/shop", "postgres");
    }

    #[test]
    fn everything_else_is_refused() {
        for text in [
            "",
            "memory:x",
            "sqlite:",
            "redis:",
            "redis:host",
            "redis://",
            "redis:///1",
            "redis://user@/1",
            "redis://host:port/",
            "redis://host:70000/",
            "postgres://",
            "postgres://:5432/x",
            "rediss://host/",
            "mysql://host/",
        ] {
            assert_eq!(text.parse::<Location>(), Err(EXPECTED), "{text:?}");
        }
    }

    #[test]
    fn host_and_port_are_found_and_replaced() {
        let check = |text: &str, host: &str, port: u16, through: &str| {
            let url = Url::parse(text).unwrap();
            assert_eq!(url.host_and_port(6379), Some((host, port)), "{text}");
            let proxy = "127.0.0.1:9".parse().unwrap();
            assert_eq!(url.through(proxy).expose(), through);
        };
        check("redis://h", "h", 6379, "redis://127.0.0.1:9");
        check("redis://h:1/2?x", "h", 1, "redis://127.0.0.1:9/2?x");
        check("redis://u:p@q@h:1", "h", 1, "redis://u:p@q@127.0.0.1:9");
        check("redis://[::1]:1/", "::1", 1, "redis://127.0.0.1:9/");
        check("redis://[::1]/", "::1", 6379, "redis://127.0.0.1:9/");
    }

    #[test]
    fn no_password_is_shown() {
        let location: Location = "redis://:hunter2@host/".parse().unwrap();
        assert!(!format!("{location:?}").contains("hunter2"));
        assert!(!Location::redact("redis://:hunter2@:x/").contains("hunter2"));
    }
}
