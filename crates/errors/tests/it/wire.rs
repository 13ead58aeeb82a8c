//! Clients read back what services write.

use proptest::prelude::*;
use seawall_errors::{
    ApiError, Detail, ErrorCode, Format, FormatPolicy, PublicError, PublicText, RenderContext,
    Renderer, codes,
    wire::{ErrorBody, Problem, SimpleError},
};
use serde_json::json;

fn render(error: &ApiError, format: Format) -> Vec<u8> {
    let renderer = Renderer::new()
        .policy(FormatPolicy::Always(format))
        .type_base("e:");
    renderer
        .render(error, &RenderContext::new().request_id("req_1"))
        .body
}

#[test]
fn both_formats_parse_to_the_same_facts() {
    let error = ApiError::new(codes::CONFLICT)
        .message("The cart is closed")
        .meta("cart", 7);
    for format in [Format::Simple, Format::Problem] {
        let body = ErrorBody::parse(&render(&error, format)).unwrap();
        assert_eq!(body.code(), Some("conflict"));
        assert_eq!(body.message(), Some("The cart is closed"));
        assert_eq!(body.request_id(), Some("req_1"));
    }
    let problem: Problem = serde_json::from_slice(&render(&error, Format::Problem)).unwrap();
    assert_eq!(problem.extensions["cart"], 7);
    assert_eq!(
        (problem.status, problem.title.as_deref()),
        (Some(409), Some("Conflict"))
    );
}

#[test]
fn members_of_the_wrong_type_count_as_absent() {
    let body = json!({"type": 1, "title": [], "status": "403", "detail": null, "instance": {},
                      "code": 7, "errors": [1, {"code": 2, "detail": "kept"}], "request_id": 3,
                      "params": 1});
    let problem: Problem = serde_json::from_value(body).unwrap();
    assert_eq!(problem.type_uri, "about:blank");
    assert_eq!(
        (problem.title, problem.status, problem.detail),
        (None, None, None)
    );
    assert_eq!(
        (problem.instance, problem.code, problem.request_id),
        (None, None, None)
    );
    assert_eq!(problem.errors.len(), 1);
    assert_eq!(problem.errors[0].detail.as_deref(), Some("kept"));

    let simple: SimpleError =
        serde_json::from_value(json!({"error": "x", "message": 1, "details": {}})).unwrap();
    assert_eq!((simple.error.as_str(), simple.message.as_str()), ("x", ""));
    assert!(simple.details.is_empty());
}

#[test]
fn what_is_no_object_is_refused() {
    for body in ["", "[]", "null", "\"error\"", "1", "<html>", "{", "{}x"] {
        assert!(ErrorBody::parse(body.as_bytes()).is_err(), "{body}");
    }
    assert!(serde_json::from_str::<SimpleError>("{}").is_err());
    assert!(serde_json::from_str::<SimpleError>(r#"{"error":1}"#).is_err());
    assert_eq!(
        serde_json::from_str::<Problem>("{}").unwrap(),
        Problem::default()
    );
    assert_eq!(ErrorBody::parse(b"{}").unwrap().code(), None);
    let odd = ErrorBody::parse(br#"{"error":1,"code":"x"}"#).unwrap();
    assert_eq!(odd.code(), Some("x"));
}

#[test]
fn statuses_beyond_16_bits_count_as_absent() {
    let problem: Problem = serde_json::from_str(r#"{"status":70000}"#).unwrap();
    assert_eq!(problem.status, None);
    let problem: Problem = serde_json::from_str(r#"{"status":-1}"#).unwrap();
    assert_eq!(problem.status, None);
}

#[test]
fn what_is_kept_is_masked_already() {
    const SECRET: ErrorCode = ErrorCode::new("secret_id", 507, "secret title");
    let error = ApiError::new(SECRET)
        .message("secret message")
        .detail(Detail::new("secret", "secret"))
        .meta("secret", "secret")
        .header("x-mine", "secret");
    let kept = serde_json::to_string(&error.public()).unwrap();
    assert!(!kept.contains("secret"), "{kept}");
    assert!(!format!("{:?}", error.public()).contains("secret"));
}

#[test]
fn what_no_store_of_ours_wrote_is_refused() {
    let good = serde_json::to_value(ApiError::new(codes::BAD_GATEWAY).public()).unwrap();
    let check = |name: &str, value: serde_json::Value, expected: &str| {
        let mut bad = good.clone();
        bad[name] = value;
        let error = serde_json::from_value::<PublicError>(bad)
            .unwrap_err()
            .to_string();
        assert!(error.contains(expected), "{error}");
    };
    assert!(serde_json::from_value::<PublicError>(good.clone()).is_ok());
    check("status", json!(200), "400 to 599");
    check("status", json!(399), "400 to 599");
    check("status", json!(600), "400 to 599");
    check("status", json!("502"), "status: invalid type");
    check("code", json!(null), "code: invalid type");
    check("message", json!(7), "message: invalid type");
    check(
        "details",
        json!([["x", "x", null, null, []]]),
        "neither details nor members",
    );
    check("details", json!([["x", "x"]]), "details: invalid length");
    check(
        "meta",
        json!([["balance", 1]]),
        "neither details nor members",
    );
    check("retry_after", json!(-1), "retry_after: ");
    let mut masked = good.clone();
    masked["status"] = json!(500);
    masked["meta"] = json!([["balance", 1]]);
    assert!(serde_json::from_value::<PublicError>(masked).is_err());
    assert!(serde_json::from_str::<PublicError>("[]").is_err());
}

fn any_error() -> impl Strategy<Value = ApiError> {
    let detail = ("(?s).{0,20}", any::<bool>(), "(?s).{0,20}", any::<i64>()).prop_map(
        |(text, placed, path, number)| {
            let detail = Detail::new("x", PublicText::vetted(text)).param("n", number);
            if placed {
                detail.field(path.clone()).pointer(path)
            } else {
                detail
            }
        },
    );
    let details = prop::collection::vec(detail, 0..4);
    (prop::sample::select(codes::ALL), "(?s).{0,30}", details).prop_map(|(code, text, details)| {
        ApiError::new(code)
            .message(PublicText::vetted(text))
            .details(details)
            .meta("extra", 1)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn what_is_parsed_is_written_again_byte_by_byte(error in any_error()) {
        let bytes = render(&error, Format::Simple);
        let parsed: SimpleError = serde_json::from_slice(&bytes).unwrap();
        prop_assert_eq!(serde_json::to_vec(&parsed).unwrap(), bytes);
        let bytes = render(&error, Format::Problem);
        let parsed: Problem = serde_json::from_slice(&bytes).unwrap();
        prop_assert_eq!(serde_json::to_vec(&parsed).unwrap(), bytes);
    }

    #[test]
    fn a_kept_error_answers_as_the_error_did(error in any_error()) {
        let error = error.retry_after(std::time::Duration::from_millis(1500)).note("secret");
        let kept = serde_json::to_vec(&error.public()).unwrap();
        prop_assert!(!String::from_utf8_lossy(&kept).contains("secret"));
        let kept: PublicError = serde_json::from_slice(&kept).unwrap();
        prop_assert_eq!(&kept, &error.public());
        prop_assert_eq!((kept.status(), kept.id()), (error.status(), error.public_id()));
        prop_assert_eq!(kept.message(), error.public_message());
        for default in [Format::Simple, Format::Problem] {
            let renderer = Renderer::new().policy(FormatPolicy::Negotiate { default });
            let context = RenderContext::new().request_id("req_2");
            let (again, once) =
                (renderer.render_public(&kept, &context), renderer.render(&error, &context));
            prop_assert_eq!(again, once);
        }
    }

    #[test]
    fn a_problem_fits_the_schema_of_rfc_9457(error in any_error()) {
        let body: serde_json::Value =
            serde_json::from_slice(&render(&error, Format::Problem)).unwrap();
        for text in ["type", "title"] {
            prop_assert!(body[text].is_string());
        }
        for optional in ["detail", "instance"] {
            prop_assert!(body.get(optional).is_none_or(serde_json::Value::is_string));
        }
        prop_assert_eq!(&body["status"], error.status());
        for name in body.as_object().unwrap().keys() {
            prop_assert!(name.len() >= 3 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'));
        }
    }
}
