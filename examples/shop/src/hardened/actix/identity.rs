//! Who the caller is: a bearer token, looked up.

use std::future::{Ready, ready};

use actix_web::HttpMessage;
use actix_web::dev::ServiceRequest;
use actix_web::http::header;
use seawall_actix::Error;
use seawall_errors::{ApiError, codes};
use seawall_web::request::Principal;

use crate::state::AppState;

type Checked = Ready<Result<ServiceRequest, Error>>;

/// As [`authenticate`], but callers who show no token at all pass, as nobody.
pub(super) fn identify(state: AppState) -> impl Fn(ServiceRequest) -> Checked + Clone {
    let authenticate = authenticate(state);
    move |request| {
        if request.headers().contains_key(header::AUTHORIZATION) {
            return authenticate(request);
        }
        ready(Ok(request))
    }
}

/// Refuses callers without a known token, and tells the layers below who the others are.
pub(super) fn authenticate(state: AppState) -> impl Fn(ServiceRequest) -> Checked + Clone {
    move |request| {
        let token = request
            .headers()
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Bearer "));
        let Some(user) = token.and_then(|token| state.config.user_of(token)) else {
            let refusal = ApiError::new(codes::UNAUTHORIZED).header("www-authenticate", "Bearer");
            return ready(Err(refusal.not_executed().into()));
        };
        let principal = Principal::new(user);
        request.extensions_mut().insert(principal);
        ready(Ok(request))
    }
}
