//! The routes: what they take, and what they answer when all is well.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use seawall_axum::{Json, Result, ValidJson, ValidPath, ValidQuery};
use seawall_web::request::Principal;
use serde_json::{Value, json};

use super::Guarded;
use super::requests::{CreateUser, ProjectPath, SearchQuery, SendEmail, StartBuild, UserPath};
use crate::domain::{Build, Email, NewUser, Sent, User};
use crate::state::AppState;

pub(super) async fn create_user(
    State(guarded): State<Arc<Guarded>>,
    ValidJson(body): ValidJson<CreateUser>,
) -> Result<(StatusCode, Json<User>)> {
    let Guarded { app, database, .. } = &*guarded;
    let CreateUser { email, name, age } = body;
    let user = database
        .query(|| app.shop.create_user(NewUser { email, name, age }))
        .await?;
    Ok((StatusCode::CREATED, Json(user)))
}

pub(super) async fn user(
    State(guarded): State<Arc<Guarded>>,
    ValidPath(UserPath { user_id }): ValidPath<UserPath>,
) -> Result<Json<User>> {
    let Guarded { app, database, .. } = &*guarded;
    Ok(Json(database.query(|| app.shop.user(user_id)).await?))
}

pub(super) async fn search(
    State(guarded): State<Arc<Guarded>>,
    ValidQuery(query): ValidQuery<SearchQuery>,
) -> Result<Json<Value>> {
    let Guarded { app, index, .. } = &*guarded;
    let results = match index {
        Some(index) => json!(index.search(&query.q).await?),
        None => json!(app.shop.search(&query.q).await?),
    };
    Ok(Json(json!({"query": query.q, "results": results})))
}

pub(super) async fn expensive_operation(State(state): State<AppState>) -> Json<Value> {
    Json(json!({"digest": state.shop.expensive_operation().await}))
}

pub(super) async fn send_email(
    State(state): State<AppState>,
    Extension(user): Extension<Principal>,
    ValidJson(email): ValidJson<SendEmail>,
) -> Result<(StatusCode, Json<Sent>)> {
    let SendEmail { to, subject, body } = email;
    let sent = state
        .shop
        .send_email(user.as_str(), Email { to, subject, body })
        .await?;
    Ok((StatusCode::ACCEPTED, Json(sent)))
}

pub(super) async fn start_build(
    State(state): State<AppState>,
    ValidPath(ProjectPath { project_id }): ValidPath<ProjectPath>,
    ValidJson(build): ValidJson<StartBuild>,
) -> Result<(StatusCode, Json<Build>)> {
    Ok((
        StatusCode::CREATED,
        Json(state.shop.start_build(&project_id, build.r#ref.as_deref())),
    ))
}
