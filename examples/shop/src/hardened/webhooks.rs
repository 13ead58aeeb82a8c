//! Webhooks: which are let in, and what becomes of them.

use std::error::Error;

use seawall_axum::{Json, Verified};
use seawall_signing::{Secret, Tolerance, Verifier, scheme};
use serde_json::{Value, json};

use crate::config::Config;
use crate::state::AppState;
use crate::store::Stores;

/// What a payment provider sends: `X-Signature`, the body's HMAC-SHA256 in lower-case hex.
///
/// It signs no time, so a message can be sent again; that is all such a provider offers.
pub(super) fn payment(state: &AppState) -> Result<Verifier, Box<dyn Error>> {
    let config = &state.config;
    let verifier = Verifier::builder(scheme::plain("x-signature"), secret(config)?);
    let verifier = verifier
        .observer(state.telemetry.observer())
        .max_body(max_body(config));
    Ok(verifier.build()?)
}

/// What our own services send: everything is signed, and nothing is taken twice.
pub(super) fn signed(state: &AppState, stores: &Stores) -> Result<Verifier, Box<dyn Error>> {
    let config = &state.config;
    let webhooks = &config.webhooks;
    let tolerance = Tolerance::new(webhooks.oldest.get(), webhooks.ahead.get());
    let verifier = Verifier::builder(scheme::Native::new(), secret(config)?)
        .namespace(stores.namespace.as_str())
        .observer(state.telemetry.observer())
        .tolerance(tolerance)
        .replay(stores.nonces.clone())
        .max_body(max_body(config));
    Ok(verifier.build()?)
}

/// The shop only says that a message has arrived. It need not be JSON, nor even text.
pub(super) async fn received(_: Verified) -> Json<Value> {
    Json(json!({"received": true}))
}

fn secret(config: &Config) -> Result<Secret, Box<dyn Error>> {
    let secret = Secret::new(config.webhook_secret.expose());
    secret.map_err(|error| format!("webhook_secret: {error}").into())
}

fn max_body(config: &Config) -> usize {
    usize::try_from(config.body_limit).unwrap_or(usize::MAX)
}
