//! Everything that grows has an end, and nothing slips into a header.

use std::time::Duration;

use proptest::prelude::*;
use seawall_errors::{ApiError, Detail, PublicText, RenderContext, Renderer, codes};

fn numbered() -> impl Iterator<Item = Detail> {
    (0..).map(|i| Detail::new("x", "x").field(i.to_string()))
}

fn last_code(error: &ApiError) -> Option<&str> {
    error.public_details().last().map(Detail::code)
}

#[test]
fn a_hundred_details_are_kept_whole() {
    let error = ApiError::new(codes::VALIDATION_ERROR).details(numbered().take(100));
    assert_eq!(error.public_details().len(), 100);
    assert_eq!(last_code(&error), Some("x"));
}

#[test]
fn the_last_of_more_details_says_truncated() {
    for more in [101, 102, 5000] {
        let error = ApiError::new(codes::VALIDATION_ERROR).details(numbered().take(more));
        assert_eq!(error.public_details().len(), 100);
        assert_eq!(last_code(&error), Some("truncated"));
        assert_eq!(error.public_details()[98].field_path(), Some("98"));
        let error = error.detail(Detail::new("x", "x"));
        assert_eq!(last_code(&error), Some("truncated"));
    }
}

#[test]
fn details_without_end_are_left_in_time() {
    let error = ApiError::new(codes::VALIDATION_ERROR).details(numbered());
    assert_eq!(error.public_details().len(), 100);
}

#[test]
fn headers_and_notes_are_bounded() {
    let error = (0..1000).fold(ApiError::new(codes::CONFLICT), |error, i| {
        error.header("x-mine", i.to_string())
    });
    assert_eq!(error.headers().len(), 64);
    assert!(error.private().report().len() <= 9 * 1024);
}

#[test]
fn refused_headers_are_noted_without_their_value() {
    let error = ApiError::new(codes::CONFLICT)
        .header("x-mine", "a\r\nset-cookie: stolen=1")
        .header("X-Capital", "fine")
        .header("content-type", "text/html");
    assert!(error.headers().is_empty());
    assert_eq!(
        error.private().report(),
        "header x-mine left out: the value has a control character; \
         header X-Capital left out: not a header name in lower case; \
         header content-type left out: the renderer or the server writes it"
    );
}

#[test]
fn a_wait_given_as_a_header_is_the_wait() {
    let error = ApiError::new(codes::RATE_LIMITED).header("Retry-After", "0");
    assert_eq!(error.retry_delay(), Some(Duration::ZERO));
    let answer = Renderer::new().render(&error, &RenderContext::new());
    let waits: Vec<_> = answer
        .headers
        .iter()
        .filter(|(name, _)| *name == "retry-after")
        .collect();
    assert_eq!(waits, [&("retry-after", "1".into())]);
}

#[test]
fn a_problem_type_is_an_absolute_uri_or_left_out() {
    let check = |uri, kept: bool| {
        let error = ApiError::new(codes::CONFLICT).problem_type(uri);
        let public = serde_json::to_value(error.public()).unwrap();
        assert_eq!(public["problem_type"] == uri, kept, "{uri}");
        let noted = error.private().report().contains("problem type left out");
        assert_eq!(noted, !kept, "{uri}");
    };
    check("https://example.com/problems#a-b", true);
    check("urn:x:y", true);
    check("tag:example.com,2026:%22", true);
    for bad in [
        "",
        "a",
        "/relative",
        "1x:y",
        ":x",
        "x:",
        "x:a b",
        "x:\"",
        "x:\n",
        "h{}:x",
        "x:\u{e9}",
    ] {
        check(bad, false);
    }
    check(
        Box::leak(format!("x:{}", "y".repeat(2_047)).into_boxed_str()),
        false,
    );
    // What masks a 5xx masks this too, and what a store gives back may not undo it.
    let masked = ApiError::new(codes::INTERNAL_ERROR)
        .problem_type("urn:x:y")
        .public();
    let mut stored = serde_json::to_value(&masked).unwrap();
    assert_eq!(stored["problem_type"], serde_json::Value::Null);
    stored["problem_type"] = "urn:x:y".into();
    assert!(serde_json::from_value::<seawall_errors::PublicError>(stored).is_err());
}

#[test]
fn extension_members_cannot_replace_what_the_renderer_writes() {
    for name in [
        "type",
        "status",
        "title",
        "detail",
        "instance",
        "code",
        "errors",
        "request_id",
    ] {
        let error = ApiError::new(codes::CONFLICT).meta(name, 1);
        assert!(error.public_meta().len() == 0, "{name}");
        assert!(!error.private().is_empty(), "{name}");
    }
    for name in ["ab", "", "1abc", "-ab", "a.b-c", "a b c", "äbc"] {
        assert!(
            ApiError::new(codes::CONFLICT)
                .meta(name, 1)
                .public_meta()
                .len()
                == 0,
            "{name}"
        );
    }
    let error = ApiError::new(codes::CONFLICT)
        .meta("balance", 1)
        .meta("balance", 2);
    assert!(error.public_meta().eq([("balance", &2.into())]));
}

#[test]
fn refusals_before_execution_say_so() {
    assert!(ApiError::new(codes::CONFLICT).was_executed());
    assert!(
        !ApiError::new(codes::RATE_LIMITED)
            .not_executed()
            .was_executed()
    );
}

proptest! {
    #[test]
    fn whatever_value_is_given_headers_stay_printable(value in "(?s).{0,40}") {
        let error = ApiError::new(codes::CONFLICT).header("x-mine", value.clone());
        let printable = value.trim_matches([' ', '\t']).bytes().all(|b| (b' '..=b'~').contains(&b));
        let kept: Vec<_> = error.headers().iter().map(|(_, value)| value.as_str()).collect();
        if printable {
            prop_assert_eq!(kept, [value.trim_matches([' ', '\t'])]);
        } else {
            prop_assert!(kept.is_empty());
        }
    }

    #[test]
    fn vetted_text_is_short_and_printable(text in "(?s).{0,700}") {
        let vetted = PublicText::vetted(text.clone());
        prop_assert!(vetted.as_str().len() <= 512);
        let model: String = text.chars().filter(|c| !c.is_control()).collect();
        prop_assert!(model.starts_with(vetted.as_str()));
        // Nothing is cut that would have fitted.
        let next = model[vetted.as_str().len()..].chars().next();
        prop_assert!(next.is_none_or(|c| vetted.as_str().len() + c.len_utf8() > 512));
    }
}
