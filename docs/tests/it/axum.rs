//! What the chapter on axum says in words and tables, beside its examples.

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use axum::{Json, Router};
use seawall_axum::{Error, Seawall, ValidJson};
use seawall_errors::{ApiError, codes};
use seawall_idempotency::{Idempotency, MemoryStore as Records, Policy, Presence};
use seawall_ratelimit::{MemoryStore, Policy as Limit, quota};
use seawall_signing::{Secret, Verifier, scheme};
use seawall_tower::{IdempotencyLayer, VerifyLayer};
use seawall_validate::Validate;
use seawall_web::request::{KeyBy, Scope};
use tower::ServiceExt;

#[derive(serde::Deserialize)]
struct Plain {
    name: String,
}

#[derive(Validate)]
struct Ruled {
    #[validate(chars(1..=10))]
    name: String,
}

fn protect(routes: Router) -> Router {
    let seawall = Seawall::builder(MemoryStore::new(16)).build().unwrap();
    seawall.protect(routes)
}

async fn ask(app: &Router, request: Request) -> (u16, String) {
    let answer = app.clone().oneshot(request).await.unwrap();
    let status = answer.status().as_u16();
    let body = to_bytes(answer.into_body(), 1 << 20).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn the_table_of_extractors_is_true() {
    let app = protect(
        Router::new()
            .route(
                "/axum",
                post(async |Json(Plain { name }): Json<Plain>| name),
            )
            .route(
                "/plain",
                post(async |body: seawall_axum::Json<Plain>| body.0.name),
            )
            .route(
                "/ruled",
                post(async |ValidJson(Ruled { name }): ValidJson<Ruled>| name),
            ),
    );
    let check = async |path: &str, kind: &str, coding: &str, body: &str, expected: (u16, &str)| {
        let request = Request::post(path)
            .header("content-type", kind)
            .header("content-encoding", coding)
            .body(Body::from(body.to_owned()))
            .unwrap();
        let (status, text) = ask(&app, request).await;
        assert_eq!(status, expected.0, "{path} {body}: {text}");
        assert!(text.contains(expected.1), "{path} {body}: {text}");
    };
    let json = "application/json";
    let none = r#""details":[]"#;
    for path in ["/axum", "/plain", "/ruled"] {
        check(
            path,
            "text/plain",
            "identity",
            "{}",
            (415, "unsupported_media_type"),
        )
        .await;
    }
    check("/axum", json, "gzip", "\u{1f}", (400, "malformed_request")).await;
    check("/axum", json, "identity", "{", (400, "malformed_request")).await;
    check("/axum", json, "identity", "[]", (422, none)).await;
    for path in ["/plain", "/ruled"] {
        check(
            path,
            json,
            "gzip",
            "\u{1f}",
            (415, "unsupported_media_type"),
        )
        .await;
        check(path, json, "identity", "{", (400, "malformed_json")).await;
        check(path, json, "identity", "{}", (422, r#""field":"name""#)).await;
    }
    let twice = r#"{"name":"a","name":"b"}"#;
    check("/axum", json, "identity", twice, (422, none)).await;
    check("/plain", json, "identity", twice, (422, "duplicate_field")).await;
    check("/ruled", json, "identity", twice, (422, "duplicate_field")).await;
}

fn hook(place: impl Fn(MethodRouter, VerifyLayer) -> MethodRouter) -> Router {
    let secret = Secret::new("It's a Secret to Everybody").unwrap();
    let verify = VerifyLayer::new(Verifier::new(scheme::github(), secret).unwrap());
    protect(Router::new().route("/hook", place(post(async || "taken"), verify)))
}

#[tokio::test]
async fn a_layer_on_a_route_guards_other_methods_too_and_a_route_layer_does_not() {
    let wrong_method = || Request::get("/hook").body(Body::empty()).unwrap();
    let layer = hook(|route, verify| route.layer(verify));
    assert_eq!(ask(&layer, wrong_method()).await.0, 401);
    let route_layer = hook(|route, verify| route.route_layer(verify));
    assert_eq!(ask(&route_layer, wrong_method()).await.0, 405);
}

async fn authenticate(request: Request, next: Next) -> Response {
    if request.headers().contains_key("authorization") {
        return next.run(request).await;
    }
    Error::from(ApiError::new(codes::UNAUTHORIZED)).into_response()
}

#[tokio::test]
async fn behind_authentication_an_unknown_path_is_told_to_known_callers_only() {
    let app = Seawall::builder(MemoryStore::new(16))
        .authenticate(from_fn(authenticate))
        .build()
        .unwrap()
        .protect(Router::new().route("/", get(async || "open")));
    let stranger = Request::get("/nothing").body(Body::empty()).unwrap();
    assert_eq!(ask(&app, stranger).await.0, 401);
    let known = Request::get("/nothing").header("authorization", "Bearer a");
    assert_eq!(ask(&app, known.body(Body::empty()).unwrap()).await.0, 404);
}

#[tokio::test]
async fn a_rule_of_a_nested_route_is_found_by_its_whole_template() {
    let app = |template: &str| {
        let once = Idempotency::new(Records::new(), Policy::at_most_once()).unwrap();
        let required = Policy::at_most_once().presence(Presence::Required);
        let required = once.with_policy(required).unwrap();
        let layer = IdempotencyLayer::new(once, Scope::single_tenant());
        let pay = post(async || "paid").route_layer(layer.route("POST", template, required));
        protect(Router::new().nest("/api", Router::new().route("/payments", pay)))
    };
    let keyless = || Request::post("/api/payments").body(Body::empty()).unwrap();
    assert_eq!(ask(&app("/api/payments"), keyless()).await.0, 400);
    assert_eq!(ask(&app("/payments"), keyless()).await.0, 200);
}

#[tokio::test]
async fn of_two_merged_routers_the_second_answers_unknown_paths() {
    let seawall = Seawall::builder(MemoryStore::new(16))
        .limit(
            Limit::new("all", quota!("0/hour")).unwrap(),
            KeyBy::everyone(),
        )
        .build()
        .unwrap();
    let open = || seawall.observe(Router::new().route("/livez", get(async || "ok")));
    let guarded = || seawall.protect(Router::new().route("/", get(async || "open")));
    let nowhere = || Request::get("/nothing").body(Body::empty()).unwrap();
    assert_eq!(ask(&open().merge(guarded()), nowhere()).await.0, 429);
    assert_eq!(ask(&guarded().merge(open()), nowhere()).await.0, 404);
}
