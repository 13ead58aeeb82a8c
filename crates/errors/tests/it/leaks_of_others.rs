//! Ways in which error crates are known to leak, tried on this one.

use std::{fmt, io};

use seawall_errors::{ApiError, Internal, RenderContext, Renderer, ResultExt, codes};

#[derive(Debug)]
struct SqlError;

impl fmt::Display for SqlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("relation \"users_secret\" does not exist; SELECT pw FROM users_secret")
    }
}

impl std::error::Error for SqlError {}

fn body(error: &ApiError) -> String {
    let accept = &b"application/problem+json"[..];
    let plain = Renderer::new().render(error, &RenderContext::new()).body;
    let problem = Renderer::new()
        .render(error, &RenderContext::new().accept(accept))
        .body;
    String::from_utf8(plain).unwrap() + &String::from_utf8(problem).unwrap()
}

#[test]
fn an_io_error_does_not_become_the_message() {
    let denied = || {
        io::Error::new(
            io::ErrorKind::PermissionDenied,
            "/etc/app/secret.key: denied",
        )
    };
    for error in [
        ApiError::from(Internal(denied())),
        Err::<(), _>(denied()).or_not_found().unwrap_err(),
        ApiError::new(codes::FORBIDDEN).source(denied()),
    ] {
        assert!(!body(&error).contains("secret.key"));
    }
}

#[test]
fn a_500_with_a_source_and_no_message_does_not_borrow_its_text() {
    let error = ApiError::new(codes::INTERNAL_ERROR).source(SqlError);
    assert!(!body(&error).contains("SELECT"));
    assert!(!body(&error).contains("users_secret"));
}

#[test]
fn a_500_with_a_detail_text_is_masked() {
    let error = ApiError::new(codes::INTERNAL_ERROR).message("pool of db-7 exhausted");
    assert!(!body(&error).contains("db-7"));
}

#[test]
fn debug_does_not_print_the_cause() {
    let error = ApiError::new(codes::BAD_GATEWAY).source("postgres://u:pw@db");
    assert_eq!(
        format!("{error:?}"),
        "ApiError { code: \"bad_gateway\", status: 502, message: \"Bad gateway\", details: 0, .. }"
    );
}

#[test]
fn a_nested_error_does_not_carry_its_causes_along() {
    let inner = ApiError::new(codes::CONFLICT).source(SqlError);
    let outer = ApiError::new(codes::CONFLICT).source(inner);
    assert!(!body(&outer).contains("SELECT"));
    assert!(outer.private().report().contains("SELECT"));
}

#[test]
fn headers_survive_beside_a_masked_body() {
    let error = ApiError::new(codes::INTERNAL_ERROR)
        .source(SqlError)
        .header("WWW-Authenticate", "Bearer")
        .header("x-ratelimit-remaining", "4");
    let answer = Renderer::new().render(&error, &RenderContext::new());
    for expected in [
        ("www-authenticate", "Bearer"),
        ("x-ratelimit-remaining", "4"),
    ] {
        assert!(
            answer.headers.iter().any(|(n, v)| (*n, &**v) == expected),
            "{expected:?}"
        );
    }
}
