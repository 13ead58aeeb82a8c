//! The cases of the W3C Trace Context validation service: what comes in, and what a service that
//! calls another sends on.

use std::collections::HashSet;
use std::convert::Infallible;

use http::{HeaderMap, HeaderValue, Request, Response};
use seawall_errors::trace::TraceParent;
use seawall_tower::{OutboundLayer, TraceLayer};
use tower::{Layer, ServiceExt, service_fn};

use crate::support::{Plain, get};

const TRACE: u128 = 0x1234_5678_9012_3456_7890_1234_5678_9012;
const SPAN: u64 = 0x1234_5678_9012_3456;
const VALID: &str = "00-12345678901234567890123456789012-1234567890123456-01";

/// Sends a request to a service that calls another `calls` times, and returns what it sent.
async fn calls(headers: &[(&str, &str)], calls: usize) -> Vec<HeaderMap> {
    let service = TraceLayer::new().layer(service_fn(move |_: Request<Plain>| async move {
        let client = OutboundLayer::new().layer(service_fn(|request: Request<Plain>| async move {
            Ok::<_, Infallible>(request.headers().clone())
        }));
        let mut sent = Vec::new();
        for _ in 0..calls {
            let Ok(headers) = client.oneshot(get("/")).await;
            sent.push(headers);
        }
        Ok::<_, Infallible>(Response::new(sent))
    }));
    let mut request = get("/");
    for (name, value) in headers {
        let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
        let name = http::HeaderName::from_bytes(name.as_bytes()).unwrap();
        request.headers_mut().append(name, value);
    }
    let Ok(response) = service.oneshot(request).await;
    response.into_body()
}

/// The one `traceparent` and the members of `tracestate` that were sent.
async fn sent(headers: &[(&str, &str)]) -> (TraceParent, Vec<String>) {
    let sent = calls(headers, 1).await.remove(0);
    let parents: Vec<_> = sent.get_all("traceparent").iter().collect();
    assert_eq!(parents.len(), 1, "{headers:?}");
    let members = sent
        .get_all("tracestate")
        .iter()
        .flat_map(|line| line.to_str().unwrap().split(','))
        .map(str::to_owned)
        .collect();
    let parent = TraceParent::parse(parents[0].as_bytes()).unwrap();
    assert_ne!(parent.parent_id(), SPAN, "{headers:?}");
    (parent, members)
}

#[tokio::test]
async fn parents_that_are_continued() {
    for (name, value) in [
        ("traceparent", VALID),
        ("TraceParent", VALID),
        ("TRACEPARENT", VALID),
        (
            "traceparent",
            "cc-12345678901234567890123456789012-1234567890123456-01",
        ),
        (
            "traceparent",
            "cc-12345678901234567890123456789012-1234567890123456-01-what-the-future-will-be-like",
        ),
        (
            "traceparent",
            " 00-12345678901234567890123456789012-1234567890123456-01",
        ),
        (
            "traceparent",
            "\t00-12345678901234567890123456789012-1234567890123456-01",
        ),
        (
            "traceparent",
            "00-12345678901234567890123456789012-1234567890123456-01 ",
        ),
        (
            "traceparent",
            "\t 00-12345678901234567890123456789012-1234567890123456-01 \t",
        ),
    ] {
        let (parent, _) = sent(&[(name, value)]).await;
        assert_eq!(parent.trace_id(), TRACE, "{value:?}");
    }
    let random = VALID.replace("-01", "-02");
    assert!(sent(&[("traceparent", &random)]).await.0.is_random());
}

#[tokio::test]
async fn parents_that_begin_a_trace() {
    let ids = "12345678901234567890123456789012-1234567890123456";
    let mut broken: Vec<String> = ["ff", ".0", "0.", "000", "0000", "0", ""]
        .map(|version| format!("{version}-{ids}-01"))
        .into();
    broken.extend(
        ["-.0", "-0.", "-001", "-1", "-", "", "-01.", "-01-what"]
            .map(|end| format!("00-{ids}{end}")),
    );
    broken.push(format!("cc-{ids}-01.what-the-future-will-be-like"));
    broken.extend(
        [
            "00000000000000000000000000000000",
            ".2345678901234567890123456789012",
            "1234567890123456789012345678901.",
            "123456789012345678901234567890123",
            "1234567890123456789012345678901",
        ]
        .map(|trace| format!("00-{trace}-1234567890123456-01")),
    );
    broken.extend(
        [
            "0000000000000000",
            ".234567890123456",
            "123456789012345.",
            "12345678901234567",
            "123456789012345",
        ]
        .map(|span| format!("00-12345678901234567890123456789012-{span}-01")),
    );
    for value in &broken {
        let (parent, state) = sent(&[("traceparent", value), ("tracestate", "foo=1")]).await;
        assert_ne!(parent.trace_id(), TRACE, "{value:?}");
        assert!(state.is_empty(), "{value:?}");
    }
    for headers in [
        &[][..],
        &[("trace-parent", VALID)],
        &[("trace.parent", VALID)],
        &[("traceparent", VALID), ("traceparent", VALID)],
        &[("tracestate", "foo=1"), ("tracestate", "bar=2")],
    ] {
        let (parent, state) = sent(headers).await;
        assert_ne!(parent.trace_id(), TRACE, "{headers:?}");
        assert!(state.is_empty(), "{headers:?}");
    }
}

#[tokio::test]
async fn states_that_are_kept_and_states_that_are_dropped() {
    let long = |key: &str, times: usize| key.repeat(times) + "=1";
    let vendor =
        |tenant: usize, vendor: usize| format!("{}@{}=1", "t".repeat(tenant), "v".repeat(vendor));
    let members = |from: usize, to: usize| {
        let member = |n: usize| format!("bar{n:02}={n:02}");
        (from..=to).map(member).collect::<Vec<_>>().join(",")
    };
    let all = format!(
        "abcdefghijklmnopqrstuvwxyz0123456789_-*/@a-z0-9_-*/={}",
        (' '..='~')
            .filter(|c| !",=".contains(*c))
            .collect::<String>()
    );
    let (z256, z257) = (long("z", 256), long("z", 257));
    let (first, last) = (members(1, 20), [members(21, 32), members(21, 33)]);
    let (v14, v1, v15) = (vendor(241, 14), vendor(242, 1), vendor(1, 15));

    let kept: &[(&[&str], &str)] = &[
        (&["foo=1,bar=2"], "foo=1,bar=2"),
        (
            &["foo=1,bar=2", "rojo=1,congo=2", "baz=3"],
            "foo=1,bar=2,rojo=1,congo=2,baz=3",
        ),
        (&["foo=1", ""], "foo=1"),
        (&["", "foo=1"], "foo=1"),
        (&[""], ""),
        (&["foo=1 \t , \t bar=2, \t baz=3"], "foo=1,bar=2,baz=3"),
        (&["foo=1\t \t,\t \tbar=2,\t \tbaz=3"], "foo=1,bar=2,baz=3"),
        (&["\t foo=1 \t"], "foo=1"),
        (&["foo=1,foo=2"], "foo=1"),
        (&["foo=1", "foo=1"], "foo=1"),
        (&["foo@=1,bar=2"], "foo@=1,bar=2"),
        (&["foo@@bar=1,foo@bar@baz=2"], "foo@@bar=1,foo@bar@baz=2"),
        (&[&all], &all),
        (&[&z256], &z256),
        (&[&v14], &v14),
        (&[&v1], &v1),
        (&[&v15], &v15),
        (&[&first, &last[0]], &members(1, 32)),
    ];
    for (lines, expected) in kept {
        let (parent, state) = state_of(lines).await;
        assert_eq!(parent.trace_id(), TRACE, "{lines:?}");
        assert_eq!(state.join(","), *expected, "{lines:?}");
    }
    let dropped: &[&[&str]] = &[
        &["foo =1"],
        &["FOO=1"],
        &["foo.bar=1"],
        &["@foo=1,bar=2"],
        &["foo=bar=baz"],
        &["foo=,bar=3"],
        &["foo=1", &z257],
        &[&first, &last[1]],
    ];
    for lines in dropped {
        let (parent, state) = state_of(lines).await;
        assert_eq!(
            parent.trace_id(),
            TRACE,
            "the state is dropped alone: {lines:?}"
        );
        assert!(state.is_empty(), "{lines:?}");
    }
    for name in ["trace-state", "trace.state"] {
        assert!(
            sent(&[("traceparent", VALID), (name, "foo=1")])
                .await
                .1
                .is_empty()
        );
    }
    let cased = sent(&[("traceparent", VALID), ("TraceState", "foo=1")]).await;
    assert_eq!(cased.1, ["foo=1"]);
}

async fn state_of(lines: &[&str]) -> (TraceParent, Vec<String>) {
    let mut headers = vec![("traceparent", VALID)];
    headers.extend(lines.iter().map(|line| ("tracestate", *line)));
    sent(&headers).await
}

#[tokio::test]
async fn each_of_several_calls_has_the_trace_and_a_span_of_its_own() {
    let zeros = VALID.replace("12345678901234567890123456789012", &"0".repeat(32));
    for (headers, continued) in [
        (&[("traceparent", VALID)][..], true),
        (&[], false),
        (&[("traceparent", zeros.as_str())], false),
    ] {
        let parents: Vec<_> = calls(headers, 3)
            .await
            .iter()
            .map(|sent| TraceParent::parse(sent["traceparent"].as_bytes()).unwrap())
            .collect();
        let traces: HashSet<_> = parents.iter().map(|parent| parent.trace_id()).collect();
        let spans: HashSet<_> = parents.iter().map(|parent| parent.parent_id()).collect();
        assert_eq!((traces.len(), spans.len()), (1, 3), "{headers:?}");
        assert_eq!(traces.contains(&TRACE), continued, "{headers:?}");
    }
}
