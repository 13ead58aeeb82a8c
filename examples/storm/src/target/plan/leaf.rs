//! The checked values that a plan is made of.

use http::{HeaderName, HeaderValue, Method, Uri};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::client::Call;

/// A method and a path, as `"POST /api/users"`.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Route {
    pub(crate) method: Method,
    pub(crate) path: String,
}

/// The path of a probe.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Path(pub(crate) String);

/// A JSON object, in text.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Json {
    pub(crate) text: String,
    pub(crate) object: Map<String, Value>,
}

/// The name of a header.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Name(pub(crate) HeaderName);

/// The value of a header. It may be a secret, and is not shown.
#[derive(Clone, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Content(HeaderValue);

/// Headers that go with every request.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(transparent)]
pub(crate) struct Headers(
    #[serde(deserialize_with = "toml_headers")] pub(crate) Vec<(HeaderName, HeaderValue)>,
);

impl Route {
    /// A request at it.
    pub(crate) fn call(&self) -> Call {
        Call::new(self.method.clone(), &self.path)
    }

    pub(crate) fn label(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

impl Name {
    pub(super) fn of(name: &'static str) -> Self {
        Self(HeaderName::from_static(name))
    }

    pub(crate) fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl TryFrom<String> for Route {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let expected =
            || format!("`{text}` is no route; expected a method and a path, such as `GET /path`");
        let (method, path) = text.split_once(' ').ok_or_else(expected)?;
        let method: Method = method.parse().map_err(|_| expected())?;
        let standard = [
            Method::GET,
            Method::HEAD,
            Method::POST,
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
        ];
        if !standard.contains(&method) || !is_path(path) {
            return Err(expected());
        }
        let path = path.to_owned();
        Ok(Self { method, path })
    }
}

impl TryFrom<String> for Path {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if is_path(&text) {
            Ok(Self(text))
        } else {
            Err(format!(
                "`{text}` is no path; expected one such as `/livez`"
            ))
        }
    }
}

fn is_path(text: &str) -> bool {
    text.starts_with('/') && text.parse::<Uri>().is_ok()
}

impl TryFrom<String> for Json {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let object = serde_json::from_str(&text)
            .map_err(|error| format!("no JSON object ({error}); expected one such as `{{}}`"))?;
        Ok(Self { text, object })
    }
}

impl TryFrom<String> for Name {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let name = text.parse();
        name.map(Self)
            .map_err(|_| format!("`{text}` is no name of a header; expected one such as `x-id`"))
    }
}

impl TryFrom<String> for Content {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let value = text.parse();
        value
            .map(Self)
            .map_err(|_| "no value of a header; expected printable text")
    }
}

fn toml_headers<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<(HeaderName, HeaderValue)>, D::Error> {
    struct Visitor;

    impl<'de> serde::de::Visitor<'de> for Visitor {
        type Value = Vec<(HeaderName, HeaderValue)>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a table of headers")
        }

        fn visit_map<A: serde::de::MapAccess<'de>>(
            self,
            mut map: A,
        ) -> Result<Self::Value, A::Error> {
            let mut headers = Vec::new();
            while let Some((Name(name), Content(value))) = map.next_entry()? {
                headers.push((name, value));
            }
            Ok(headers)
        }
    }
    deserializer.deserialize_map(Visitor)
}
