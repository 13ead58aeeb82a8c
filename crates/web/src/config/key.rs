//! What a limit counts by, as text.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::request::{ClientIp, KeyBy, Missing};

/// A part of what a limit counts by.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyPart {
    /// `"everyone"`: one count for all requests.
    Everyone,
    /// `"address"`: the client's address.
    Address,
    /// `"principal"`: who the caller was authenticated as.
    Principal,
    /// `"route"`: the method and the template of the route.
    Route,
    /// `"header:x-api-key"`: the first value of a header.
    Header(String),
    /// `"path:project_id"`: a parameter of the route.
    Path(String),
    /// `"integer-path:user_id"`: a parameter of the route that is a number, however it is spelt.
    IntegerPath(String),
}

/// What happens to requests that lack a part of the key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum MissingKey {
    /// All of them share one count.
    #[default]
    Shared,
    /// The limit does not apply to them.
    Skip,
    /// They count by the client's address.
    Address,
    /// They are refused.
    Refuse,
}

impl KeyPart {
    /// Whether it is known only once the caller was authenticated and a route matched.
    pub(super) fn comes_late(&self) -> bool {
        matches!(self, Self::Principal | Self::Path(_) | Self::IntegerPath(_))
    }

    fn key(&self, client_ip: &ClientIp) -> KeyBy {
        match self {
            Self::Everyone => KeyBy::everyone(),
            Self::Address => KeyBy::address(client_ip.clone()),
            Self::Principal => KeyBy::principal(),
            Self::Route => KeyBy::route(),
            Self::Header(name) => KeyBy::header(name),
            Self::Path(name) => KeyBy::path_param(name),
            Self::IntegerPath(name) => KeyBy::integer_path_param(name),
        }
    }

    pub(super) fn all(parts: &[Self], missing: MissingKey, client_ip: &ClientIp) -> KeyBy {
        KeyBy::all(parts.iter().map(|part| part.key(client_ip))).or_missing(match missing {
            MissingKey::Shared => Missing::Shared,
            MissingKey::Skip => Missing::Skip,
            MissingKey::Address => Missing::Address(client_ip.clone()),
            MissingKey::Refuse => Missing::Refuse,
        })
    }
}

impl FromStr for KeyPart {
    type Err = InvalidKeyPart;

    fn from_str(text: &str) -> Result<Self, InvalidKeyPart> {
        let (kind, name) = match text.split_once(':') {
            Some((kind, name)) if !name.is_empty() => (kind, Some(name.to_owned())),
            Some(_) => return Err(InvalidKeyPart(())),
            None => (text, None),
        };
        Ok(match (kind, name) {
            ("everyone", None) => Self::Everyone,
            ("address", None) => Self::Address,
            ("principal", None) => Self::Principal,
            ("route", None) => Self::Route,
            ("header", Some(name)) => Self::Header(name),
            ("path", Some(name)) => Self::Path(name),
            ("integer-path", Some(name)) => Self::IntegerPath(name),
            _ => return Err(InvalidKeyPart(())),
        })
    }
}

impl fmt::Display for KeyPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everyone => f.write_str("everyone"),
            Self::Address => f.write_str("address"),
            Self::Principal => f.write_str("principal"),
            Self::Route => f.write_str("route"),
            Self::Header(name) => write!(f, "header:{name}"),
            Self::Path(name) => write!(f, "path:{name}"),
            Self::IntegerPath(name) => write!(f, "integer-path:{name}"),
        }
    }
}

impl Serialize for KeyPart {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for KeyPart {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(from)?;
        text.parse().map_err(D::Error::custom)
    }
}

/// A text that is no part of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidKeyPart(());

impl fmt::Display for InvalidKeyPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "expected `everyone`, `address`, `principal`, `route`, `header:NAME`, `path:NAME` or \
             `integer-path:NAME`",
        )
    }
}

impl std::error::Error for InvalidKeyPart {}
