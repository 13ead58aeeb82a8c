//! What the shop promises, as an OpenAPI 3.1 document.
//!
//! A route is one entry of [`operations::all`]; the rest follows from it. Every error answer is
//! listed with both media types and its headers, by the codes that the route can fail with.

mod answers;
mod operations;
mod schemas;

use axum::http::header;
use axum::routing::{MethodRouter, get};
use bytes::Bytes;
use serde_json::{Map, Value, json};

use operations::Operation;

/// The path under which the document is found.
pub(super) const PATH: &str = "/openapi.json";

/// Answers with the document, which is written once: the route has no quota, so it has to be cheap.
pub(super) fn route() -> MethodRouter {
    let document = Bytes::from(document().to_string());
    let json = [(header::CONTENT_TYPE, "application/json")];
    get(move || async move { (json, document) })
}

/// The whole document.
#[must_use]
pub fn document() -> Value {
    let mut paths = Map::new();
    for operation in operations::all() {
        let path = paths.entry(operation.path).or_insert_with(|| json!({}));
        path[operation.method] = describe(&operation);
    }
    json!({
        "openapi": "3.1.1",
        "info": {
            "title": "The shop",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Errors of every route look alike, and come as application/json or \
                            application/problem+json, as Accept says.",
        },
        "paths": paths,
        "components": {
            "schemas": schemas::all(),
            "headers": answers::headers(),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    })
}

fn describe(operation: &Operation) -> Value {
    let mut responses = answers::refusals(operation);
    let (status, success) = answers::success(operation);
    responses.insert(status, success);
    let mut described = json!({
        "operationId": operation.id,
        "summary": operation.summary,
        "parameters": operation.parameters,
        "responses": responses,
    });
    if let Some(body) = &operation.body {
        described["requestBody"] = body.clone();
    }
    if operation.needs_token {
        described["security"] = json!([{"token": []}]);
    }
    described
}
