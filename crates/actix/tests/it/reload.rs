//! A service that is configured, and configured anew, in all workers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

use actix_web::dev::ServiceRequest;
use actix_web::test::{TestRequest, init_service};
use actix_web::web::{self, Bytes};
use actix_web::{App, HttpMessage as _, HttpRequest};
use seawall_actix::{Result, Seawall};
use seawall_errors::trace::TraceContext;
use seawall_ratelimit::{MemoryStore, Policy, quota};
use seawall_web::request::{KeyBy, Principal};

use crate::served::{Served, status};
use crate::support::{get, send};

#[path = "../../../web/tests/cases/configured.rs"]
mod cases;

use cases::{Answer, Ask, CASES, read, run};

async fn alice(request: ServiceRequest) -> Result<ServiceRequest> {
    request.extensions_mut().insert(Principal::new("alice"));
    Ok(request)
}

async fn ok() -> &'static str {
    "ok"
}

async fn traced(request: HttpRequest) -> &'static str {
    let extensions = request.extensions();
    extensions.get::<TraceContext>().map_or("no", |_| "yes")
}

fn request(ask: Ask) -> TestRequest {
    let peer = format!("{}:4000", ask.peer).parse().unwrap();
    let mut request = match ask.body {
        Some(body) => TestRequest::post().set_payload(body),
        None => TestRequest::get(),
    };
    if let Some(header) = ask.header {
        request = request.insert_header(header);
    }
    request.uri(ask.path).peer_addr(peer)
}

#[tokio::test(start_paused = true)]
async fn every_setting_holds_and_changes_as_the_table_says() {
    for case in CASES {
        let seawall = Seawall::builder(MemoryStore::default())
            .config(&read(case.config))
            .unwrap()
            .authenticate(alice)
            .build()
            .unwrap();
        let reload = seawall.reload();
        let routes = web::scope("")
            .route("/", web::get().to(ok))
            .route("/hang", web::get().to(std::future::pending::<&str>))
            .route("/echo", web::post().to(async |body: Bytes| body))
            .route("/traced", web::get().to(traced));
        let app = init_service(App::new().service(seawall.protect(routes))).await;
        let ask = async |ask| {
            let read = send(&app, request(ask)).await;
            let headers = read.headers.iter();
            Answer {
                status: read.status.as_u16(),
                headers: headers
                    .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
                    .collect(),
                body: read.body,
            }
        };
        run(case, &reload, ask).await;
    }
}

#[actix_web::test]
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
    let routes = web::scope("").route("/", web::get().to(ok));
    let app = init_service(App::new().service(seawall.protect(routes))).await;
    let next = read("limits.api = {quota = '8/hour', key = ['everyone']}");
    seawall.reload().apply(&next).unwrap();
    let status = async || send(&app, get("/")).await.status.as_u16();
    assert_eq!((status().await, status().await), (200, 429));
}

/// Of four workers under traffic, every one answers every request, and by the new configuration from
/// the moment on at which it was put in force.
#[actix_web::test]
async fn one_reload_reaches_all_workers_under_traffic() {
    const WORKERS: usize = 4;
    const CLIENTS: usize = 16;

    let config = |body: u64, quota: &str| {
        read(&format!(
            "body.limit = {body}\nlimits.api = {{quota = '{quota}', key = ['everyone']}}"
        ))
    };
    let store = MemoryStore::default();
    let seawall = Seawall::from_config(store, &config(4, "1000000/hour")).unwrap();
    let reload = seawall.reload();
    let made = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&made);
    let served = Served::start(WORKERS, move || {
        count.fetch_add(1, SeqCst);
        let routes = web::scope("").route("/echo", web::post().to(async |body: Bytes| body));
        App::new().service(seawall.protect(routes))
    });

    let (is_new, answered) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicUsize::new(0)),
    );
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        let mut wire = served.connect().await;
        let (is_new, answered) = (Arc::clone(&is_new), Arc::clone(&answered));
        clients.push(actix_web::rt::spawn(async move {
            let mut by_the_new = 0;
            while by_the_new < 5 {
                let began_after = is_new.load(SeqCst);
                let request = "POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\n\r\nfour";
                wire.send(request).await;
                let answer = wire.answer().await.expect("no request is lost");
                let is_by_the_new = answer.contains("x-ratelimit-limit: 500000\r\n");
                let is_by_the_old = answer.contains("x-ratelimit-limit: 1000000\r\n");
                assert!(is_by_the_new || is_by_the_old, "unlimited: {answer}");
                assert_eq!(status(&answer), 200, "{answer}");
                answered.fetch_add(1, SeqCst);
                if began_after {
                    assert!(is_by_the_new, "{answer}");
                    by_the_new += 1;
                }
            }
        }));
    }
    let long = "POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\nfive!";
    while answered.load(SeqCst) < 10 * CLIENTS {
        let mut wire = served.connect().await;
        wire.send(long).await;
        assert_eq!(status(&wire.answer().await.unwrap()), 413);
    }
    reload.apply(&config(5, "500000/hour")).unwrap();
    is_new.store(true, SeqCst);
    // Actix deals connections out in turn: two to each worker.
    for _ in 0..2 * WORKERS {
        let mut wire = served.connect().await;
        wire.send(long).await;
        let answer = wire.answer().await.unwrap();
        assert_eq!(status(&answer), 200, "{answer}");
        assert!(answer.ends_with("five!"), "{answer}");
    }
    for client in clients {
        client.await.unwrap();
    }
    assert_eq!(made.load(SeqCst), WORKERS);
    served.stop().await;
}
