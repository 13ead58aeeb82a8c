//! The format of RFC 9457.

use serde::{Deserialize, Deserializer, Serialize, Serializer, ser::SerializeMap as _};
use serde_json::{Map, Value};

use super::{Members, take_objects, take_string};

/// Holds a problem of RFC 9457, with the members that this project adds to it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Problem {
    /// The URI of the kind of problem; `about:blank` when the body has none.
    pub type_uri: String,
    /// The summary of the kind of problem.
    pub title: Option<String>,
    /// The status, as the service wrote it into the body.
    pub status: Option<u16>,
    /// The text for humans about this occurrence.
    pub detail: Option<String>,
    /// The URI of this occurrence.
    pub instance: Option<String>,
    /// The code's id.
    pub code: Option<String>,
    /// What is wrong in particular.
    pub errors: Vec<ProblemDetail>,
    /// The id of the request, for whoever is asked for help.
    pub request_id: Option<String>,
    /// Every other member.
    pub extensions: Map<String, Value>,
}

/// Holds one entry of a problem's `errors`.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct ProblemDetail {
    /// The machine-readable code.
    pub code: Option<String>,
    /// The text for humans.
    pub detail: Option<String>,
    /// The field in question.
    pub field: Option<String>,
    /// The place in the body, as a JSON Pointer in its URI fragment form.
    pub pointer: Option<String>,
    /// The values that the text mentions.
    pub params: Map<String, Value>,
}

impl Default for Problem {
    fn default() -> Self {
        Self::from_members(Map::new())
    }
}

impl Problem {
    pub(super) fn from_members(mut members: Members) -> Self {
        let status = members.remove("status").and_then(|status| status.as_u64());
        Self {
            type_uri: take_string(&mut members, "type").unwrap_or_else(|| ABOUT_BLANK.to_owned()),
            title: take_string(&mut members, "title"),
            status: status.and_then(|status| u16::try_from(status).ok()),
            detail: take_string(&mut members, "detail"),
            instance: take_string(&mut members, "instance"),
            code: take_string(&mut members, "code"),
            errors: take_objects(&mut members, "errors", ProblemDetail::from_members),
            request_id: take_string(&mut members, "request_id"),
            extensions: members,
        }
    }
}

impl ProblemDetail {
    fn from_members(mut members: Members) -> Self {
        let params = match members.remove("params") {
            Some(Value::Object(params)) => params,
            _ => Map::new(),
        };
        Self {
            code: take_string(&mut members, "code"),
            detail: take_string(&mut members, "detail"),
            field: take_string(&mut members, "field"),
            pointer: take_string(&mut members, "pointer"),
            params,
        }
    }
}

impl<'de> Deserialize<'de> for Problem {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Members::deserialize(deserializer).map(Self::from_members)
    }
}

impl Serialize for Problem {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut body = serializer.serialize_map(None)?;
        body.serialize_entry("type", &self.type_uri)?;
        optional(&mut body, "title", self.title.as_ref())?;
        optional(&mut body, "status", self.status.as_ref())?;
        optional(&mut body, "detail", self.detail.as_ref())?;
        optional(&mut body, "instance", self.instance.as_ref())?;
        optional(&mut body, "code", self.code.as_ref())?;
        if !self.errors.is_empty() {
            body.serialize_entry("errors", &self.errors)?;
        }
        optional(&mut body, "request_id", self.request_id.as_ref())?;
        for (name, value) in &self.extensions {
            body.serialize_entry(name, value)?;
        }
        body.end()
    }
}

impl<'de> Deserialize<'de> for ProblemDetail {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Members::deserialize(deserializer).map(Self::from_members)
    }
}

impl Serialize for ProblemDetail {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut body = serializer.serialize_map(None)?;
        optional(&mut body, "code", self.code.as_ref())?;
        optional(&mut body, "detail", self.detail.as_ref())?;
        optional(&mut body, "field", self.field.as_ref())?;
        optional(&mut body, "pointer", self.pointer.as_ref())?;
        if !self.params.is_empty() {
            body.serialize_entry("params", &self.params)?;
        }
        body.end()
    }
}

fn optional<M: serde::ser::SerializeMap>(
    body: &mut M,
    name: &str,
    value: Option<&impl Serialize>,
) -> Result<(), M::Error> {
    value.map_or(Ok(()), |value| body.serialize_entry(name, value))
}

const ABOUT_BLANK: &str = "about:blank";
