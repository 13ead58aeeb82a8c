//! The shop with no Seawall at all: what most teams ship.
//!
//! Nothing here is a straw man. The framework's own extractors, its own rejections, a 500 that
//! prints the error "for debugging", a catch-panic so that one bad request does not cut the
//! connection, the body limit lifted because somebody once could not upload a catalogue.

mod failure;
mod routes;

use axum::Extension;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use axum::routing::{get, post};

use crate::ledger::Ledger;
use crate::state::AppState;

/// Every route of the shop, unguarded.
pub fn router(state: AppState, ledger: Ledger) -> Router {
    Router::new()
        .route("/api/users", post(routes::create_user))
        .route("/api/users/{user_id}", get(routes::user))
        .route("/api/search", get(routes::search))
        .route(
            "/api/expensive-operation",
            post(routes::expensive_operation),
        )
        .route("/api/send-email", post(routes::send_email))
        .route(
            "/api/projects/{project_id}/builds",
            post(routes::start_build),
        )
        .route("/api/payments", post(routes::pay))
        .route("/api/webhooks/signed", post(routes::webhook))
        .route("/api/webhooks/payment", post(routes::webhook))
        .route("/api/dashboard", get(routes::dashboard))
        .route("/livez", get(routes::alive))
        .route("/readyz", get(routes::alive))
        .route("/startupz", get(routes::alive))
        .route("/health", get(routes::alive))
        .layer(Extension(ledger))
        .layer(Extension(routes::Paid::default()))
        .layer(DefaultBodyLimit::disable())
        .layer(middleware::from_fn(failure::echo_panics))
        .with_state(state)
}
