//! Extractors that validate: one shape for every refusal, wherever the input came from.

use actix_web::body::MessageBody;
use actix_web::dev::{Service, ServiceResponse};
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::test::init_service;
use actix_web::{App, Error, web};
use seawall_actix::{
    ErrorsLayer, Json, RequestIdLayer, ValidForm, ValidHeaders, ValidJson, ValidPath, ValidQuery,
};
use seawall_validate::Validate;

use crate::support::{Read, get as get_request, post as post_request, send};

#[derive(Validate)]
struct Contact {
    #[validate(normalize(trim, lower), chars(..=254), email)]
    email: String,
    #[validate(chars(1..=10))]
    note: Option<String>,
    #[validate(items(..=3), each(chars(1..=10)))]
    #[serde(default)]
    tags: Vec<String>,
}

impl Contact {
    fn told(self) -> String {
        format!("{} {:?} {:?}", self.email, self.note, self.tags)
    }
}

#[derive(Validate)]
struct Place {
    #[validate(chars(1..=10), slug)]
    place: String,
}

#[derive(Validate)]
struct Tenant {
    #[validate(chars(1..=10), slug)]
    #[serde(rename = "x-tenant")]
    tenant: String,
    #[validate(items(..=3), each(chars(..=10)))]
    #[serde(rename = "x-tag", default)]
    tags: Vec<String>,
}

async fn app()
-> impl Service<actix_http::Request, Response = ServiceResponse<impl MessageBody>, Error = Error> {
    let json = |ValidJson(contact): ValidJson<Contact>| async { contact.told() };
    let plain = |Json(contact): Json<Contact>| async { contact.told() };
    let form = |ValidForm(contact): ValidForm<Contact>| async { contact.told() };
    let query = |ValidQuery(contact): ValidQuery<Contact>| async { contact.told() };
    let place = |ValidPath(path): ValidPath<Place>| async { path.place };
    let note = |ValidPath(path): ValidPath<Note>| async { path.note };
    let headers = |ValidHeaders(headers): ValidHeaders<Tenant>| async move {
        format!("{} {:?}", headers.tenant, headers.tags)
    };
    let app = App::new()
        .route("/json", web::post().to(json))
        .route("/plain", web::post().to(plain))
        .route("/form", web::post().to(form))
        .route("/query", web::get().to(query))
        .route("/places/{place}", web::get().to(place))
        .route("/notes/{note}", web::get().to(note))
        .route("/headers", web::get().to(headers))
        .wrap(ErrorsLayer::new())
        .wrap(RequestIdLayer::new());
    init_service(app).await
}

#[derive(Validate)]
struct Note {
    #[validate(chars(1..=10))]
    note: String,
}

#[track_caller]
fn check(read: &Read, status: u16, code: &str, details: &[(&str, &str)]) {
    let found = (read.status.as_u16(), read.code());
    assert_eq!(found, (status, code.to_owned()), "{read:?}");
    let body = read.json();
    assert_eq!(body["request_id"], read.header("x-request-id"));
    let found: Vec<_> = body["details"].as_array().unwrap().iter().collect();
    let found: Vec<_> = found
        .iter()
        .map(|detail| {
            let text = |key: &str| detail.get(key).map_or("", |text| text.as_str().unwrap());
            (text("code"), text("field"))
        })
        .collect();
    assert_eq!(found, details, "{read:?}");
}

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";
const GOOD: &str = "ann@example.com None []";

#[actix_web::test]
async fn what_is_no_json_is_400_whoever_reads_it() {
    let app = app().await;
    for body in ["{} x", "[] x", r#"{"email":7,"#, r#"{"email":7}}"#] {
        for path in ["/json", "/plain"] {
            let read = send(&app, post_request(path, "application/json", body)).await;
            check(&read, 400, "malformed_json", &[]);
        }
    }
    let read = send(&app, post_request("/plain", "application/json", "{}")).await;
    assert_eq!(
        (read.status.as_u16(), read.code()),
        (422, "validation_error".to_owned())
    );
}

#[actix_web::test]
async fn good_input_passes_from_everywhere() {
    let app = app().await;
    for (request, expected) in [
        (
            post_request("/json", JSON, r#"{"email":" Ann@Example.com"}"#),
            GOOD,
        ),
        (post_request("/form", FORM, "email=Ann%40Example.com"), GOOD),
        (get_request("/query?email=ann@example.com"), GOOD),
        (get_request("/places/quay-7"), "quay-7"),
        (
            get_request("/headers")
                .append_header(("X-Tenant", "acme"))
                .append_header(("x-tag", "a"))
                .append_header(("x-tag", "b"))
                .append_header(("x-other", "c"))
                .append_header(("x-other", "d")),
            "acme [\"a\", \"b\"]",
        ),
    ] {
        let read = send(&app, request).await;
        assert_eq!((read.status.as_u16(), read.body.as_str()), (200, expected));
    }
}

#[actix_web::test]
async fn every_mistake_is_told_at_once_from_everywhere() {
    let app = app().await;
    let mistakes = [
        ("string_too_long", "note"),
        ("unknown_field", "admin"),
        ("required", "email"),
    ];
    for request in [
        post_request("/json", JSON, r#"{"note":"12345678901","admin":"1"}"#),
        post_request("/form", FORM, "note=12345678901&admin=1"),
        get_request("/query?note=12345678901&admin=1"),
    ] {
        let read = send(&app, request).await;
        check(&read, 422, "validation_error", &mistakes);
    }
    let read = send(&app, get_request("/places/Quay%207")).await;
    check(&read, 422, "validation_error", &[("slug", "place")]);
}

/// Readers disagree about which one counts, so neither does; a list takes them all.
#[actix_web::test]
async fn a_name_that_is_repeated_is_refused_unless_its_field_is_a_list() {
    let app = app().await;
    let twice = [("duplicate_field", "email")];
    for request in [
        get_request("/query?email=ann@example.com&email=eve@example.com"),
        post_request("/form", FORM, "email=ann@example.com&email=eve@example.com"),
        post_request(
            "/json",
            JSON,
            r#"{"email":"ann@example.com","email":"eve@example.com"}"#,
        ),
    ] {
        check(&send(&app, request).await, 422, "validation_error", &twice);
    }
    let read = send(
        &app,
        get_request("/query?email=ann@example.com&tags=a&tags=b"),
    )
    .await;
    assert_eq!(read.body, r#"ann@example.com None ["a", "b"]"#);
    let read = send(
        &app,
        get_request("/headers")
            .append_header(("x-tenant", "acme"))
            .append_header(("x-tenant", "evil")),
    )
    .await;
    check(
        &read,
        422,
        "validation_error",
        &[("duplicate_field", "x-tenant")],
    );
}

#[actix_web::test]
async fn a_packed_body_is_refused_whatever_is_in_it() {
    let app = app().await;
    for (path, media_type, body) in [
        ("/json", JSON, r#"{"email":"ann@example.com"}"#),
        ("/form", FORM, "email=ann@example.com"),
    ] {
        for coding in ["gzip", "deflate", "br", "zstd", "identity, gzip", "rot13"] {
            let request = post_request(path, media_type, body);
            let request = request.insert_header(("content-encoding", coding));
            let read = send(&app, request).await;
            check(&read, 415, "unsupported_media_type", &[]);
            assert_eq!(read.header("accept-encoding"), "identity");
        }
        let request = post_request(path, media_type, body);
        let request = request.insert_header(("content-encoding", "identity"));
        assert_eq!(send(&app, request).await.status, 200);
    }
}

#[actix_web::test]
async fn headers_keep_limits_rules_and_shape() {
    let app = app().await;
    let sent = async |lines: &[(&str, &[u8])]| {
        let mut request = get_request("/headers");
        for (name, value) in lines {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            let value = HeaderValue::from_bytes(value).unwrap();
            request = request.append_header((name, value));
        }
        send(&app, request).await
    };
    let read = sent(&[]).await;
    check(&read, 422, "validation_error", &[("required", "x-tenant")]);
    let read = sent(&[("x-tenant", b"Acme & Co")]).await;
    check(&read, 422, "validation_error", &[("slug", "x-tenant")]);
    let read = sent(&[("x-tenant", b"acm\xe9")]).await;
    check(&read, 400, "malformed_request", &[]);
    let long = vec![b'a'; 9 * 1024];
    let read = sent(&[("x-tenant", b"acme"), ("x-other", &long)]).await;
    check(&read, 431, "headers_too_large", &[]);
    let many = vec![("x-other", b"a".as_slice()); 65];
    check(&sent(&many).await, 431, "headers_too_large", &[]);
}

#[actix_web::test]
async fn what_is_no_utf8_once_decoded_keeps_no_rule() {
    let app = app().await;
    for (uri, expected) in [("/notes/a%2Fb", "a/b"), ("/notes/%252F", "%2F")] {
        assert_eq!(send(&app, get_request(uri)).await.body, expected);
    }
    let read = send(&app, get_request("/notes/%ff")).await;
    check(&read, 400, "malformed_request", &[]);
}
