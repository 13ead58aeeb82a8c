//! `POST /api/payments`: once for each key, whatever happens in between.

use std::error::Error;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use seawall_axum::{Claimed, Json, Result, ValidJson};
use seawall_idempotency::{BoxStore, Idempotency, Policy, Presence};
use seawall_tower::IdempotencyLayer;
use seawall_web::request::Scope;

use super::requests::Pay;
use crate::domain::{NewPayment, Payment};
use crate::ledger::Ledger;
use crate::state::AppState;
use crate::store::Stores;

/// For every route that changes something, and a stricter rule for payments.
///
/// What the shop does elsewhere has its effect at once and outside, so it is not done again after an
/// outcome that nobody knows. A charge is in the ledger once or not at all, so it is tried again.
pub(super) fn fronts(
    state: &AppState,
    stores: &Stores,
) -> std::result::Result<[Idempotency<BoxStore>; 2], Box<dyn Error>> {
    let config = &state.config;
    let keep_for = config.idempotency.keep_for.get();
    let lease = config.idempotency.lease.get();
    let within = |policy: Policy| policy.retention(keep_for).lease(lease);
    let front = Idempotency::builder(stores.records.clone(), within(Policy::at_most_once()))
        .namespace(&*stores.namespace)
        .observer(state.telemetry.observer())
        .build()?;
    let payments = within(Policy::at_least_once()).presence(Presence::Required);
    let payments = front.with_policy(payments)?;
    Ok([front, payments])
}

/// The rules as a layer. Without a token one is nobody, and all nobodies are one.
pub(super) fn once([front, payments]: [Idempotency<BoxStore>; 2]) -> IdempotencyLayer<BoxStore> {
    IdempotencyLayer::new(front, Scope::principal_or_anonymous()).route(
        "POST",
        "/api/payments",
        payments,
    )
}

pub(super) async fn pay(
    State(state): State<AppState>,
    Extension(ledger): Extension<Ledger>,
    claim: Claimed,
    ValidJson(body): ValidJson<Pay>,
) -> Result<(StatusCode, Json<Payment>)> {
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
    let payment = ledger
        .charge(state.shop.clone(), new, claim.into_inner())
        .await?;
    Ok((StatusCode::CREATED, Json(payment)))
}
