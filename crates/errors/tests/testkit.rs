//! The leak kit, on services that leak and on one that does not.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

use std::error::Error;

use seawall_errors::{
    ApiError, PublicText, RenderContext, Renderer, codes,
    testkit::{Answer, Canaries, Place},
};

/// Canaries of every kind, and the error of a service that keeps them.
fn planted() -> (Canaries, ApiError) {
    let mut canaries = Canaries::new();
    let chain = canaries.chain("causes", 4);
    let upstream = canaries.plant("upstream body", |word| format!("<h1>{word}</h1>"));
    let panic = canaries.plant("panic", |word| format!("called unwrap on {word}"));
    let text = canaries.plant("5xx text", |word| format!("pool {word} exhausted"));
    let error = ApiError::new(codes::INTERNAL_ERROR)
        .source(chain)
        .note(upstream)
        .note(panic)
        .message(PublicText::vetted(text.clone()))
        .note(text);
    (canaries, error)
}

#[test]
fn an_api_error_keeps_every_canary_and_reports_each_once() {
    let (canaries, error) = planted();
    assert_eq!(canaries.len(), 7);
    for accept in ["", "application/problem+json"] {
        let context = RenderContext::new().accept(accept.as_bytes());
        let rendered = Renderer::new().render(&error, &context);
        let answer = rendered.headers.iter().fold(
            Answer::new().body(&rendered.body),
            |answer, (name, value)| answer.header(name, value.as_bytes()),
        );
        canaries.assert_hidden(&answer);
    }
    canaries.assert_logged_once(&error.private().report());
}

#[test]
fn a_leak_is_found_wherever_it_is() {
    let (canaries, error) = planted();
    let text = error.private().report();
    for (answer, place) in [
        (Answer::new().body(&text), Place::Body),
        (Answer::new().reason(&text), Place::Reason),
        (
            Answer::new().header("x-debug", &text),
            Place::Header("x-debug".into()),
        ),
        (
            Answer::new().header(&text, "1"),
            Place::Header(text.clone()),
        ),
        (
            Answer::new().trailer("grpc-message", &text),
            Place::Trailer("grpc-message".into()),
        ),
    ] {
        let leaks = canaries.search(&answer);
        assert_eq!(leaks.len(), 7);
        assert!(leaks.iter().all(|leak| leak.place == place));
    }
}

#[test]
fn json_escapes_do_not_hide_a_leak() {
    let mut canaries = Canaries::new();
    let text = canaries.plant("sql", |word| format!("\"{word}\"\n"));
    let body = serde_json::to_string(&text).unwrap();
    assert_eq!(canaries.search(&Answer::new().body(&body)).len(), 1);
}

#[test]
#[should_panic(expected = "the answer leaks: `sql` in the header x-debug, as it is")]
fn the_assertion_says_what_leaks_and_where() {
    let mut canaries = Canaries::new();
    let text = canaries.plant("sql", str::to_uppercase);
    canaries.assert_hidden(&Answer::new().header("x-debug", &text));
}

#[test]
#[should_panic(expected = "no canary was planted")]
fn a_search_for_nothing_fails() {
    Canaries::new().assert_hidden(&Answer::new());
}

#[test]
#[should_panic(expected = "the log miscounts: `a` 0 times; `b` 2 times")]
fn a_log_that_loses_or_repeats_fails() {
    let mut canaries = Canaries::new();
    canaries.plant("a", str::to_owned);
    let b = canaries.plant("b", str::to_owned);
    let c = canaries.plant("c", str::to_owned);
    canaries.assert_logged_once(&format!("{b} {c} {b}"));
}

#[test]
fn a_chain_has_a_canary_at_each_level() {
    let mut canaries = Canaries::new();
    let chain = canaries.chain("causes", 3);
    let mut texts = Vec::new();
    let mut next: Option<&dyn Error> = Some(&chain);
    while let Some(error) = next {
        texts.push(error.to_string());
        next = error.source();
    }
    assert_eq!(texts.len(), 3);
    assert!(texts[0].starts_with("cause 1 of causes: canary"));
    assert!(texts[2].starts_with("cause 3 of causes: canary"));
    canaries.assert_logged_once(&texts.join(" "));
}
