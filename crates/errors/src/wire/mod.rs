//! The bodies as their readers see them: types with which clients parse both formats.
//!
//! Reading is lenient, as RFC 9457 asks of clients: members of the wrong type count as absent, and
//! unknown ones are kept or passed over, so that a newer service does not break an older client.

mod problem;
mod simple;

use std::{error::Error, fmt};

use serde_json::{Map, Value};

pub use problem::{Problem, ProblemDetail};
pub use simple::{SimpleDetail, SimpleError};

/// Holds the body of an error answer, in either format.
///
/// # Examples
///
/// ```
/// use seawall_errors::wire::ErrorBody;
///
/// let body = br#"{"error":"not_found","message":"Not found","details":[],"request_id":"req_1"}"#;
/// let error = ErrorBody::parse(body)?;
///
/// assert_eq!(error.code(), Some("not_found"));
/// assert_eq!(error.request_id(), Some("req_1"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ErrorBody {
    /// The plain format.
    Simple(SimpleError),
    /// The format of RFC 9457.
    Problem(Problem),
}

/// Says that a body is in neither format.
#[derive(Debug)]
pub struct NotAnErrorBody(Option<serde_json::Error>);

impl ErrorBody {
    /// Reads a body. An object with a string `error` is the plain format, any other a problem,
    /// none of whose members is required.
    ///
    /// # Errors
    ///
    /// [`NotAnErrorBody`] when it is not a JSON object.
    pub fn parse(body: &[u8]) -> Result<Self, NotAnErrorBody> {
        match serde_json::from_slice(body) {
            Ok(Value::Object(members)) if members.get("error").is_some_and(Value::is_string) => {
                Ok(Self::Simple(SimpleError::from_members(members)))
            }
            Ok(Value::Object(members)) => Ok(Self::Problem(Problem::from_members(members))),
            Ok(_) => Err(NotAnErrorBody(None)),
            Err(error) => Err(NotAnErrorBody(Some(error))),
        }
    }

    /// The code's id.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Simple(error) => Some(&error.error),
            Self::Problem(problem) => problem.code.as_deref(),
        }
    }

    /// The text for humans: of a problem its detail, else its title.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        match self {
            Self::Simple(error) => Some(&error.message),
            Self::Problem(problem) => problem.detail.as_deref().or(problem.title.as_deref()),
        }
    }

    /// The id of the request.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        match self {
            Self::Simple(error) => error.request_id.as_deref(),
            Self::Problem(problem) => problem.request_id.as_deref(),
        }
    }
}

impl fmt::Display for NotAnErrorBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected a JSON object that describes an error")
    }
}

impl Error for NotAnErrorBody {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.as_ref().map(|error| error as _)
    }
}

type Members = Map<String, Value>;

fn take_string(members: &mut Members, name: &str) -> Option<String> {
    match members.remove(name) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    }
}

/// The objects within an array; what is none is passed over.
fn take_objects<T>(members: &mut Members, name: &str, read: fn(Members) -> T) -> Vec<T> {
    let Some(Value::Array(items)) = members.remove(name) else {
        return Vec::new();
    };
    let object = |item| {
        if let Value::Object(members) = item {
            Some(read(members))
        } else {
            None
        }
    };
    items.into_iter().filter_map(object).collect()
}
