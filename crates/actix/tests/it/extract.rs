//! Refusals of the extractors: the right status, the field, and no word of serde's.

use actix_web::body::MessageBody;
use actix_web::dev::{Service, ServiceResponse};
use actix_web::test::{TestRequest, init_service};
use actix_web::{App, Error, web};
use seawall_actix::extract::DefaultBodyLimit;
use seawall_actix::{BodyLimitLayer, ErrorsLayer, Form, Json, Path, Query, RequestIdLayer};
use serde::{Deserialize, Serialize};

use crate::support::{Read, get as get_request, post as post_request, send, send_chunks};

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

async fn app()
-> impl Service<actix_http::Request, Response = ServiceResponse<impl MessageBody>, Error = Error> {
    let order = |Json(order): Json<InternalOrderStruct>| async move { Json(order) };
    let query = |Query(search): Query<Search>| async move { Json(search) };
    let form = |Form(search): Form<Search>| async move { Json(search) };
    let thing = |Path(id): Path<u64>| async move { id.to_string() };
    let two = |Path((a, b)): Path<(String, u64)>| async move { format!("{a} {b}") };
    let place = |Path(place): Path<Place>| async move { format!("{} {}", place.name, place.floor) };
    let none = |Path(id): Path<u64>| async move { id.to_string() };
    let small = web::resource("/small").app_data(DefaultBodyLimit::max(8));
    let app = App::new()
        .route("/orders", web::post().to(order))
        .route("/search", web::get().to(query))
        .route("/form", web::post().to(form))
        .route("/things/{id}", web::get().to(thing))
        .route("/two/{a}/{b}", web::get().to(two))
        .route("/places/{name}/{floor}", web::get().to(place))
        .route("/none", web::get().to(none))
        .service(small.route(web::post().to(|Json(n): Json<u64>| async move { n.to_string() })))
        .wrap(BodyLimitLayer::new(4096))
        .wrap(ErrorsLayer::new())
        .wrap(RequestIdLayer::new());
    init_service(app).await
}

#[derive(Debug, Deserialize)]
struct Place {
    name: String,
    floor: i8,
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

#[actix_web::test]
async fn good_input_passes() {
    let app = app().await;
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

#[actix_web::test]
async fn bad_json_is_told_apart_from_wrong_json() {
    let app = app().await;
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

#[actix_web::test]
async fn lying_content_types_are_415() {
    for content_type in [
        "text/plain",
        "application/xml",
        "",
        "json",
        "application/jsonx",
        "application/json5",
    ] {
        let read = send(&app().await, post_request("/orders", content_type, "{}")).await;
        check(&read, 415, "unsupported_media_type", None);
    }
    let none = TestRequest::post().uri("/orders").set_payload("{}");
    check(
        &send(&app().await, none).await,
        415,
        "unsupported_media_type",
        None,
    );
    check(
        &send(&app().await, post_request("/form", JSON, "{}")).await,
        415,
        "unsupported_media_type",
        None,
    );
}

#[actix_web::test]
async fn bodies_over_the_limit_are_413_with_and_without_a_length() {
    let app = app().await;
    let big = vec![b' '; 5000];
    check(
        &send(
            &app,
            post_request("/orders", JSON, big.clone()).insert_header(("content-length", "5000")),
        )
        .await,
        413,
        "payload_too_large",
        None,
    );
    let chunked = post_request("/orders", JSON, big);
    check(
        &send_chunks(&app, chunked).await,
        413,
        "payload_too_large",
        None,
    );
}

#[actix_web::test]
async fn bad_queries_forms_and_paths_name_the_field() {
    let app = app().await;
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

#[actix_web::test]
async fn parameters_of_the_path_are_decoded_once_and_named() {
    let app = app().await;
    for (uri, expected) in [
        ("/two/a%2Fb/7", "a/b 7"),
        ("/two/a%252Fb/7", "a%2Fb 7"),
        ("/two/caf%C3%A9/7", "café 7"),
        ("/two/%EF%BF%BD/7", "\u{fffd} 7"),
        ("/two/a+b/7", "a+b 7"),
        ("/places/quay/-1", "quay -1"),
    ] {
        let read = send(&app, get_request(uri)).await;
        assert_eq!((read.status.as_u16(), read.body.as_str()), (200, expected));
    }
    for (uri, field) in [
        ("/two/%ff/7", "a"),
        ("/places/quay/700", "floor"),
        ("/places/%ff/7", "name"),
        ("/two/a/x", ""),
    ] {
        let read = send(&app, get_request(uri)).await;
        check(&read, 422, "validation_error", Some(("invalid", field)));
    }
    let read = send(&app, get_request("/none")).await;
    assert_eq!(
        (read.status.as_u16(), read.code().as_str()),
        (500, "internal_error")
    );
}

#[actix_web::test]
async fn a_body_has_a_limit_even_without_the_layer_for_it() {
    let app = app().await;
    let eight = send(&app, post_request("/small", JSON, "12345678")).await;
    assert_eq!(
        (eight.status.as_u16(), eight.body.as_str()),
        (200, "12345678")
    );
    let nine = post_request("/small", JSON, "123456789");
    check(
        &send_chunks(&app, nine).await,
        413,
        "payload_too_large",
        None,
    );
    // What is announced counts, whatever comes.
    let announced = post_request("/small", JSON, "12345678");
    let announced = announced.insert_header(("content-length", "9"));
    check(&send(&app, announced).await, 413, "payload_too_large", None);
    let bare = App::new().route("/", web::post().to(|_: Json<String>| async { "read" }));
    let bare = init_service(bare).await;
    let text = |length: usize| post_request("/", JSON, format!("\"{}\"", "x".repeat(length - 2)));
    let limit = 2 * 1024 * 1024;
    assert_eq!(send(&bare, text(limit)).await.status, 200);
    assert_eq!(send(&bare, text(limit + 1)).await.status, 413);
}
