//! The routes, as short as they can be written.

use std::collections::HashMap;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::{Extension, Json};
use parking_lot::Mutex;
use serde::Deserialize;
use serde_json::{Value, json};

use super::failure::Failure;
use crate::domain::{Build, Email, NewPayment, NewUser, Payment, Sent, User, signature_of};
use crate::ledger::Ledger;
use crate::state::AppState;

#[derive(Deserialize)]
pub(super) struct CreateUser {
    email: String,
    name: String,
    age: Option<u8>,
}

pub(super) async fn create_user(
    State(state): State<AppState>,
    Json(body): Json<CreateUser>,
) -> Result<(StatusCode, Json<User>), Failure> {
    let CreateUser { email, name, age } = body;
    let user = state.shop.create_user(NewUser { email, name, age }).await?;
    Ok((StatusCode::CREATED, Json(user)))
}

pub(super) async fn user(
    State(state): State<AppState>,
    Path(user_id): Path<u64>,
) -> Result<Json<User>, Failure> {
    Ok(Json(state.shop.user(user_id).await?))
}

#[derive(Deserialize)]
pub(super) struct SearchQuery {
    q: String,
}

pub(super) async fn search(
    State(state): State<AppState>,
    Query(query): Query<SearchQuery>,
) -> Result<Json<Value>, Failure> {
    let results = match &state.index {
        Some(index) => json!(index.search(&query.q).await?),
        None => json!(state.shop.search(&query.q).await?),
    };
    Ok(Json(json!({"query": query.q, "results": results})))
}

pub(super) async fn expensive_operation(State(state): State<AppState>) -> Json<Value> {
    Json(json!({"digest": state.shop.expensive_operation().await}))
}

#[derive(Deserialize)]
pub(super) struct SendEmail {
    to: String,
    subject: String,
    body: String,
}

pub(super) async fn send_email(
    State(state): State<AppState>,
    headers: HeaderMap,
    Json(email): Json<SendEmail>,
) -> Result<(StatusCode, Json<Sent>), (StatusCode, String)> {
    let token = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "))
        .unwrap_or_default();
    let Some(user) = state.config.user_of(token) else {
        return Err((StatusCode::UNAUTHORIZED, format!("unknown token {token:?}")));
    };
    let SendEmail { to, subject, body } = email;
    match state
        .shop
        .send_email(user, Email { to, subject, body })
        .await
    {
        Ok(sent) => Ok((StatusCode::ACCEPTED, Json(sent))),
        Err(error) => Err((StatusCode::INTERNAL_SERVER_ERROR, format!("{error:?}"))),
    }
}

#[derive(Default, Deserialize)]
pub(super) struct StartBuild {
    r#ref: Option<String>,
}

pub(super) async fn start_build(
    State(state): State<AppState>,
    Path(project): Path<String>,
    body: Option<Json<StartBuild>>,
) -> (StatusCode, Json<Build>) {
    let branch = body.and_then(|Json(build)| build.r#ref);
    (
        StatusCode::CREATED,
        Json(state.shop.start_build(&project, branch.as_deref())),
    )
}

#[derive(Deserialize)]
pub(super) struct Pay {
    amount: u64,
    currency: String,
    customer: String,
}

/// The answers that were given, by key: the way it stands in many tutorials. Two requests that come
/// at once both find nothing.
#[derive(Clone, Default)]
pub(super) struct Paid(Arc<Mutex<HashMap<String, Payment>>>);

pub(super) async fn pay(
    State(state): State<AppState>,
    Extension(ledger): Extension<Ledger>,
    Extension(paid): Extension<Paid>,
    headers: HeaderMap,
    Json(body): Json<Pay>,
) -> Result<(StatusCode, Json<Payment>), Failure> {
    let key = headers.get("idempotency-key");
    let key = key.and_then(|key| key.to_str().ok());
    let before = key.and_then(|key| paid.0.lock().get(key).cloned());
    if let Some(payment) = before {
        return Ok((StatusCode::CREATED, Json(payment)));
    }
    let Pay {
        amount,
        currency,
        customer,
    } = body;
    state.shop.authorize().await?;
    let new = NewPayment {
        amount,
        currency,
        customer,
    };
    let payment = ledger.charge_again(state.shop.clone(), new).await?;
    if let Some(key) = key {
        paid.0.lock().insert(key.to_owned(), payment.clone());
    }
    Ok((StatusCode::CREATED, Json(payment)))
}

pub(super) async fn webhook(
    State(state): State<AppState>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Value>, (StatusCode, String)> {
    let expected = signature_of(state.config.webhook_secret.expose(), &body);
    let given = headers
        .get("x-signature")
        .and_then(|value| value.to_str().ok());
    if given == Some(expected.as_str()) {
        return Ok(Json(json!({"received": true})));
    }
    Err((StatusCode::UNAUTHORIZED, format!("bad signature {given:?}")))
}

pub(super) async fn dashboard(State(state): State<AppState>) -> Result<Json<Value>, Failure> {
    let user = state.shop.profile().await?;
    let notifications = state.shop.notifications().await?;
    let recommendations = state.shop.recommendations().await?;
    Ok(Json(json!({
        "data": {"user": user, "notifications": notifications, "recommendations": recommendations},
        "partial": false,
        "errors": [],
    })))
}

pub(super) async fn alive() -> &'static str {
    "ok"
}
