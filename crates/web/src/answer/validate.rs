//! The answer to input that cannot be read or breaks rules.

use seawall_errors::{ApiError, Detail, ErrorCode, PublicText, codes};
use seawall_validate::{Kind, Violation, Violations};

/// For a JSON body: 400 `malformed_json` where it is none, 422 `validation_error` with one detail a
/// violation where it breaks rules.
pub fn json(violations: &Violations) -> ApiError {
    refused(violations, codes::MALFORMED_JSON)
}

/// For a query, a form, headers or parameters of a path: 400 `malformed_request` where they cannot
/// be read, 422 `validation_error` where they break rules.
pub fn text(violations: &Violations) -> ApiError {
    refused(violations, codes::MALFORMED_REQUEST)
}

fn refused(violations: &Violations, malformed: ErrorCode) -> ApiError {
    let code = match violations.kind() {
        Kind::Malformed => malformed,
        Kind::TooLarge => codes::PAYLOAD_TOO_LARGE,
        Kind::QueryTooLong => codes::URI_TOO_LONG,
        Kind::Unsupported => codes::UNSUPPORTED_MEDIA_TYPE,
        Kind::HeadersTooLarge => codes::HEADERS_TOO_LARGE,
        _ => codes::VALIDATION_ERROR,
    };
    let error = ApiError::new(code).not_executed();
    if code != codes::VALIDATION_ERROR {
        // What is wrong with the whole is said by the code; the place goes to the log.
        return violations
            .iter()
            .fold(error, |error, violation| error.note(violation.to_string()));
    }
    let error = error.details(violations.iter().map(detail));
    if violations.is_truncated() {
        error.detail(Detail::new(
            "truncated",
            "There are more mistakes than are listed",
        ))
    } else {
        error
    }
}

/// A violation never echoes input, and its text was made from the rule: fit to be shown.
fn detail(violation: &Violation) -> Detail {
    let message = PublicText::vetted(violation.message().into_owned());
    let detail = Detail::new(violation.code(), message).pointer(violation.pointer());
    match violation.field() {
        Some(field) => detail.field(field),
        None => detail,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use seawall_errors::{RenderContext, Renderer};
    use seawall_validate::{Limits, Validate, from_json, from_query};

    #[derive(Debug, Validate)]
    #[allow(dead_code, reason = "only read")]
    struct CreateUserRequest {
        #[validate(normalize(trim, lower), chars(..=254), email)]
        email: String,
        #[validate(normalize(single_line), chars(1..=100))]
        name: String,
        #[validate(range(0..=150))]
        age: Option<u8>,
    }

    fn body(error: &ApiError) -> String {
        let rendered =
            Renderer::new().render(error, &RenderContext::new().request_id("req_abc123"));
        String::from_utf8(rendered.body).unwrap()
    }

    fn refuse(body: &[u8]) -> ApiError {
        json(&from_json::<CreateUserRequest>(body, &Limits::API).unwrap_err())
    }

    /// The example of a good error response in the article that this project implements.
    #[test]
    fn a_bad_email_and_no_name_give_the_body_of_the_article() {
        assert_eq!(
            body(&refuse(br#"{"email": "nope"}"#)),
            concat!(
                r#"{"error":"validation_error","message":"Invalid request parameters","details":["#,
                r#"{"code":"invalid_email","message":"Email format is invalid","field":"email"},"#,
                r#"{"code":"required","message":"This field is required","field":"name"}"#,
                r#"],"request_id":"req_abc123"}"#
            )
        );
    }

    #[test]
    fn what_cannot_be_read_is_told_apart_from_what_breaks_rules() {
        assert_eq!(refuse(b"{").code(), codes::MALFORMED_JSON);
        assert_eq!(refuse(b"[]").code(), codes::VALIDATION_ERROR);
        let small = Limits::API.body(8).query(8);
        let too_long = from_json::<CreateUserRequest>(br#"{"email": "x"}"#, &small).unwrap_err();
        assert_eq!(json(&too_long).code(), codes::PAYLOAD_TOO_LARGE);
        let refused = from_query::<CreateUserRequest>("email=a@b.example", &small).unwrap_err();
        assert_eq!(text(&refused).code(), codes::URI_TOO_LONG);
    }
}
