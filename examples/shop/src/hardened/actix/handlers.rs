//! The routes: what they take, and what they answer when all is well.

use actix_web::http::StatusCode;
use actix_web::web::{Data, ReqData};
use seawall_actix::{Claimed, Json, Partial, Result, ValidJson, ValidPath, ValidQuery, Verified};
use seawall_web::request::Principal;
use serde_json::{Value, json};

use crate::domain::{Build, Email, NewPayment, NewUser, Payment, Sent, User};
use crate::hardened::Guarded;
use crate::hardened::dashboard::{self, Dashboard};
use crate::hardened::requests::{
    CreateUser, Pay, ProjectPath, SearchQuery, SendEmail, StartBuild, UserPath,
};
use crate::ledger::Ledger;
use crate::state::AppState;

pub(super) async fn create_user(
    guarded: Data<Guarded>,
    ValidJson(body): ValidJson<CreateUser>,
) -> Result<(Json<User>, StatusCode)> {
    let CreateUser { email, name, age } = body;
    let Guarded { app, database, .. } = &**guarded;
    let user = database
        .query(|| app.shop.create_user(NewUser { email, name, age }))
        .await?;
    Ok((Json(user), StatusCode::CREATED))
}

pub(super) async fn user(
    guarded: Data<Guarded>,
    ValidPath(UserPath { user_id }): ValidPath<UserPath>,
) -> Result<Json<User>> {
    let Guarded { app, database, .. } = &**guarded;
    Ok(Json(database.query(|| app.shop.user(user_id)).await?))
}

pub(super) async fn search(
    guarded: Data<Guarded>,
    ValidQuery(query): ValidQuery<SearchQuery>,
) -> Result<Json<Value>> {
    let results = match &guarded.index {
        Some(index) => json!(index.search(&query.q).await?),
        None => json!(guarded.app.shop.search(&query.q).await?),
    };
    Ok(Json(json!({"query": query.q, "results": results})))
}

pub(super) async fn expensive_operation(state: Data<AppState>) -> Json<Value> {
    Json(json!({"digest": state.shop.expensive_operation().await}))
}

pub(super) async fn send_email(
    state: Data<AppState>,
    user: ReqData<Principal>,
    ValidJson(email): ValidJson<SendEmail>,
) -> Result<(Json<Sent>, StatusCode)> {
    let SendEmail { to, subject, body } = email;
    let sent = state
        .shop
        .send_email(user.as_str(), Email { to, subject, body })
        .await?;
    Ok((Json(sent), StatusCode::ACCEPTED))
}

pub(super) async fn start_build(
    state: Data<AppState>,
    ValidPath(ProjectPath { project_id }): ValidPath<ProjectPath>,
    ValidJson(build): ValidJson<StartBuild>,
) -> (Json<Build>, StatusCode) {
    let build = state.shop.start_build(&project_id, build.r#ref.as_deref());
    (Json(build), StatusCode::CREATED)
}

pub(super) async fn pay(
    state: Data<AppState>,
    ledger: Data<Ledger>,
    claim: Claimed,
    ValidJson(body): ValidJson<Pay>,
) -> Result<(Json<Payment>, StatusCode)> {
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
    let shop = state.shop.clone();
    let payment = ledger.charge(shop, new, claim.into_inner()).await?;
    Ok((Json(payment), StatusCode::CREATED))
}

pub(super) async fn dashboard(state: Data<AppState>) -> Result<Partial<Dashboard>> {
    Ok(dashboard::page(&state).await?.into())
}

/// The shop only says that a message has arrived. It need not be JSON, nor even text.
pub(super) async fn received(_: Verified) -> Json<Value> {
    Json(json!({"received": true}))
}
