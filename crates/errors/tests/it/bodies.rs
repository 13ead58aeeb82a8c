//! The two bodies and their headers, byte by byte.

use std::time::Duration;

use seawall_errors::{
    ApiError, Detail, ErrorCode, Format, FormatPolicy, PublicText, RenderContext, Renderer, codes,
};
use serde_json::{Value, json};

fn simple(error: &ApiError) -> String {
    let renderer = Renderer::new().policy(FormatPolicy::Always(Format::Simple));
    let context = RenderContext::new().request_id("req_abc123");
    String::from_utf8(renderer.render(error, &context).body).unwrap()
}

fn problem(renderer: &Renderer, error: &ApiError, request_id: Option<&str>) -> String {
    let renderer = renderer
        .clone()
        .policy(FormatPolicy::Always(Format::Problem));
    let context = RenderContext::new().request_id(request_id);
    String::from_utf8(renderer.render(error, &context).body).unwrap()
}

fn validation() -> ApiError {
    ApiError::new(codes::VALIDATION_ERROR)
        .detail(Detail::new("invalid_email", "Email format is invalid").field("email"))
        .detail(Detail::new("required", "This field is required").field("name"))
}

#[test]
fn the_plain_body_has_the_documented_bytes() {
    assert_eq!(
        simple(&validation()),
        concat!(
            r#"{"error":"validation_error","message":"Invalid request parameters","details":["#,
            r#"{"code":"invalid_email","message":"Email format is invalid","field":"email"},"#,
            r#"{"code":"required","message":"This field is required","field":"name"}],"#,
            r#""request_id":"req_abc123"}"#
        )
    );
}

#[test]
fn details_are_always_there_and_absent_members_are_not() {
    let error = ApiError::new(codes::NOT_FOUND);
    assert_eq!(
        simple(&error),
        r#"{"error":"not_found","message":"Not found","details":[],"request_id":"req_abc123"}"#
    );
    for nothing in [None, Some("")] {
        let answer = Renderer::new().render(&error, &RenderContext::new().request_id(nothing));
        assert_eq!(
            answer.body,
            br#"{"error":"not_found","message":"Not found","details":[]}"#
        );
    }
    let bare = ApiError::new(codes::VALIDATION_ERROR).detail(Detail::new("odd", "Odd"));
    assert!(simple(&bare).contains(r#"[{"code":"odd","message":"Odd"}]"#));
}

#[test]
fn the_problem_body_has_the_documented_bytes() {
    let error = validation().meta("attempt", 2).detail(
        Detail::new("too_short", "Must be at least 8 characters")
            .field("user.password")
            .pointer("/user/password")
            .param("min", 8),
    );
    let renderer = Renderer::new().type_base("https://errors.example.com/");
    assert_eq!(
        problem(&renderer, &error, Some("req_abc123")),
        concat!(
            r#"{"type":"https://errors.example.com/validation_error","#,
            r#""title":"Invalid request parameters","status":422,"code":"validation_error","errors":["#,
            r#"{"code":"invalid_email","detail":"Email format is invalid","field":"email"},"#,
            r#"{"code":"required","detail":"This field is required","field":"name"},"#,
            r##"{"code":"too_short","detail":"Must be at least 8 characters","field":"user.password","##,
            r##""pointer":"#/user/password","params":{"min":8}}],"##,
            r#""request_id":"req_abc123","attempt":2}"#
        )
    );
}

#[test]
fn without_a_type_base_the_title_is_the_phrase_of_the_status() {
    let body = problem(
        &Renderer::new(),
        &ApiError::new(codes::VALIDATION_ERROR),
        None,
    );
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(
        body,
        json!({"type": "about:blank", "title": "Unprocessable Content", "status": 422,
               "detail": "Invalid request parameters", "code": "validation_error"})
    );
}

#[test]
fn an_instance_is_a_uuid_or_absent() {
    let error = ApiError::new(codes::NOT_FOUND);
    let uuid = "req_017f22e279b07cc398c4dc0c0c07398f";
    assert!(
        problem(&Renderer::new(), &error, Some(uuid))
            .contains(r#""instance":"urn:uuid:017f22e2-79b0-7cc3-98c4-dc0c0c07398f""#)
    );
    for other in [
        "req_abc123",
        "checkout-7",
        "req_017F22E279B07CC398C4DC0C0C07398F",
        "req_017f22e279b04cc398c4dc0c0c07398f",
        "req_017f22e279b07cc3c8c4dc0c0c07398f",
        "req_017f22e279b07cc398c4dc0c0c07398",
        "017f22e279b07cc398c4dc0c0c07398f",
    ] {
        assert!(
            !problem(&Renderer::new(), &error, Some(other)).contains("instance"),
            "{other}"
        );
    }
}

#[test]
fn pointers_become_uri_fragments() {
    let check = |pointer: &str, expected: &str| {
        let error =
            ApiError::new(codes::VALIDATION_ERROR).detail(Detail::new("x", "x").pointer(pointer));
        let body: Value = serde_json::from_str(&problem(&Renderer::new(), &error, None)).unwrap();
        assert_eq!(body["errors"][0]["pointer"], expected);
    };
    // The table of RFC 6901, section 6.
    check("", "#");
    check("/foo", "#/foo");
    check("/foo/0", "#/foo/0");
    check("/", "#/");
    check("/a~1b", "#/a~1b");
    check("/c%d", "#/c%25d");
    check("/e^f", "#/e%5Ef");
    check("/g|h", "#/g%7Ch");
    check("/i\\j", "#/i%5Cj");
    check("/k\"l", "#/k%22l");
    check("/ ", "#/%20");
    check("/m~0n", "#/m~0n");
    check("/é", "#/%C3%A9");
    check("#/done", "#/done");
}

#[test]
fn the_examples_of_rfc_9457_can_be_expressed() {
    const OUT_OF_CREDIT: ErrorCode =
        ErrorCode::new("out_of_credit", 403, "You do not have enough credit.");
    let error = ApiError::new(OUT_OF_CREDIT)
        .message("Your current balance is 30, but that costs 50.")
        .meta("balance", 30)
        .meta("accounts", vec!["/account/12345", "/account/67890"]);
    let renderer = Renderer::new().type_base("https://example.com/probs/");
    let body: Value = serde_json::from_str(&problem(&renderer, &error, None)).unwrap();
    assert_eq!(
        body,
        json!({"type": "https://example.com/probs/out_of_credit", "status": 403,
               "title": "You do not have enough credit.",
               "detail": "Your current balance is 30, but that costs 50.",
               "code": "out_of_credit", "balance": 30,
               "accounts": ["/account/12345", "/account/67890"]})
    );

    let error = ApiError::new(codes::VALIDATION_ERROR)
        .detail(Detail::new("positive", "must be a positive integer").pointer("/age"))
        .detail(
            Detail::new("one_of", "must be 'green', 'red' or 'blue'").pointer("/profile/color"),
        );
    let body: Value = serde_json::from_str(&problem(&renderer, &error, None)).unwrap();
    assert_eq!(
        body["errors"],
        json!([
            {"code": "positive", "detail": "must be a positive integer", "pointer": "#/age"},
            {"code": "one_of", "detail": "must be 'green', 'red' or 'blue'",
             "pointer": "#/profile/color"}
        ])
    );
}

#[test]
fn headers_come_in_a_fixed_order() {
    let error = ApiError::new(codes::RATE_LIMITED)
        .header("RateLimit-Policy", "\"default\";q=10;w=60")
        .retry_after(Duration::from_millis(1200))
        .header("x-ratelimit-limit", "10");
    let answer = Renderer::new().render(&error, &RenderContext::new());
    let headers: Vec<(&str, &str)> = answer
        .headers
        .iter()
        .map(|(name, value)| (*name, &**value))
        .collect();
    assert_eq!(
        headers,
        [
            ("content-type", "application/json"),
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            ("vary", "accept"),
            ("retry-after", "2"),
            ("ratelimit-policy", "\"default\";q=10;w=60"),
            ("x-ratelimit-limit", "10"),
        ]
    );
}

#[test]
fn vary_is_there_exactly_when_the_caller_chooses() {
    for (policy, varies) in [
        (FormatPolicy::Always(Format::Simple), false),
        (FormatPolicy::Always(Format::Problem), false),
        (
            FormatPolicy::Negotiate {
                default: Format::Problem,
            },
            true,
        ),
    ] {
        let answer = Renderer::new().policy(policy).render(
            &ApiError::new(codes::GONE),
            &RenderContext::new().accept(&b"text/css"[..]),
        );
        assert_eq!(
            answer.headers.iter().any(|(name, _)| *name == "vary"),
            varies,
            "{policy:?}"
        );
    }
}

#[test]
fn head_differs_from_get_by_the_body_only() {
    for accept in ["application/json", "application/problem+json"] {
        let get = RenderContext::new()
            .request_id("r")
            .accept(accept.as_bytes());
        let error = validation()
            .retry_after(Duration::from_secs(1))
            .header("allow", "GET");
        let (get, head) = (
            Renderer::new().render(&error, &get),
            Renderer::new().render(&error, &get.head(true)),
        );
        assert!(head.body.is_empty() && !get.body.is_empty());
        assert_eq!((head.status, head.headers), (get.status, get.headers));
    }
}

#[test]
fn text_is_escaped_as_json_demands() {
    let error = ApiError::new(codes::CONFLICT)
        .message(PublicText::vetted("\"quoted\" \\ </script> \u{2028} é"))
        .detail(Detail::new("x", "x").field("a\"b"));
    let body: Value = serde_json::from_str(&simple(&error)).unwrap();
    assert_eq!(body["message"], "\"quoted\" \\ </script> \u{2028} é");
    assert_eq!(body["details"][0]["field"], "a\"b");
}

mod masking {
    use super::*;

    const SECRET_5XX: ErrorCode = ErrorCode::new("warehouse_on_fire", 507, "Warehouse on fire");
    const PUBLIC_5XX: ErrorCode = ErrorCode::new("stocktaking", 503, "Stocktaking").public();

    fn laden(code: ErrorCode) -> ApiError {
        ApiError::new(code)
            .message("message")
            .detail(Detail::new("detail", "detail").field("field"))
            .meta("member", "member")
            .retry_after(Duration::from_secs(7))
            .header("x-mine", "1")
    }

    fn waits(error: &ApiError) -> bool {
        let answer = Renderer::new().render(error, &RenderContext::new());
        answer
            .headers
            .iter()
            .any(|(name, _)| *name == "retry-after")
    }

    #[test]
    fn a_5xx_says_internal_error_and_keeps_its_status() {
        let error = laden(SECRET_5XX);
        assert_eq!(
            simple(&error),
            concat!(
                r#"{"error":"internal_error","message":"Internal server error","details":[],"#,
                r#""request_id":"req_abc123"}"#
            )
        );
        assert_eq!(
            problem(&Renderer::new(), &error, None),
            concat!(
                r#"{"type":"about:blank","title":"Insufficient Storage","status":507,"#,
                r#""detail":"Internal server error","code":"internal_error"}"#
            )
        );
        assert!(
            problem(&Renderer::new().type_base("e:"), &error, None)
                .starts_with(r#"{"type":"e:internal_error","title":"Internal server error","#)
        );
        assert!(!waits(&error));
        assert_eq!(error.retry_delay(), None);
        assert_eq!(
            Renderer::new().render(&error, &RenderContext::new()).status,
            507
        );
    }

    #[test]
    fn a_public_5xx_shows_id_message_and_wait_and_nothing_else() {
        let error = laden(PUBLIC_5XX);
        assert_eq!(
            simple(&error),
            concat!(
                r#"{"error":"stocktaking","message":"message","details":[],"#,
                r#""request_id":"req_abc123"}"#
            )
        );
        let body = problem(&Renderer::new().type_base("e:"), &error, None);
        assert_eq!(
            body,
            concat!(
                r#"{"type":"e:stocktaking","title":"Stocktaking","status":503,"#,
                r#""detail":"message","code":"stocktaking"}"#
            )
        );
        assert!(waits(&error));
        assert_eq!(ApiError::new(PUBLIC_5XX).public_message(), "Stocktaking");
    }

    #[test]
    fn a_4xx_shows_everything_public() {
        let error = laden(codes::CONFLICT);
        assert_eq!(error.public_message(), "message");
        assert_eq!(error.public_details().len(), 1);
        assert_eq!(error.public_meta().len(), 1);
        assert!(waits(&error));
    }

    #[test]
    fn a_deadline_may_say_how_long_it_was() {
        let error = ApiError::new(codes::DEADLINE_EXCEEDED)
            .message(PublicText::vetted("Request timed out after 5.0s"));
        assert!(simple(&error).contains(r#""message":"Request timed out after 5.0s""#));
    }
}
