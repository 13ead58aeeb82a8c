//! Each layer on its own, and what they are together.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::middleware::{Next, from_fn};
use actix_web::test::{TestRequest, init_service};
use actix_web::{App, HttpMessage, HttpRequest, HttpResponse, web};
use seawall_actix::request_id::ClientRequestId;
use seawall_actix::{
    AuthenticateLayer, BodyLimitLayer, DeadlineLayer, ErrorsLayer, HttpHead, IdempotencyLayer,
    RequestIdLayer, Seawall, TraceLayer,
};
use seawall_errors::{ApiError, RequestId, ResultExt, codes};
use seawall_idempotency::{Idempotency, Policy as Once};
use seawall_ratelimit::{MemoryStore, Policy, quota};
use seawall_web::Origin;
use seawall_web::request::{ClientIp, ForwardedHeader, KeyBy, Principal, RequestHead, Scope};

use crate::support::{Log, get, post, send};

const OURS: &str = "10.0.0.1:4000";

fn from(request: TestRequest, peer: &str) -> TestRequest {
    request.peer_addr(peer.parse().unwrap())
}

async fn ids(request: HttpRequest) -> String {
    let extensions = request.extensions();
    let own = extensions.get::<RequestId>().unwrap();
    let sent = extensions.get::<ClientRequestId>();
    format!("{own} {}", sent.map_or("-", |sent| sent.as_str()))
}

#[actix_web::test]
async fn only_a_trusted_peer_chooses_the_id() {
    let trusting = RequestIdLayer::trusting(["10.0.0.0/8"]).unwrap();
    let app = App::new().wrap(trusting).route("/", web::get().to(ids));
    let app = init_service(app).await;
    let ask = || get("/").insert_header(("x-request-id", "from-the-gateway"));

    let ours = send(&app, from(ask(), OURS)).await;
    assert_eq!(ours.body, "from-the-gateway -");
    assert_eq!(ours.header("x-request-id"), "from-the-gateway");
    let stranger = send(&app, from(ask(), "203.0.113.9:4000")).await;
    assert!(stranger.body.starts_with("req_"), "{}", stranger.body);
    assert!(stranger.body.ends_with(" from-the-gateway"));
    let id = stranger.body.split(' ').next().unwrap();
    assert_eq!(stranger.header("x-request-id"), id);
}

/// Fails before the request has reached anybody, and has given it away.
async fn refuse<B>(
    _request: ServiceRequest,
    _next: Next<B>,
) -> Result<ServiceResponse<B>, actix_web::Error> {
    let broken = std::io::Error::other("SELECT secret");
    Err(actix_web::error::ErrorBadGateway(broken))
}

#[actix_web::test]
async fn what_fails_on_the_way_is_an_answer_like_any_other() {
    let log = Log::default();
    let _logging = log.start();
    let app = App::new()
        .wrap(from_fn(refuse::<_>))
        .wrap(ErrorsLayer::new())
        .wrap(TraceLayer::new())
        .wrap(RequestIdLayer::new())
        .route("/things/{id}", web::get().to(|| async { "ok" }));
    let app = init_service(app).await;
    let problem = get("/things/7").insert_header(("accept", "application/problem+json"));
    let answer = send(&app, problem).await;

    assert_eq!(answer.status, StatusCode::BAD_GATEWAY);
    assert_eq!(answer.header("content-type"), "application/problem+json");
    assert_eq!(answer.header("cache-control"), "no-store");
    let id = answer.header("x-request-id").to_owned();
    assert_eq!(answer.json()["request_id"], *id);
    assert!(!answer.body.contains("secret"), "{}", answer.body);
    let log = log.text();
    assert!(log.contains("SELECT secret") && log.contains(&id), "{log}");
    assert!(log.contains("/things/{id}"), "{log}");
    assert_eq!(log.matches("request failed").count(), 1, "{log}");
}

#[actix_web::test]
async fn an_error_says_why_to_the_log_alone() {
    let log = Log::default();
    let _logging = log.start();
    async fn stock() -> seawall_actix::Result<&'static str> {
        Err(std::io::Error::other("10.0.0.7 refused")).internal()?;
        Ok("")
    }
    let app = App::new()
        .wrap(ErrorsLayer::new())
        .route("/stock/{id}", web::get().to(stock));
    let app = init_service(app).await;
    let answer = send(&app, get("/stock/7")).await;
    assert_eq!(
        (answer.status.as_u16(), &*answer.code()),
        (500, "internal_error")
    );
    // No layer outside sends the id, so this one does.
    assert_eq!(answer.json()["request_id"], *answer.header("x-request-id"));
    assert!(!answer.body.contains("10.0.0.7"));
    let log = log.text();
    assert!(log.contains("10.0.0.7 refused"), "{log}");
    assert!(log.contains("/stock/{id}"), "{log}");
}

#[actix_web::test]
async fn the_errors_of_actix_say_nothing_of_the_code() {
    #[derive(serde::Deserialize)]
    struct Secret {
        #[expect(dead_code, reason = "never read")]
        inner_field: u32,
    }
    let app = App::new().wrap(ErrorsLayer::new()).service(
        web::resource("/things")
            .post(|_: web::Json<Secret>| async { "ok" })
            .get(|_: web::Query<Secret>| async { "ok" }),
    );
    let app = init_service(app).await;
    let json = send(&app, post("/things", "application/json", "{}")).await;
    let query = send(&app, get("/things?inner_field=x")).await;
    let media = send(&app, post("/things", "text/plain", "{}")).await;
    for answer in [json, query, media] {
        assert!(answer.status.is_client_error());
        assert!(!answer.body.contains("inner_field"), "{}", answer.body);
        assert!(!answer.code().is_empty());
    }
}

#[actix_web::test]
async fn without_the_errors_layer_an_error_is_whole() {
    async fn fails() -> seawall_actix::Result<&'static str> {
        Err(ApiError::new(codes::CONFLICT).into())
    }
    let app = init_service(App::new().route("/", web::get().to(fails))).await;
    let answer = send(&app, get("/")).await;
    assert_eq!((answer.status.as_u16(), &*answer.code()), (409, "conflict"));
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
}

#[actix_web::test]
async fn a_panic_in_a_middleware_is_a_500() {
    async fn trips<B>(
        _request: ServiceRequest,
        _next: Next<B>,
    ) -> Result<ServiceResponse<B>, actix_web::Error> {
        panic!("at the disco")
    }
    let app = App::new()
        .wrap(from_fn(trips::<_>))
        .wrap(ErrorsLayer::new())
        .route("/", web::get().to(|| async { "ok" }));
    let app = init_service(app).await;
    assert_eq!(send(&app, get("/")).await.code(), "internal_error");
}

#[actix_web::test]
async fn a_trusted_caller_has_the_time_that_it_asks_for() {
    let ours = ClientIp::behind(["10.0.0.0/8"], ForwardedHeader::XForwardedFor).unwrap();
    let bounded = DeadlineLayer::new(Duration::from_secs(60)).budgets_from(ours);
    async fn left() -> String {
        let left = seawall_timeout::current().unwrap().limit();
        left.as_millis().to_string()
    }
    let app = App::new().wrap(bounded).route("/", web::get().to(left));
    let app = init_service(app).await;
    let ask = |millis: &str| get("/").insert_header(("x-request-timeout-ms", millis.to_owned()));
    assert_eq!(send(&app, from(ask("1500"), OURS)).await.body, "1500");
    assert_eq!(send(&app, from(ask("90000"), OURS)).await.body, "60000");
    let stranger = from(ask("1500"), "203.0.113.9:4000");
    assert_eq!(send(&app, stranger).await.body, "60000");
    let spent = send(&app, from(ask("0"), OURS)).await;
    assert_eq!(
        (spent.status.as_u16(), &*spent.code()),
        (504, "deadline_exceeded")
    );
}

#[actix_web::test]
async fn a_handler_works_on_behalf_of_its_request() {
    async fn trace(request: HttpRequest) -> String {
        tokio::task::yield_now().await;
        let origin = Origin::current().unwrap();
        let own = request.extensions().get::<RequestId>().cloned();
        assert_eq!(origin.request_id(), own.as_ref());
        format!("{:032x}", origin.trace().unwrap().parent().trace_id())
    }
    let app = App::new()
        .wrap(TraceLayer::new())
        .wrap(RequestIdLayer::new())
        .route("/", web::get().to(trace));
    let app = init_service(app).await;
    let id = "0af7651916cd43dd8448eb211c80319c";
    let parent = format!("00-{id}-b7ad6b7169203331-01");
    let continued = send(&app, get("/").insert_header(("traceparent", parent))).await;
    assert_eq!(continued.body, id);
    assert_ne!(send(&app, get("/")).await.body, id);
    assert!(Origin::current().is_none());
}

#[actix_web::test]
async fn a_body_is_cut_off_whoever_reads_it() {
    let app = App::new()
        .wrap(BodyLimitLayer::new(4))
        .route("/", web::post().to(|body: web::Bytes| async move { body }));
    let app = init_service(app).await;
    let fits = send(&app, post("/", "text/plain", "1234")).await;
    assert_eq!((fits.status.as_u16(), &*fits.body), (200, "1234"));
    let large = send(&app, post("/", "text/plain", "12345")).await;
    assert_eq!(
        (large.status.as_u16(), &*large.code()),
        (413, "payload_too_large")
    );
}

#[actix_web::test]
async fn a_layer_around_routing_knows_the_route_and_its_parameters() {
    let seen = Rc::new(RefCell::new(Vec::new()));
    let look = {
        let seen = Rc::clone(&seen);
        move |request: ServiceRequest| {
            let head = HttpHead::of(&request);
            seen.borrow_mut().push((
                head.route().map(str::to_owned),
                head.path_param("id").map(|id| id.into_owned()),
            ));
            drop(head);
            std::future::ready(Ok::<_, seawall_actix::Error>(request))
        }
    };
    let app = App::new()
        .wrap(AuthenticateLayer::new(look.clone()))
        .service(
            web::scope("/api")
                .wrap(AuthenticateLayer::new(look.clone()))
                .service(
                    web::resource("/things/{id}")
                        .wrap(AuthenticateLayer::new(look))
                        .get(|| async { "ok" }),
                ),
        );
    let app = init_service(app).await;
    send(&app, get("/api/things/a%2Fb%20c")).await;
    let known = (
        Some("/api/things/{id}".to_owned()),
        Some("a/b c".to_owned()),
    );
    assert_eq!(*seen.borrow(), vec![known; 3]);
}

async fn ada(request: ServiceRequest) -> seawall_actix::Result<ServiceRequest> {
    let Some(name) = request.headers().get("x-name") else {
        return Err(ApiError::new(codes::UNAUTHORIZED).into());
    };
    let name = name.to_str().unwrap().to_owned();
    request.extensions_mut().insert(Principal::new(name));
    Ok(request)
}

#[actix_web::test]
async fn limits_stand_on_both_sides_of_authentication() {
    let seawall = Seawall::builder(MemoryStore::new(64))
        .limit(
            Policy::new("address", quota!("3/hour")).unwrap(),
            KeyBy::address(ClientIp::peer()),
        )
        .authenticate(ada)
        .limit_after_authentication(
            Policy::new("user", quota!("1/hour")).unwrap(),
            KeyBy::principal(),
        )
        .build()
        .unwrap();
    let routes = web::scope("").route("/", web::get().to(|| async { "ok" }));
    let app = init_service(App::new().service(seawall.protect(routes))).await;
    let ask = |name: &'static str| from(get("/").insert_header(("x-name", name)), OURS);
    assert_eq!(send(&app, ask("ada")).await.status, 200);
    assert_eq!(
        send(&app, ask("ada")).await.status,
        429,
        "the user's own limit"
    );
    assert_eq!(send(&app, from(get("/"), OURS)).await.status, 401);
    let spent = send(&app, ask("bob")).await;
    assert_eq!(spent.status, 429, "the address has spent its three");
    assert_eq!(spent.code(), "rate_limited");
}

#[actix_web::test]
async fn a_key_holds_for_the_caller_who_was_authenticated() {
    let done = Arc::new(AtomicUsize::new(0));
    let once = Idempotency::new(
        seawall_idempotency::MemoryStore::new(),
        Once::at_most_once(),
    );
    let seawall = Seawall::builder(MemoryStore::new(64))
        .authenticate(ada)
        .idempotency(IdempotencyLayer::new(once.unwrap(), Scope::principal()))
        .build()
        .unwrap();
    let pay = {
        let done = Arc::clone(&done);
        move || {
            let nth = done.fetch_add(1, SeqCst) + 1;
            async move { format!("payment {nth}") }
        }
    };
    let routes = web::scope("").route("/payments", web::post().to(pay));
    let app = init_service(App::new().service(seawall.protect(routes))).await;
    let ask = |name: &'static str| {
        post("/payments", "application/json", "{}")
            .insert_header(("x-name", name))
            .insert_header(("idempotency-key", "k-1"))
    };
    assert_eq!(send(&app, ask("ada")).await.body, "payment 1");
    let again = send(&app, ask("ada")).await;
    assert_eq!(
        (&*again.body, again.header("idempotent-replayed")),
        ("payment 1", "true")
    );
    assert_eq!(send(&app, ask("bob")).await.body, "payment 2");
    assert_eq!(done.load(SeqCst), 2);
}

#[actix_web::test]
async fn it_can_be_put_around_a_whole_app_and_beside_probes() {
    let seawall = Seawall::builder(MemoryStore::new(64)).build().unwrap();
    let app = App::new()
        .wrap(seawall.clone())
        .route("/", web::get().to(|| async { "ok" }));
    let app = init_service(app).await;
    assert!(!send(&app, get("/")).await.header("x-request-id").is_empty());
    assert_eq!(send(&app, get("/missing")).await.code(), "not_found");
}

/// A handler that answers before it has read anything of the body leaves the request's parts alone:
/// keeping a clone of the request across the call would have routing panic.
#[actix_web::test]
async fn every_layer_leaves_the_request_to_routing() {
    fn app() -> HttpResponse {
        HttpResponse::Ok().body("ok")
    }
    let seawall = Seawall::builder(MemoryStore::new(64))
        .limit(
            Policy::new("thing", quota!("9/hour")).unwrap(),
            KeyBy::path_param("id"),
        )
        .authenticate(ada)
        .build()
        .unwrap();
    let nested = web::scope("/a/{id}")
        .app_data(web::Data::new(1_u8))
        .service(web::scope("/b").route("/c", web::post().to(|| async { app() })));
    let app = App::new()
        .wrap(seawall)
        .app_data(web::Data::new(2_u8))
        .service(nested);
    let app = init_service(app).await;
    for _ in 0..3 {
        let ask = post("/a/7/b/c", "text/plain", "body").insert_header(("x-name", "ada"));
        let answer = send(&app, ask).await;
        assert_eq!((answer.status.as_u16(), &*answer.body), (200, "ok"));
    }
}
