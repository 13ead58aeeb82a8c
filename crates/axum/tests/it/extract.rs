//! Refusals of the extractors: the right status, the field, and no word of serde's.

use axum::Router;
use axum::routing::{get, post};
use http::Request;
use seawall_axum::{Form, Json, Path, Query, Seawall};
use seawall_ratelimit::MemoryStore;
use serde::{Deserialize, Serialize};

use crate::support::{Read, get as get_request, post as post_request, send};

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct InternalOrderStruct {
    item: String,
    lines: Vec<Line>,
}

#[derive(Debug, Deserialize, Serialize)]
struct Line {
    count: u8,
}

#[derive(Debug, Deserialize, Serialize)]
struct Search {
    q: String,
    page: Option<u32>,
}

fn app() -> Router {
    let routes = Router::new()
        .route(
            "/orders",
            post(|Json(order): Json<InternalOrderStruct>| async move { Json(order) }),
        )
        .route(
            "/search",
            get(|Query(search): Query<Search>| async move { Json(search) }),
        )
        .route(
            "/form",
            post(|Form(search): Form<Search>| async move { Json(search) }),
        )
        .route(
            "/things/{id}",
            get(|Path(id): Path<u64>| async move { id.to_string() }),
        );
    Seawall::builder(MemoryStore::new(16))
        .body_limit(4096)
        .build()
        .unwrap()
        .protect(routes)
}

#[track_caller]
fn check(read: &Read, status: u16, code: &str, detail: Option<(&str, &str)>) {
    assert_eq!(
        (read.status.as_u16(), read.code().as_str()),
        (status, code),
        "{read:?}"
    );
    let body = read.json();
    assert_eq!(body["request_id"], read.header("x-request-id"));
    let found = body["details"][0].as_object();
    let found = found.map(|detail| {
        (
            detail["code"].as_str().unwrap(),
            detail.get("field").map_or("", |f| f.as_str().unwrap()),
        )
    });
    assert_eq!(found, detail, "{read:?}");
    for leak in ["Internal", "struct", "u64", "line 1", "column", "expected"] {
        assert!(!read.body.contains(leak), "leaked {leak}: {}", read.body);
    }
}

/// A body, and the status, code, and detail (its code and field) that it is refused with.
type Case = (
    &'static str,
    u16,
    &'static str,
    Option<(&'static str, &'static str)>,
);

const JSON: &str = "application/json";

#[tokio::test]
async fn good_input_passes() {
    let app = app();
    let body = r#"{"item":"x","lines":[{"count":1}]}"#;
    assert_eq!(
        send(&app, post_request("/orders", JSON, body)).await.body,
        body
    );
    assert_eq!(
        send(
            &app,
            post_request("/orders", "application/vnd.x+json; charset=utf-8", body)
        )
        .await
        .status,
        200
    );
    assert_eq!(
        send(&app, get_request("/search?q=a%20b&page=2")).await.body,
        r#"{"q":"a b","page":2}"#
    );
    assert_eq!(send(&app, get_request("/things/7")).await.body, "7");
    assert_eq!(
        send(
            &app,
            post_request("/form", "application/x-www-form-urlencoded", "q=a")
        )
        .await
        .status,
        200
    );
}

#[tokio::test]
async fn bad_json_is_told_apart_from_wrong_json() {
    let app = app();
    let cases: [Case; 14] = [
        ("", 400, "malformed_json", None),
        ("{", 400, "malformed_json", None),
        ("{} x", 400, "malformed_json", None),
        ("{}", 422, "validation_error", Some(("required", "item"))),
        ("{}{}", 400, "malformed_json", None),
        ("[] x", 400, "malformed_json", None),
        (r#"{"item":1,"lines":[}"#, 400, "malformed_json", None),
        (r#"{"item":"a","lines":[]} x"#, 400, "malformed_json", None),
        ("[]", 422, "validation_error", Some(("invalid", ""))),
        (
            r#"{"item":1,"lines":[]}"#,
            422,
            "validation_error",
            Some(("invalid_type", "item")),
        ),
        (
            r#"{"item":"a","lines":[{"count":1},{}]}"#,
            422,
            "validation_error",
            Some(("required", "lines[1].count")),
        ),
        (
            r#"{"item":"a","lines":[{"count":300}]}"#,
            422,
            "validation_error",
            Some(("invalid", "lines[0].count")),
        ),
        (
            r#"{"item":"a","lines":[],"x":1}"#,
            422,
            "validation_error",
            Some(("unknown_field", "x")),
        ),
        (
            r#"{"item":"a","item":"b","lines":[]}"#,
            422,
            "validation_error",
            Some(("duplicate_field", "item")),
        ),
    ];
    for (body, status, code, detail) in cases {
        let read = send(&app, post_request("/orders", JSON, body)).await;
        check(&read, status, code, detail);
    }
    // However deep: the rest is looked through without recursion.
    let open = "[".repeat(2000);
    let deep = format!("{open}{}", "]".repeat(2000));
    let read = send(&app, post_request("/orders", JSON, open)).await;
    check(&read, 400, "malformed_json", None);
    let read = send(&app, post_request("/orders", JSON, deep)).await;
    check(
        &read,
        422,
        "validation_error",
        Some(("invalid_type", "[0]")),
    );
    let utf8 = send(
        &app,
        post_request(
            "/orders",
            JSON,
            b"{\"item\":\"\xff\",\"lines\":[]}".to_vec(),
        ),
    )
    .await;
    assert_eq!(utf8.status, 400);
}

#[tokio::test]
async fn lying_content_types_are_415() {
    for content_type in [
        "text/plain",
        "application/xml",
        "",
        "json",
        "application/jsonx",
        "application/json5",
    ] {
        let read = send(&app(), post_request("/orders", content_type, "{}")).await;
        check(&read, 415, "unsupported_media_type", None);
    }
    let none = Request::post("/orders")
        .body(axum::body::Body::from("{}"))
        .unwrap();
    check(
        &send(&app(), none).await,
        415,
        "unsupported_media_type",
        None,
    );
    check(
        &send(&app(), post_request("/form", JSON, "{}")).await,
        415,
        "unsupported_media_type",
        None,
    );
}

#[tokio::test]
async fn bodies_over_the_limit_are_413_with_and_without_a_length() {
    let app = app();
    let big = vec![b' '; 5000];
    check(
        &send(&app, post_request("/orders", JSON, big.clone())).await,
        413,
        "payload_too_large",
        None,
    );
    let chunks = futures::stream::iter(
        big.chunks(100)
            .map(|chunk| Ok::<_, std::io::Error>(chunk.to_vec()))
            .collect::<Vec<_>>(),
    );
    let chunked = post_request("/orders", JSON, axum::body::Body::from_stream(chunks));
    check(&send(&app, chunked).await, 413, "payload_too_large", None);
}

#[tokio::test]
async fn bad_queries_forms_and_paths_name_the_field() {
    let app = app();
    check(
        &send(&app, get_request("/search")).await,
        422,
        "validation_error",
        Some(("required", "q")),
    );
    check(
        &send(&app, get_request("/search?q=a&q=b")).await,
        422,
        "validation_error",
        Some(("duplicate_field", "q")),
    );
    check(
        &send(&app, get_request("/things/x")).await,
        422,
        "validation_error",
        Some(("invalid", "id")),
    );
    check(
        &send(&app, get_request("/things/%ff")).await,
        422,
        "validation_error",
        Some(("invalid", "id")),
    );
    check(
        &send(&app, get_request("/search?q=a&page=two")).await,
        422,
        "validation_error",
        Some(("invalid", "page")),
    );
    let form = post_request("/form", "application/x-www-form-urlencoded", "q=a&page=-1");
    check(
        &send(&app, form).await,
        422,
        "validation_error",
        Some(("invalid", "page")),
    );
    let form = post_request("/form", "application/x-www-form-urlencoded", "page=1");
    check(
        &send(&app, form).await,
        422,
        "validation_error",
        Some(("required", "q")),
    );
}
