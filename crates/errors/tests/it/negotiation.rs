//! Which format an `Accept` header gets.

use proptest::prelude::*;
use seawall_errors::{
    ApiError, Format,
    Format::{Problem, Simple},
    FormatPolicy, RenderContext, Renderer, codes,
};

fn format(accept: &[u8], default: Format) -> Format {
    let policy = FormatPolicy::Negotiate { default };
    let renderer = Renderer::new().policy(policy);
    let context = RenderContext::new().accept(accept);
    let answer = renderer.render(&ApiError::new(codes::NOT_FOUND), &context);
    assert_eq!(answer.status, 404);
    assert!(!answer.body.is_empty());
    let media_type = &answer.headers[0].1;
    if media_type == "application/problem+json" {
        Problem
    } else {
        Simple
    }
}

/// The format by default `Simple`, and by default `Problem`.
fn check(accept: &str, expected: [Format; 2]) {
    let got = [Simple, Problem].map(|default| format(accept.as_bytes(), default));
    assert_eq!(got, expected, "{accept:?}");
}

#[test]
fn a_caller_that_does_not_choose_gets_the_default() {
    for accept in [
        "",
        " ",
        ",",
        "*/*",
        "application/*",
        "text/html",
        "text/plain;q=1, text/*",
        "text/html, application/xhtml+xml, application/xml;q=0.9, */*;q=0.8",
        "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2",
        "image/*;q=0.1, application/*;q=0",
        "application/json;q=0, application/problem+json;q=0",
        "*/*;q=0",
    ] {
        check(accept, [Simple, Problem]);
    }
    let missing = Renderer::new().format(None);
    assert_eq!(missing, Simple);
}

#[test]
fn a_broken_range_counts_for_nothing() {
    for accept in [
        "application/problem+json;q=2",
        "application/problem+json;q=1.001",
        "application/problem+json;q=0.1234",
        "application/problem+json;q=.5",
        "application/problem+json;q=-1",
        "application/problem+json;q=",
        "application/problem+json;q",
        "application/problem+json;q=1 0",
        "application/problem+json;q = 1",
        "application/problem+json;q=\"1\"",
        "application/problem+json;a=\"unfinished, application/problem+json",
        "application/problem+json x",
        "application/problem+jsonx",
        "application / problem+json",
        "application%2Fproblem+json",
        "\u{0}application/problem+json",
        "x, \"application/problem+json\"",
        "text/html;a=\"\\\",application/problem+json;b=\"",
        "application/problem+json;a=\"\\\"",
        "application/problem+json;a=\"x\"y\"",
        "text/html;a=\\\"x,application/problem+json",
    ] {
        check(accept, [Simple, Problem]);
    }
    assert_eq!(
        format(b"\xff\xfe, application/problem+json", Simple),
        Problem
    );
}

#[test]
fn a_named_problem_wins_when_it_weighs_no_less() {
    for accept in [
        "application/problem+json",
        "APPLICATION/Problem+JSON",
        "application/json, application/problem+json",
        "application/problem+json, application/json",
        "application/json;q=0.5,application/problem+json;q=0.5",
        "application/json;q=0.9, application/problem+json;q=0.95",
        "application/problem+json;q=0.001",
        "application/problem+json;Q=1.000",
        "application/problem+json ; q=0.4 , text/html",
        "application/problem+json;charset=utf-8",
        "application/problem+json;charset=utf-8;q=0.8, application/json;q=0.7",
        "application/problem+json;a=\"x,y;q=0\";q=1",
        "application/problem+json;a=\"\\\"\", application/json",
        "application/problem+json;a=\"\\\\\", application/json",
        "*/*, application/problem+json",
        "application/*, application/problem+json",
        "text/html,, ,application/problem+json,",
        "application/problem+json;q=1;q=0",
    ] {
        check(accept, [Problem, Problem]);
    }
}

#[test]
fn plain_json_wins_when_it_is_named_and_weighs_more() {
    for accept in [
        "application/json",
        "application/json;charset=utf-8",
        "application/json, */*;q=0.5",
        "application/json, application/problem+json;q=0.9",
        "application/problem+json;q=0.9, application/json",
        "application/problem+json;q=0, */*",
        "application/json;q=0.1",
        "application/json, application/problem+json;q=0",
    ] {
        check(accept, [Simple, Simple]);
    }
}

#[test]
fn a_range_that_covers_json_counts_against_a_lighter_problem() {
    check(
        "application/problem+json;q=0.5, */*;q=0.9",
        [Simple, Problem],
    );
    check(
        "application/problem+json;q=0.5, application/*;q=0.4, */*",
        [Problem, Problem],
    );
}

#[test]
fn a_refused_format_gives_way_to_one_that_is_accepted() {
    check("application/json;q=0, */*", [Problem, Problem]);
    check(
        "application/problem+json;q=0, application/*;q=0.1",
        [Simple, Simple],
    );
    check("application/json;q=0", [Simple, Problem]);
    check("application/json;q=0, text/html", [Simple, Problem]);
}

#[test]
fn a_fixed_format_ignores_the_header() {
    for fixed in [Simple, Problem] {
        let renderer = Renderer::new().policy(FormatPolicy::Always(fixed));
        for accept in ["application/json", "application/problem+json", ""] {
            assert_eq!(renderer.format(Some(accept.as_bytes())), fixed);
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Range {
    Json,
    Problem,
    Application,
    Any,
    Other,
}

const NAMES: [(Range, &str); 8] = [
    (Range::Json, "application/json"),
    (Range::Json, "Application/JSON"),
    (Range::Problem, "application/problem+json"),
    (Range::Problem, "application/PROBLEM+json"),
    (Range::Application, "application/*"),
    (Range::Any, "*/*"),
    (Range::Other, "text/html"),
    (Range::Other, "application/problem+xml"),
];

/// A range with its weight in thousandths, and how it is written.
fn range() -> impl Strategy<Value = (Range, u16, String)> {
    let name = prop::sample::select(&NAMES[..]);
    let weight = prop_oneof![Just(0), Just(500), Just(1000), 0_u16..=1000];
    let parameter = prop::sample::select(&["", ";a=b", "; charset=\"utf-8\"", ";a=\",;q=0\""][..]);
    let blank = prop::sample::select(&["", " ", "\t "][..]);
    (name, weight, parameter, blank, any::<bool>()).prop_map(
        |((range, name), weight, parameter, blank, say_one)| {
            let q = match weight {
                1000 if say_one => String::new(),
                1000 => format!("{blank};{blank}q=1.0"),
                weight => format!("{blank};{blank}q=0.{weight:03}"),
            };
            (range, weight, format!("{blank}{name}{parameter}{q}{blank}"))
        },
    )
}

/// The rule, from the parsed ranges and without regard to cost.
fn model(ranges: &[(Range, u16, String)], default: Format) -> Format {
    let best = |wanted| {
        ranges
            .iter()
            .filter(|(range, ..)| *range == wanted)
            .map(|(_, weight, _)| *weight)
            .max()
    };
    let quality = |exact: Option<u16>| {
        [exact, best(Range::Application), best(Range::Any)]
            .into_iter()
            .flatten()
            .next()
            .unwrap_or(0)
    };
    let (json, problem) = (best(Range::Json), best(Range::Problem));
    let (json_quality, problem_quality) = (quality(json), quality(problem));
    let wants_problem = problem.is_some_and(|q| q > 0) && problem_quality >= json_quality;
    let wants_json = json.is_some_and(|q| q > 0) && json_quality > problem_quality;
    if wants_problem || (json == Some(0) && problem_quality > 0 && default == Simple) {
        Problem
    } else if wants_json || (problem == Some(0) && json_quality > 0) {
        Simple
    } else {
        default
    }
}

proptest! {
    #[test]
    fn agrees_with_the_model_in_any_order(
        ranges in prop::collection::vec(range(), 0..6).prop_shuffle(),
        default in prop::sample::select(&[Simple, Problem][..]),
    ) {
        let header = ranges.iter().map(|(.., text)| text.as_str()).collect::<Vec<_>>().join(",");
        prop_assert_eq!(format(header.as_bytes(), default), model(&ranges, default), "{}", header);
    }

    #[test]
    fn any_bytes_get_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        format(&bytes, Simple);
        format(&bytes, Problem);
    }

    #[test]
    fn text_that_looks_like_a_header_gets_an_answer(
        text in "([a-z*/+;=,\" .01q\\\\]|application/(problem\\+)?json){0,30}"
    ) {
        format(text.as_bytes(), Simple);
        format(text.as_bytes(), Problem);
    }
}
