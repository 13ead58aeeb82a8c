//! Extractors that validate: one shape for every refusal, wherever the input came from.

use axum::Router;
use axum::body::Body;
use axum::routing::{get, post};
use http::Request;
use seawall_axum::{Json, Seawall, ValidForm, ValidHeaders, ValidJson, ValidPath, ValidQuery};
use seawall_ratelimit::MemoryStore;
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

fn app() -> Router {
    let routes = Router::new()
        .route(
            "/json",
            post(|ValidJson(contact): ValidJson<Contact>| async { contact.told() }),
        )
        .route(
            "/plain",
            post(|Json(contact): Json<Contact>| async { contact.told() }),
        )
        .route(
            "/form",
            post(|ValidForm(contact): ValidForm<Contact>| async { contact.told() }),
        )
        .route(
            "/query",
            get(|ValidQuery(contact): ValidQuery<Contact>| async { contact.told() }),
        )
        .route(
            "/places/{place}",
            get(|ValidPath(path): ValidPath<Place>| async { path.place }),
        )
        .route(
            "/headers",
            get(|ValidHeaders(headers): ValidHeaders<Tenant>| async move {
                format!("{} {:?}", headers.tenant, headers.tags)
            }),
        );
    #[cfg(feature = "multipart")]
    let routes = routes.route(
        "/parts",
        post(
            |seawall_axum::ValidMultipart(contact): seawall_axum::ValidMultipart<Contact>| async {
                contact.told()
            },
        ),
    );
    Seawall::builder(MemoryStore::new(16))
        .build()
        .unwrap()
        .protect(routes)
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

#[tokio::test]
async fn what_is_no_json_is_400_whoever_reads_it() {
    let app = app();
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

#[tokio::test]
async fn good_input_passes_from_everywhere() {
    let app = app();
    for (request, expected) in [
        (
            post_request("/json", JSON, r#"{"email":" Ann@Example.com"}"#),
            GOOD,
        ),
        (post_request("/form", FORM, "email=Ann%40Example.com"), GOOD),
        (get_request("/query?email=ann@example.com"), GOOD),
        (get_request("/places/quay-7"), "quay-7"),
        (
            Request::get("/headers")
                .header("X-Tenant", "acme")
                .header("x-tag", "a")
                .header("x-tag", "b")
                .header("x-other", "c")
                .header("x-other", "d")
                .body(Body::empty())
                .unwrap(),
            "acme [\"a\", \"b\"]",
        ),
    ] {
        let read = send(&app, request).await;
        assert_eq!((read.status.as_u16(), read.body.as_str()), (200, expected));
    }
}

#[tokio::test]
async fn every_mistake_is_told_at_once_from_everywhere() {
    let app = app();
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
#[tokio::test]
async fn a_name_that_is_repeated_is_refused_unless_its_field_is_a_list() {
    let app = app();
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
        Request::get("/headers")
            .header("x-tenant", "acme")
            .header("x-tenant", "evil")
            .body(Body::empty())
            .unwrap(),
    )
    .await;
    check(
        &read,
        422,
        "validation_error",
        &[("duplicate_field", "x-tenant")],
    );
}

#[tokio::test]
async fn a_packed_body_is_refused_whatever_is_in_it() {
    let app = app();
    for (path, media_type, body) in [
        ("/json", JSON, r#"{"email":"ann@example.com"}"#),
        ("/form", FORM, "email=ann@example.com"),
    ] {
        for coding in ["gzip", "deflate", "br", "zstd", "identity, gzip", "rot13"] {
            let mut request = post_request(path, media_type, body);
            let coding = coding.parse().unwrap();
            request.headers_mut().insert("content-encoding", coding);
            let read = send(&app, request).await;
            check(&read, 415, "unsupported_media_type", &[]);
            assert_eq!(read.header("accept-encoding"), "identity");
        }
        let mut request = post_request(path, media_type, body);
        let identity = "identity".parse().unwrap();
        request.headers_mut().insert("content-encoding", identity);
        assert_eq!(send(&app, request).await.status, 200);
    }
}

#[tokio::test]
async fn headers_keep_limits_rules_and_shape() {
    let app = app();
    let sent = async |lines: &[(&str, &[u8])]| {
        let mut request = get_request("/headers");
        for (name, value) in lines {
            request.headers_mut().append(
                http::HeaderName::from_bytes(name.as_bytes()).unwrap(),
                http::HeaderValue::from_bytes(value).unwrap(),
            );
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

#[cfg(feature = "multipart")]
mod multipart {
    use super::*;

    const PARTS: &str = "multipart/form-data; boundary=x";

    fn part(disposition: &str, text: &str) -> String {
        format!("--x\r\ncontent-disposition: form-data; {disposition}\r\n\r\n{text}\r\n")
    }

    async fn sent(media_type: &str, body: impl Into<Body>) -> Read {
        send(&app(), post_request("/parts", media_type, body)).await
    }

    #[tokio::test]
    async fn text_fields_keep_their_rules() {
        let email = part("name=\"email\"", " Ann@Example.com");
        let read = sent(PARTS, format!("{email}--x--\r\n")).await;
        assert_eq!((read.status.as_u16(), read.body.as_str()), (200, GOOD));

        let note = part("name=\"note\"", "12345678901");
        let read = sent(PARTS, format!("{note}--x--\r\n")).await;
        let mistakes = [("string_too_long", "note"), ("required", "email")];
        check(&read, 422, "validation_error", &mistakes);

        let read = sent(PARTS, format!("{email}{email}--x--\r\n")).await;
        check(
            &read,
            422,
            "validation_error",
            &[("duplicate_field", "email")],
        );
    }

    #[tokio::test]
    async fn parts_that_lie_are_refused() {
        let email = part("name=\"email\"", "ann@example.com");
        let file = part("name=\"email\"; filename=\"../x\"", "ann@example.com");
        let read = sent(PARTS, format!("{file}--x--\r\n")).await;
        check(
            &read,
            422,
            "validation_error",
            &[("unexpected_file", "email")],
        );
        for (media_type, body) in [
            ("multipart/form-data", format!("{email}--x--\r\n")),
            (
                "multipart/form-data; boundary=y",
                format!("{email}--x--\r\n"),
            ),
            (PARTS, email.clone()),
            (PARTS, "--x\r\n".to_owned()),
            (PARTS, format!("{}--x--\r\n", part("", "nameless"))),
            (PARTS, r#"{"email":"ann@example.com"}"#.to_owned()),
        ] {
            check(&sent(media_type, body).await, 400, "malformed_request", &[]);
        }
        let latin = [
            part("name=\"note\"", "").trim_end().as_bytes(),
            b"\r\n\r\n\xe9\r\n--x--\r\n",
        ]
        .concat();
        check(&sent(PARTS, latin).await, 400, "malformed_request", &[]);
        let read = sent("multipart/mixed; boundary=x", format!("{email}--x--\r\n")).await;
        check(&read, 415, "unsupported_media_type", &[]);
    }

    #[tokio::test]
    async fn parts_are_bounded_in_number_and_size() {
        let note = part("name=\"note\"", "a");
        let read = sent(PARTS, format!("{}--x--\r\n", note.repeat(65))).await;
        check(&read, 413, "payload_too_large", &[]);
        let large = part("name=\"note\"", &"a".repeat(64 * 1024 + 1));
        let read = sent(PARTS, format!("{large}--x--\r\n")).await;
        check(&read, 413, "payload_too_large", &[]);
        let whole = part("name=\"note\"", &"a".repeat(64 * 1024));
        let read = sent(PARTS, format!("{whole}--x--\r\n")).await;
        let mistakes = [("string_too_long", "note"), ("required", "email")];
        check(&read, 422, "validation_error", &mistakes);
    }
}
