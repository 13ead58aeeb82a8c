//! The answers to input that is not what an extractor reads.
//!
//! serde's own messages name Rust types and echo input, so only their kind is used: which field, and
//! whether it is missing, unknown, given twice, or of the wrong type.

use std::fmt::Display;

use seawall_errors::{ApiError, Detail, PublicText, codes};

use super::coding;
use crate::request::{Coding, RequestHead};

/// 422 `validation_error` with one detail, from serde's message and the path at which it arose. A path
/// of `.` is none.
pub fn misread(message: &dyn Display, path: Option<&dyn Display>) -> ApiError {
    let message = message.to_string();
    let path = path.map(ToString::to_string).filter(|path| path != ".");
    let named = |prefix: &str| {
        let rest = message.strip_prefix(prefix)?;
        rest.strip_prefix('`')?.split('`').next()
    };
    let detail = if let Some(name) = named("missing field ") {
        let field = path.map_or_else(|| name.to_owned(), |path| format!("{path}.{name}"));
        return one(Detail::new("required", "This field is required").field(field));
    } else if message.starts_with("unknown field ") {
        Detail::new("unknown_field", "This field is not known")
    } else if let Some(name) = named("duplicate field ") {
        return one(
            Detail::new("duplicate_field", "This field is given more than once").field(name),
        );
    } else if message.starts_with("invalid type") {
        Detail::new("invalid_type", "This value has the wrong type")
    } else {
        Detail::new("invalid", "This value is not acceptable")
    };
    one(match path {
        // A path is made of the field names of the service and of map keys, which are the
        // caller's: it is cut and cleaned like any run-time text.
        Some(path) => detail.field(PublicText::vetted(path).as_str()),
        None => detail,
    })
}

fn one(detail: Detail) -> ApiError {
    ApiError::new(codes::VALIDATION_ERROR)
        .detail(detail)
        .not_executed()
}

/// Lets a request pass whose body is declared as what is expected, and that is not packed: what nobody
/// unpacks within limits is not read. `media_type` is asked in lower case, without parameters.
///
/// # Errors
///
/// 415 `unsupported_media_type`.
pub fn expect(head: &dyn RequestHead, media_type: impl Fn(&str) -> bool) -> Result<(), ApiError> {
    let declared = head.header("content-type");
    if !declared.is_some_and(|value| media_type_is(value, media_type)) {
        return Err(ApiError::new(codes::UNSUPPORTED_MEDIA_TYPE).not_executed());
    }
    match Coding::of(head) {
        Coding::Identity => Ok(()),
        _ => Err(coding::unsupported("identity")),
    }
}

fn media_type_is(value: &[u8], matches: impl Fn(&str) -> bool) -> bool {
    let Ok(value) = std::str::from_utf8(value) else {
        return false;
    };
    let essence = value.split(';').next().unwrap_or_default().trim();
    matches(&essence.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::FakeHead;

    #[track_caller]
    fn check(message: &str, path: Option<&str>, code: &str, field: Option<&str>) {
        let error = misread(&message, path.as_ref().map(|path| path as &dyn Display));
        assert_eq!(error.status(), 422);
        let [detail] = error.public_details() else {
            panic!("one detail");
        };
        assert_eq!((detail.code(), detail.field_path()), (code, field));
    }

    #[test]
    fn the_kind_is_told_and_neither_types_nor_input() {
        check("missing field `name`", Some("."), "required", Some("name"));
        let inner = Some("user");
        check("missing field `name`", inner, "required", Some("user.name"));
        check(
            "unknown field `x`, expected `y`",
            Some("x"),
            "unknown_field",
            Some("x"),
        );
        check("duplicate field `x`", None, "duplicate_field", Some("x"));
        let message = "invalid type: string \"secret\", expected u8";
        check(message, Some("age"), "invalid_type", Some("age"));
        check("anything else", None, "invalid", None);
    }

    #[test]
    fn a_body_is_read_as_what_it_is_declared_as() {
        let status = |head: FakeHead| {
            let refused = expect(&head, |media_type| media_type == "application/json");
            refused.err().map(|error| error.status())
        };
        let declared = |value| FakeHead::default().with_header("content-type", value);
        assert_eq!(status(declared("Application/JSON; charset=utf-8")), None);
        assert_eq!(status(declared("text/plain")), Some(415));
        assert_eq!(status(FakeHead::default()), Some(415));
        let packed = declared("application/json").with_header("content-encoding", "gzip");
        assert_eq!(status(packed), Some(415));
    }
}
