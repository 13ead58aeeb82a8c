//! Who the caller is: a bearer token, looked up.

use axum::extract::{Request, State};
use axum::http::header;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use seawall_axum::Error;
use seawall_errors::{ApiError, codes};
use seawall_web::request::Principal;

use crate::state::AppState;

/// As [`authenticate`], but callers who show no token at all pass, as nobody.
pub(super) async fn identify(state: State<AppState>, request: Request, next: Next) -> Response {
    if request.headers().contains_key(header::AUTHORIZATION) {
        return authenticate(state, request, next).await;
    }
    next.run(request).await
}

/// Refuses callers without a known token, and tells the layers below who the others are.
pub(super) async fn authenticate(
    State(state): State<AppState>,
    mut request: Request,
    next: Next,
) -> Response {
    let token = request
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "));
    let Some(user) = token.and_then(|token| state.config.user_of(token)) else {
        let refusal = ApiError::new(codes::UNAUTHORIZED).header("www-authenticate", "Bearer");
        return Error::from(refusal.not_executed()).into_response();
    };
    let principal = Principal::new(user);
    request.extensions_mut().insert(principal);
    next.run(request).await
}
