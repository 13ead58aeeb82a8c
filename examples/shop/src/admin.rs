//! The admin listener: break dependencies, read the ledger and the counters, start the drain.
//!
//! It listens on loopback only, and a browser can be talked into asking loopback for a page of a
//! stranger (DNS rebinding); so the `Host` header has to name loopback as well.

use std::fmt::Write;
use std::net::IpAddr;

use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Extension, Json, Router};
use serde::Deserialize;
use serde_json::json;

use crate::domain::{Component, Fault};
use crate::ledger::Ledger;
use crate::state::AppState;

/// The routes of the admin listener.
pub(crate) fn router(state: AppState, ledger: Ledger) -> Router {
    Router::new()
        .route("/faults/{component}", put(set_fault))
        .route("/ledger", get(charges))
        .route("/metrics", get(metrics))
        .route("/drain", post(drain))
        .layer(middleware::from_fn(loopback_host_only))
        .layer(Extension(ledger))
        .with_state(state)
}

async fn set_fault(
    State(state): State<AppState>,
    Path(component): Path<String>,
    fault: Result<Json<Fault>, JsonRejection>,
) -> Response {
    let component: Component = match component.parse() {
        Ok(component) => component,
        Err(unknown) => {
            return refusal(
                StatusCode::NOT_FOUND,
                &format!("component {component}: {unknown}"),
            );
        }
    };
    match fault {
        Ok(Json(fault)) => {
            state.shop.components().set(component, fault);
            StatusCode::NO_CONTENT.into_response()
        }
        Err(rejection) => refusal(rejection.status(), &rejection.body_text()),
    }
}

/// The query of `GET /ledger`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct After {
    /// The number of a charge: those after it are told, all unless given.
    after: u32,
}

async fn charges(
    Extension(ledger): Extension<Ledger>,
    Query(After { after }): Query<After>,
) -> Response {
    match ledger.charges(after).await {
        Ok(charges) => Json(charges).into_response(),
        Err(error) => refusal(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}

async fn metrics(State(state): State<AppState>) -> Response {
    let components = state.shop.components();
    let mut text = String::new();
    let mut family = |name: &str, kind: &str, value: &dyn Fn(Component) -> u64| {
        let _ = writeln!(text, "# TYPE {name} {kind}");
        for component in Component::ALL {
            let _ = writeln!(
                text,
                "{name}{{component=\"{component}\"}} {}",
                value(component)
            );
        }
    };
    family("shop_component_calls_total", "counter", &|component| {
        components.calls(component)
    });
    family("shop_component_in_flight", "gauge", &|component| {
        components.in_flight(component)
    });
    text.push_str(&state.telemetry.page());
    (
        [(
            header::CONTENT_TYPE,
            "text/plain; version=0.0.4; charset=utf-8",
        )],
        text,
    )
        .into_response()
}

async fn drain(State(state): State<AppState>) -> Response {
    state.drain.start();
    (StatusCode::ACCEPTED, Json(json!({"draining": true}))).into_response()
}

async fn loopback_host_only(request: Request, next: Next) -> Response {
    if names_loopback(request.headers()) {
        return next.run(request).await;
    }
    refusal(
        StatusCode::FORBIDDEN,
        "the Host header does not name loopback",
    )
}

fn names_loopback(headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(header::HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else {
        return false;
    };
    let Ok(host) = host.to_str() else {
        return false;
    };
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    if name.eq_ignore_ascii_case("localhost") {
        return true;
    }
    let literal = name
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(name);
    literal
        .parse::<IpAddr>()
        .is_ok_and(|address| address.is_loopback())
}

fn refusal(status: StatusCode, message: &str) -> Response {
    (status, Json(json!({"error": message}))).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepts(host: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        names_loopback(&headers)
    }

    #[test]
    fn only_loopback_names_pass() {
        for host in [
            "localhost",
            "LOCALHOST:80",
            "127.0.0.1:8081",
            "127.9.9.9",
            "[::1]:8081",
        ] {
            assert!(accepts(host), "{host}");
        }
        for host in [
            "evil.example:8081",
            "127.0.0.1.evil.example",
            "10.0.0.1",
            "localhost.x",
            "",
        ] {
            assert!(!accepts(host), "{host}");
        }
        assert!(!names_loopback(&HeaderMap::new()), "no Host at all");
    }
}
