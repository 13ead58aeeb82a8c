//! The routes: what they take, and what they answer when all is well.

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use seawall_axum::{Json, Path, Query, Result};
use seawall_errors::{ApiError, Detail, codes};
use seawall_web::request::Principal;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Guarded;
use crate::domain::{Build, Email, NewUser, Sent, User};
use crate::state::AppState;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateUser {
    email: String,
    name: String,
    age: Option<u8>,
}

pub(super) async fn create_user(
    State(Guarded { app, database }): State<Guarded>,
    Json(body): Json<CreateUser>,
) -> Result<(StatusCode, Json<User>)> {
    let CreateUser { email, name, age } = body;
    let user = database
        .query(|| app.shop.create_user(NewUser { email, name, age }))
        .await?;
    Ok((StatusCode::CREATED, Json(user)))
}

pub(super) async fn user(
    State(Guarded { app, database }): State<Guarded>,
    Path(user_id): Path<u64>,
) -> Result<Json<User>> {
    Ok(Json(database.query(|| app.shop.user(user_id)).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SearchQuery {
    q: String,
}

pub(super) async fn search(
    State(state): State<AppState>,
    Query(query): Query<SearchQuery>,
) -> Result<Json<Value>> {
    let length = query.q.chars().count();
    if !(1..=200).contains(&length) {
        let detail = Detail::new("length", "must be 1 to 200 characters long").field("q");
        return Err(ApiError::new(codes::VALIDATION_ERROR).detail(detail).into());
    }
    let results = state.shop.search(&query.q).await?;
    Ok(Json(json!({"query": query.q, "results": results})))
}

pub(super) async fn expensive_operation(State(state): State<AppState>) -> Json<Value> {
    Json(json!({"digest": state.shop.expensive_operation().await}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SendEmail {
    to: String,
    subject: String,
    body: String,
}

pub(super) async fn send_email(
    State(state): State<AppState>,
    Extension(user): Extension<Principal>,
    Json(email): Json<SendEmail>,
) -> Result<(StatusCode, Json<Sent>)> {
    let SendEmail { to, subject, body } = email;
    let sent = state
        .shop
        .send_email(user.as_str(), Email { to, subject, body })
        .await?;
    Ok((StatusCode::ACCEPTED, Json(sent)))
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StartBuild {
    r#ref: Option<String>,
}

pub(super) async fn start_build(
    State(state): State<AppState>,
    Path(project): Path<String>,
    Json(build): Json<StartBuild>,
) -> Result<(StatusCode, Json<Build>)> {
    Ok((
        StatusCode::CREATED,
        Json(state.shop.start_build(&project, build.r#ref.as_deref())),
    ))
}
