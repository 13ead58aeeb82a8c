//! The plain format.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser::SerializeStruct as _};

use super::{Members, take_objects, take_string};

/// Holds the plain body, `{"error", "message", "details", "request_id"}`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SimpleError {
    /// The code's id.
    pub error: String,
    /// The text for humans.
    pub message: String,
    /// What is wrong in particular.
    pub details: Vec<SimpleDetail>,
    /// The id of the request, for whoever is asked for help.
    pub request_id: Option<String>,
}

/// Holds one detail of the plain body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SimpleDetail {
    /// The machine-readable code.
    pub code: String,
    /// The text for humans.
    pub message: String,
    /// The field in question.
    pub field: Option<String>,
}

impl SimpleError {
    pub(super) fn from_members(mut members: Members) -> Self {
        Self {
            error: take_string(&mut members, "error").unwrap_or_default(),
            message: take_string(&mut members, "message").unwrap_or_default(),
            details: take_objects(&mut members, "details", SimpleDetail::from_members),
            request_id: take_string(&mut members, "request_id"),
        }
    }
}

impl SimpleDetail {
    fn from_members(mut members: Members) -> Self {
        Self {
            code: take_string(&mut members, "code").unwrap_or_default(),
            message: take_string(&mut members, "message").unwrap_or_default(),
            field: take_string(&mut members, "field"),
        }
    }
}

impl<'de> Deserialize<'de> for SimpleError {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let members = Members::deserialize(deserializer)?;
        if members.get("error").is_none_or(|error| !error.is_string()) {
            return Err(de::Error::custom(
                "expected an object with a string `error`",
            ));
        }
        Ok(Self::from_members(members))
    }
}

impl Serialize for SimpleError {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut body = serializer.serialize_struct("SimpleError", 4)?;
        body.serialize_field("error", &self.error)?;
        body.serialize_field("message", &self.message)?;
        body.serialize_field("details", &self.details)?;
        match &self.request_id {
            Some(id) => body.serialize_field("request_id", id)?,
            None => body.skip_field("request_id")?,
        }
        body.end()
    }
}

impl<'de> Deserialize<'de> for SimpleDetail {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Members::deserialize(deserializer).map(Self::from_members)
    }
}

impl Serialize for SimpleDetail {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut body = serializer.serialize_struct("SimpleDetail", 3)?;
        body.serialize_field("code", &self.code)?;
        body.serialize_field("message", &self.message)?;
        match &self.field {
            Some(field) => body.serialize_field("field", field)?,
            None => body.skip_field("field")?,
        }
        body.end()
    }
}
