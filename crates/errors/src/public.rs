//! The public half of an error on its own.

use std::{borrow::Cow, time::Duration};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser::SerializeStruct as _};
use serde_json::{Map, Value};

use crate::{
    ApiError, Detail,
    detail::{Members, OwnedParts},
};

/// Holds what callers may see of an error, masked already, as data that a store can keep.
///
/// An answer that is to be repeated, as idempotency repeats one, cannot be kept as bytes: each
/// repetition has its own request id, and perhaps another `Accept`. Keep this instead, and let
/// [`Renderer::render_public`](crate::Renderer::render_public) answer with it. The headers that were
/// added with [`ApiError::header`] are not part of it; keep them as you keep those of any answer.
///
/// # Examples
///
/// ```
/// use seawall_errors::{ApiError, PublicError, RenderContext, Renderer, codes};
///
/// let error = ApiError::new(codes::CONFLICT).message("The cart is closed").note("cart 7");
/// let stored = serde_json::to_string(&error.public())?;
///
/// let kept: PublicError = serde_json::from_str(&stored)?;
/// let (renderer, context) = (Renderer::new(), RenderContext::new().request_id("req_2"));
/// assert_eq!(renderer.render_public(&kept, &context), renderer.render(&error, &context));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct PublicError {
    status: u16,
    id: String,
    title: String,
    message: String,
    details: Vec<Detail>,
    meta: Members,
    problem_type: Option<String>,
    retry_after: Option<Duration>,
}

/// What callers may see of an error, borrowed: the renderer knows nothing else.
#[derive(Clone, Copy)]
pub(crate) struct Face<'a> {
    pub(crate) status: u16,
    pub(crate) id: &'a str,
    pub(crate) title: &'a str,
    pub(crate) message: &'a str,
    pub(crate) details: &'a [Detail],
    pub(crate) meta: &'a [(Cow<'static, str>, Value)],
    pub(crate) problem_type: Option<&'a str>,
    pub(crate) retry_after: Option<Duration>,
}

impl PublicError {
    pub(crate) fn of(error: &ApiError) -> Self {
        let face = error.face();
        Self {
            status: face.status,
            id: face.id.to_owned(),
            title: face.title.to_owned(),
            message: face.message.to_owned(),
            details: face.details.to_vec(),
            meta: face.meta.to_vec(),
            problem_type: face.problem_type.map(str::to_owned),
            retry_after: face.retry_after,
        }
    }

    /// The HTTP status.
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// The code's id, as callers see it.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The message, as callers see it.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    pub(crate) fn face(&self) -> Face<'_> {
        Face {
            status: self.status,
            id: &self.id,
            title: &self.title,
            message: &self.message,
            details: &self.details,
            meta: &self.meta,
            problem_type: self.problem_type.as_deref(),
            retry_after: self.retry_after,
        }
    }
}

impl Serialize for PublicError {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut body = serializer.serialize_struct("PublicError", 8)?;
        body.serialize_field("status", &self.status)?;
        body.serialize_field("code", &self.id)?;
        body.serialize_field("title", &self.title)?;
        body.serialize_field("message", &self.message)?;
        body.serialize_field(
            "details",
            &self.details.iter().map(Detail::parts).collect::<Vec<_>>(),
        )?;
        // Pairs, since the order of an object's members is not everywhere kept.
        body.serialize_field("meta", &self.meta)?;
        body.serialize_field("problem_type", &self.problem_type)?;
        body.serialize_field("retry_after", &self.retry_after)?;
        body.end()
    }
}

impl<'de> Deserialize<'de> for PublicError {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut members = Map::<String, Value>::deserialize(deserializer)?;
        let details: Vec<OwnedParts> = take(&mut members, "details")?;
        let error = Self {
            status: take(&mut members, "status")?,
            id: take(&mut members, "code")?,
            title: take(&mut members, "title")?,
            message: take(&mut members, "message")?,
            details: details.into_iter().map(Detail::from_parts).collect(),
            meta: take(&mut members, "meta")?,
            problem_type: take(&mut members, "problem_type")?,
            retry_after: take(&mut members, "retry_after")?,
        };
        if !(400..=599).contains(&error.status) {
            return Err(de::Error::custom("expected a status of 400 to 599"));
        }
        let is_bare =
            error.details.is_empty() && error.meta.is_empty() && error.problem_type.is_none();
        if error.status >= 500 && !is_bare {
            return Err(de::Error::custom(
                "expected neither details nor members nor a type with a 5xx",
            ));
        }
        Ok(error)
    }
}

/// Takes a member that has to be there, and to be of the right type.
fn take<T: de::DeserializeOwned, E: de::Error>(
    members: &mut Map<String, Value>,
    name: &str,
) -> Result<T, E> {
    let value = members.remove(name).unwrap_or(Value::Null);
    serde_json::from_value(value).map_err(|error| E::custom(format_args!("{name}: {error}")))
}
