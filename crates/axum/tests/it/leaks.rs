//! Ways in which error crates are known to leak, tried over HTTP on this one; and secrets planted
//! where a handler fails.

use std::{fmt, io};

use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use futures::stream;
use http::{Method, Request, StatusCode};
use http_body_util::BodyExt;
use seawall_axum::{Result, Seawall};
use seawall_errors::testkit::{Answer, Canaries};
use seawall_errors::{ApiError, Format, FormatPolicy, Internal, Renderer, ResultExt, codes};
use seawall_ratelimit::MemoryStore;
use tower::ServiceExt;

use crate::support::{Log, Read, get as get_request, post as post_request, send};

#[derive(Debug, ApiError)]
enum ShopError {
    #[api(internal)]
    Sql(SqlError),
}

impl fmt::Display for ShopError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Sql(error) = self;
        write!(f, "ShopError: {error}")
    }
}

impl std::error::Error for ShopError {}

#[derive(Debug)]
struct SqlError;

impl fmt::Display for SqlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("relation \"users_secret\" does not exist; SELECT pw FROM users_secret")
    }
}

impl std::error::Error for SqlError {}

fn denied() -> io::Error {
    io::Error::new(
        io::ErrorKind::PermissionDenied,
        "/etc/app/secret.key: denied",
    )
}

#[derive(Debug, serde::Deserialize)]
struct SecretOrder {
    _secret: u8,
}

fn shielded(routes: Router) -> Router {
    let seawall = Seawall::builder(MemoryStore::new(16)).build().unwrap();
    seawall.protect(routes)
}

async fn ask(route: axum::routing::MethodRouter) -> Read {
    send(&shielded(Router::new().route("/", route)), get_request("/")).await
}

#[track_caller]
fn check(read: &Read, status: u16, code: &str) {
    assert_eq!((read.status.as_u16(), read.code().as_str()), (status, code));
    assert_eq!(read.json()["request_id"], read.header("x-request-id"));
    let all = format!("{:?}{}", read.headers, read.body).to_lowercase();
    for word in [
        "secret", "select", "postgres", "sequence", "line 1", "order",
    ] {
        assert!(!all.contains(word), "{word}: {all}");
    }
}

#[tokio::test]
async fn an_io_error_does_not_become_the_detail() {
    let read = ask(get(|| async {
        Result::<()>::Err(Internal(denied()).into())
    }))
    .await;
    check(&read, 500, "internal_error");
    let read = ask(get(|| async {
        Err::<(), _>(denied())
            .or_not_found()
            .map_err(seawall_axum::Error::from)
    }))
    .await;
    check(&read, 404, "not_found");
}

#[tokio::test]
async fn a_500_with_a_cause_and_no_message_does_not_borrow_its_text() {
    let fail = || async {
        Result::<()>::Err(ApiError::new(codes::INTERNAL_ERROR).source(SqlError).into())
    };
    check(&ask(get(fail)).await, 500, "internal_error");
}

#[tokio::test]
async fn the_text_of_a_foreign_500_is_not_copied() {
    let fail = || async {
        (
            StatusCode::INTERNAL_SERVER_ERROR,
            "db error: SELECT pw FROM users_secret",
        )
    };
    check(&ask(get(fail)).await, 500, "internal_error");
}

#[tokio::test]
async fn adoption_drops_neither_retry_after_nor_the_challenge() {
    let fail = || async {
        let headers = [("retry-after", "17"), ("www-authenticate", "Bearer")];
        (StatusCode::TOO_MANY_REQUESTS, headers, "SELECT")
    };
    let read = ask(get(fail)).await;
    check(&read, 429, "rate_limited");
    assert_eq!(
        (read.header("retry-after"), read.header("www-authenticate")),
        ("17", "Bearer")
    );
}

#[tokio::test]
async fn a_panic_shows_nothing_in_a_debug_build_either() {
    let fail = || async {
        if true {
            panic!("conn string postgres://u:secret@h/db")
        }
    };
    check(&ask(get(fail)).await, 500, "internal_error");
}

#[tokio::test]
async fn the_display_of_an_error_type_is_not_the_answer() {
    let fail = || async { Result::<()>::Err(ShopError::Sql(SqlError).into()) };
    check(&ask(get(fail)).await, 500, "internal_error");
}

#[tokio::test]
async fn a_debug_print_that_becomes_an_answer_holds_no_cause() {
    let fail = || async {
        let error = ApiError::new(codes::CONFLICT).source("postgres://u:secret@db");
        format!("{error:?} {error:#?} {error}")
    };
    let read = ask(get(fail)).await;
    assert_eq!(read.status, 200);
    assert!(
        read.body.contains("conflict") && !read.body.contains("secret"),
        "{}",
        read.body
    );
}

#[tokio::test]
async fn a_message_and_nested_causes_of_a_500_are_masked() {
    let fail = || async {
        let inner = ApiError::new(codes::BAD_GATEWAY)
            .source(SqlError)
            .note("secret");
        let outer = ApiError::new(codes::INTERNAL_ERROR).message("secret pool exhausted");
        Result::<()>::Err(outer.source(inner).into())
    };
    check(&ask(get(fail)).await, 500, "internal_error");
}

/// Runs another test of this file with the switches that open others.
#[test]
fn no_environment_variable_exposes_anything() {
    let test = std::env::current_exe().unwrap();
    let run = std::process::Command::new(test)
        .args([
            "--exact",
            "leaks::a_500_with_a_cause_and_no_message_does_not_borrow_its_text",
        ])
        .envs([
            ("AXUM_ANYHOW_EXPOSE_ERRORS", "1"),
            ("DEBUG", "1"),
            ("RUST_BACKTRACE", "full"),
        ])
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success() && told.contains("1 passed"), "{told}");
}

#[tokio::test]
async fn the_customary_handler_of_layer_errors_does_not_leak() {
    let fail = || async {
        (
            StatusCode::INTERNAL_SERVER_ERROR,
            format!("Unhandled internal error: {SqlError}"),
        )
    };
    check(&ask(get(fail)).await, 500, "internal_error");
}

#[tokio::test]
async fn rejections_and_empty_404s_and_405s_have_the_one_body() {
    let routes = Router::new().route("/", post(|_: axum::Json<SecretOrder>| async {}));
    let app = shielded(routes);
    let read = send(&app, post_request("/", "application/json", "[]")).await;
    check(&read, 422, "validation_error");
    check(&send(&app, get_request("/nowhere")).await, 404, "not_found");
    let read = send(&app, get_request("/")).await;
    check(&read, 405, "method_not_allowed");
    assert_eq!(read.header("allow"), "POST");
    let extension = get(|_: axum::Extension<SqlError2>| async {});
    check(&ask(extension).await, 500, "internal_error");
}

/// Nobody inserts it, which axum tells with the name of the type.
#[derive(Clone)]
struct SqlError2;

const ACCEPTS: [&str; 12] = [
    "",
    "*/*",
    "application/json",
    "application/problem+json",
    "application/problem+json;q=0.5, application/json",
    "application/json;q=0.5, application/problem+json",
    "application/problem+xml",
    "text/html,*/*;q=0.8",
    "text/plain;q=0.1",
    "application/json;q=0, application/problem+json;q=0",
    "application/problem+json;q=9",
    "\"unclosed",
];

const FAULTS: usize = 7;

/// One way to fail, with secrets planted in it.
fn plant(fault: usize, canaries: &mut Canaries) -> Box<dyn FnOnce() -> Response + Send> {
    match fault {
        0 => {
            let error = ApiError::new(codes::INTERNAL_ERROR).source(canaries.chain("cause", 3));
            Box::new(|| seawall_axum::Error::from(error).into_response())
        }
        1 => {
            let error = Err::<(), _>(canaries.chain("cause", 2)).or_not_found();
            Box::new(|| error.map_err(seawall_axum::Error::from).into_response())
        }
        2 => {
            let text = canaries.plant("text", |word| format!("relation {word} does not exist"));
            Box::new(|| (StatusCode::INTERNAL_SERVER_ERROR, text).into_response())
        }
        3 => {
            let text = canaries.plant("body", |word| format!("<h1>{word}</h1>"));
            let header = canaries.plant("header", str::to_owned);
            Box::new(|| (StatusCode::BAD_GATEWAY, [("x-upstream", header)], text).into_response())
        }
        4 => {
            let text = canaries.plant("panic", str::to_owned);
            Box::new(move || panic!("{text}"))
        }
        5 => {
            let cause = canaries.chain("body error", 1);
            Box::new(|| Body::from_stream(stream::iter([Ok("half"), Err(cause)])).into_response())
        }
        _ => {
            let text = canaries.plant("body panic", str::to_owned);
            Box::new(|| {
                let chunks = (0..2).map(move |chunk| match chunk {
                    0 => Ok::<_, io::Error>("half"),
                    _ => panic!("{text}"),
                });
                Body::from_stream(stream::iter(chunks)).into_response()
            })
        }
    }
}

#[tokio::test]
async fn no_fault_shows_in_any_format_and_each_is_logged_once() {
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
    let cases = (0..FAULTS)
        .flat_map(|fault| policies.map(|policy| (fault, policy)))
        .flat_map(|(fault, policy)| {
            [Method::GET, Method::HEAD].map(|method| (fault, policy, method))
        })
        .flat_map(|case| ACCEPTS.map(|accept| (case.clone(), accept)));
    for ((fault, policy, method), accept) in cases {
        let mut canaries = Canaries::new();
        let fail = plant(fault, &mut canaries);
        let slot = std::sync::Arc::new(std::sync::Mutex::new(Some(fail)));
        let handler = get(move || async move {
            let fail = slot.lock().unwrap().take().unwrap();
            fail()
        });
        let seawall = Seawall::builder(MemoryStore::new(16))
            .renderer(Renderer::new().policy(policy))
            .build()
            .unwrap();
        let app = seawall.protect(Router::new().route("/", handler));
        let request = Request::builder()
            .method(&method)
            .uri("/")
            .header("accept", accept);

        let log = Log::default();
        let guard = log.start();
        let response = app
            .oneshot(request.body(Body::empty()).unwrap())
            .await
            .unwrap();
        let (parts, mut body) = response.into_parts();
        let (mut read, mut aborted) = (Vec::new(), String::new());
        while let Some(frame) = body.frame().await {
            match frame {
                Ok(frame) => read.extend_from_slice(frame.data_ref().unwrap()),
                Err(error) => {
                    aborted = error.to_string();
                    break;
                }
            }
        }
        drop(guard);
        let mut answer = Answer::new().body(&read).body(&aborted);
        for (name, value) in &parts.headers {
            answer = answer.header(name.as_str(), value.as_bytes());
        }
        canaries.assert_hidden(&answer);
        // axum leaves out the bodies of answers to HEAD, so nothing in them can fail.
        if fault < 5 || method == Method::GET {
            canaries.assert_logged_once(&log.text());
        }
    }
}
