//! A service that is configured, and configured anew.

use std::net::SocketAddr;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::middleware::{Next, from_fn};
use axum::routing::{get, post};
use http::Request;
use seawall_axum::{Reload, Seawall};
use seawall_errors::trace::TraceContext;
use seawall_ratelimit::{MemoryStore, Policy, quota};
use seawall_web::request::{KeyBy, Principal};

use crate::support::{get as get_request, send};

#[path = "../../../web/tests/cases/configured.rs"]
mod cases;

use cases::{Answer, Ask, CASES, read, run};

fn service(text: &str) -> (Router, Reload<MemoryStore>) {
    let alice = from_fn(|mut request: Request<Body>, next: Next| {
        request.extensions_mut().insert(Principal::new("alice"));
        next.run(request)
    });
    let seawall = Seawall::builder(MemoryStore::default())
        .config(&read(text))
        .unwrap()
        .authenticate(alice)
        .build()
        .unwrap();
    let traced = |request: Request<Body>| async move {
        let context = request.extensions().get::<TraceContext>();
        context.map_or("no", |_| "yes")
    };
    let routes = Router::new()
        .route("/", get(|| async { "ok" }))
        .route("/hang", get(std::future::pending::<()>))
        .route("/echo", post(|body: String| async move { body }))
        .route("/traced", get(traced));
    (seawall.protect(routes), seawall.reload())
}

async fn ask(app: &Router, ask: Ask) -> Answer {
    let request = match ask.body {
        Some(_) => Request::post(ask.path),
        None => Request::get(ask.path),
    };
    let peer = SocketAddr::new(ask.peer.parse().unwrap(), 4000);
    let mut request = request.extension(ConnectInfo(peer));
    if let Some((name, value)) = ask.header {
        request = request.header(name, value);
    }
    let body = Body::from(ask.body.unwrap_or_default());
    let read = send(app, request.body(body).unwrap()).await;
    let headers = read.headers.iter();
    Answer {
        status: read.status.as_u16(),
        headers: headers
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .collect(),
        body: read.body,
    }
}

#[tokio::test(start_paused = true)]
async fn every_setting_holds_and_changes_as_the_table_says() {
    for case in CASES {
        let (app, reload) = service(case.config);
        run(case, &reload, async |request| ask(&app, request).await).await;
    }
}

#[tokio::test]
async fn limits_beside_the_file_stay() {
    let seawall = Seawall::builder(MemoryStore::default())
        .limit(
            Policy::new("own", quota!("1/hour")).unwrap(),
            KeyBy::everyone(),
        )
        .config(&read("limits.api = {quota = '9/hour', key = ['everyone']}"))
        .unwrap()
        .build()
        .unwrap();
    let app = seawall.protect(Router::new().route("/", get(|| async { "ok" })));
    let next = read("limits.api = {quota = '8/hour', key = ['everyone']}");
    seawall.reload().apply(&next).unwrap();
    let status = async || send(&app, get_request("/")).await.status;
    assert_eq!(
        (status().await.as_u16(), status().await.as_u16()),
        (200, 429)
    );
}

#[test]
fn one_name_twice_is_refused() {
    let limit = read("limits.api = {quota = '9/hour', key = ['everyone']}");
    let twice = Seawall::builder(MemoryStore::default())
        .config(&limit)
        .and_then(|builder| builder.config(&limit))
        .unwrap();
    assert!(twice.build().is_err());
}
