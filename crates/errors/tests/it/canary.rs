//! A secret that is put into every private place shows nowhere.

use std::{error::Error, fmt, time::Duration};

use proptest::prelude::*;
use seawall_errors::{
    ApiError, Detail, ErrorCode, Format, FormatPolicy, Internal, IntoApiError, PublicText,
    RenderContext, Renderer, ResultExt, codes,
};

const ACCEPTS: [&str; 13] = [
    "",
    "*/*",
    "application/json",
    "application/problem+json",
    "application/problem+json;q=0.5, application/json",
    "application/json;q=0.5, application/problem+json",
    "application/problem+xml",
    "text/html",
    "text/plain;q=0.1",
    "application/*;q=0.2",
    "application/json;q=0, application/problem+json;q=0",
    "application/problem+json;q=9",
    "\u{1}\"",
];

#[derive(Debug)]
struct Cause(String, Option<Box<Self>>);

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Cause {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.1.as_deref().map(|cause| cause as _)
    }
}

fn cause(secret: &str, depth: usize) -> Cause {
    let at = |level: usize| format!("level {level}: {secret}");
    (1..depth).fold(Cause(at(0), None), |inner, level| {
        Cause(at(level), Some(Box::new(inner)))
    })
}

/// Every way out, as text: `Display`, `Debug`, the chain that generic printers walk, and each answer.
fn everything_shown(error: &ApiError) -> Vec<String> {
    let mut shown = vec![
        error.to_string(),
        format!("{error:?}"),
        format!("{error:#?}"),
        format!("{:?}", error.private()),
        error.public_message().to_owned(),
        format!("{:?}", error.public_details()),
    ];
    let mut next = error as &dyn Error;
    while let Some(source) = next.source() {
        shown.push(source.to_string());
        next = source;
    }
    let policies = [
        FormatPolicy::Always(Format::Simple),
        FormatPolicy::Always(Format::Problem),
        FormatPolicy::Negotiate {
            default: Format::Simple,
        },
        FormatPolicy::Negotiate {
            default: Format::Problem,
        },
    ];
    for policy in policies {
        let renderer = Renderer::new()
            .policy(policy)
            .type_base("https://errors.example.com/");
        for accept in ACCEPTS {
            for head in [false, true] {
                let context = RenderContext::new()
                    .request_id("req_1")
                    .accept(accept.as_bytes())
                    .head(head);
                let answer = renderer.render(error, &context);
                assert_eq!(answer.status, error.status());
                assert_eq!(answer.body.is_empty(), head);
                shown.push(String::from_utf8(answer.body).unwrap());
                shown.push(format!("{:?}", answer.headers));
            }
        }
    }
    shown
}

fn assert_hidden(error: &ApiError, secret: &str) {
    // Its head needs no escaping in any format, so it is found wherever the secret is.
    let head = &secret[..HEAD];
    for text in everything_shown(error) {
        assert!(!text.contains(head), "{head:?} shows in {text}");
    }
}

/// The length of `abcd~canary~`.
const HEAD: usize = 12;

fn any_code() -> impl Strategy<Value = ErrorCode> {
    let any_status = (400_u16..600).prop_map(codes::for_status);
    prop_oneof![prop::sample::select(codes::ALL), any_status]
}

fn secret() -> impl Strategy<Value = String> {
    "[a-z]{4}~canary~[A-Za-z0-9+/=' \"<>\\\\;:(){}-]{1,40}~"
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn causes_and_notes_show_nowhere_and_are_reported(
        code in any_code(), secret in secret(), depth in 1_usize..6,
    ) {
        let error = ApiError::new(code)
            .note(format!("note {secret}"))
            .source(cause(&secret, depth))
            .message("fixed")
            .header("content-type", secret.clone())
            .header("x-mine", format!("{secret}\r\n"));
        assert_hidden(&error, &secret);
        let report = error.private().report();
        prop_assert_eq!(report.matches(secret.as_str()).count(), depth + 1);
    }

    #[test]
    fn a_masked_5xx_hides_its_whole_public_half(status in 500_u16..600, secret in secret()) {
        let code = ErrorCode::new("secret_id", status, "secret title");
        let error = ApiError::new(code)
            .message(PublicText::vetted(secret.clone()))
            .detail(Detail::new("x", PublicText::vetted(secret.clone())).field(secret.clone()))
            .meta("member", secret.clone())
            .retry_after(Duration::from_secs(4242));
        assert_hidden(&error, &secret);
        for shown in &everything_shown(&error)[6..] {
            for hidden in ["secret_id", "secret title", "4242"] {
                prop_assert!(!shown.contains(hidden), "{} in {}", hidden, shown);
            }
        }
    }

    #[test]
    fn a_public_5xx_hides_details_and_members(secret in secret()) {
        let error = ApiError::new(codes::SERVICE_UNAVAILABLE)
            .detail(Detail::new("x", PublicText::vetted(secret.clone())).pointer(secret.clone()))
            .meta("member", secret.clone());
        assert_hidden(&error, &secret);
    }

    #[test]
    fn no_conversion_shows_what_it_converts(secret in secret(), depth in 1_usize..4) {
        let fail = || Err::<(), _>(cause(&secret, depth));
        assert_hidden(&fail().internal().unwrap_err(), &secret);
        assert_hidden(&fail().or_not_found().unwrap_err(), &secret);
        assert_hidden(&fail().or_code(codes::BAD_GATEWAY).unwrap_err(), &secret);
        assert_hidden(&Internal(cause(&secret, depth)).into_api_error(), &secret);
        assert_hidden(&fail().internal().internal().unwrap_err(), &secret);
        let wrapped = format!("{:?}", Internal(cause(&secret, depth)));
        prop_assert!(!wrapped.contains(&secret[..HEAD]));
    }

    #[test]
    fn what_is_public_is_found_by_the_search(secret in secret()) {
        let text = || PublicText::vetted(secret.clone());
        for error in [
            ApiError::new(codes::CONFLICT).message(text()),
            ApiError::new(codes::CONFLICT).detail(Detail::new("x", text())),
            ApiError::new(codes::CONFLICT).meta("member", secret.clone()),
            ApiError::new(codes::DEADLINE_EXCEEDED).message(text()),
            ApiError::new(codes::INTERNAL_ERROR).header("x-mine", secret.clone()),
        ] {
            prop_assert!(everything_shown(&error).iter().any(|shown| shown.contains(&secret[..HEAD])));
        }
    }

    #[test]
    fn a_run_time_code_is_a_name_or_nothing(secret in secret()) {
        let error = ApiError::new(codes::CONFLICT).detail(Detail::new(secret.clone(), "x"));
        assert_hidden(&error, &secret);
    }
}
