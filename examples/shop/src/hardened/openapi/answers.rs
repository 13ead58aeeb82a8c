//! The answers of a route: the good one, and every error with both of its bodies.

use std::collections::BTreeMap;

use seawall_errors::{ErrorCode, codes};
use serde_json::{Map, Value, json};

use super::operations::Operation;
use super::schemas;

/// The headers of answers, by name, for the components of the document.
pub(super) fn headers() -> Value {
    let header = |description: &str, schema: Value, required: bool| json!({"description": description, "schema": schema, "required": required});
    let text = || json!({"type": "string"});
    let count = || json!({"type": "integer", "minimum": 0});
    json!({
        "x-request-id": header(
            "The id of the request, as in the body of errors.",
            json!({"type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$"}),
            true,
        ),
        "cache-control": header("Errors are never stored.", json!({"const": "no-store"}), true),
        "x-content-type-options": header("Nor guessed at.", json!({"const": "nosniff"}), true),
        "vary": header("The body depends on Accept.", text(), true),
        "retry-after": header(
            "When to ask again, in seconds; left out where no wait helps.",
            json!({"type": "integer", "minimum": 1}),
            false,
        ),
        "idempotent-replayed": header(
            "The answer is that of an earlier request with the same key.",
            json!({"const": "true"}),
            false,
        ),
        "www-authenticate": header("How to say who is asking.", text(), true),
        "x-ratelimit-limit": header("How much the caller may do at once.", count(), false),
        "x-ratelimit-remaining": header("How much is left of it.", count(), false),
        "x-ratelimit-reset": header("When all of it is back, in Unix seconds.", count(), false),
        "ratelimit-policy": header("The quotas that apply.", text(), false),
        "ratelimit": header("What is left of them.", text(), false),
    })
}

const RATE_LIMITS: [&str; 5] = [
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
    "ratelimit-policy",
    "ratelimit",
];

const EVERY_ERROR: [&str; 4] = [
    "x-request-id",
    "cache-control",
    "x-content-type-options",
    "vary",
];

/// The status of the good answer, and what is said of it.
pub(super) fn success(operation: &Operation) -> (String, Value) {
    let (status, media_type, schema) = &operation.success;
    let mut names = vec!["x-request-id"];
    if operation.is_guarded {
        names.extend(RATE_LIMITS);
    }
    if operation.is_keyed {
        names.push("idempotent-replayed");
    }
    let answer = json!({
        "description": operation.summary,
        "headers": refer(&names),
        "content": content(&[media_type], schema),
    });
    (status.to_string(), answer)
}

/// Every error answer, by status.
pub(super) fn refusals(operation: &Operation) -> Map<String, Value> {
    let mut by_status: BTreeMap<u16, Vec<ErrorCode>> = BTreeMap::new();
    for code in &operation.refusals {
        let of_status = by_status.entry(code.status()).or_default();
        if !of_status.contains(code) {
            of_status.push(*code);
        }
    }
    let mut answers: Map<String, Value> = by_status
        .iter()
        .map(|(status, codes)| (status.to_string(), refusal(operation, *status, codes)))
        .collect();
    if operation.is_probe() {
        let (_, media_type, schema) = &operation.success;
        let failing = json!({
            "description": "Not now.",
            "headers": refer(&["x-request-id", "retry-after"]),
            "content": content(&[media_type], schema),
        });
        answers.insert("503".to_owned(), failing);
    }
    answers
}

fn refusal(operation: &Operation, status: u16, of_status: &[ErrorCode]) -> Value {
    let mut names = EVERY_ERROR.to_vec();
    if operation.is_guarded {
        names.extend(RATE_LIMITS);
    }
    if operation.is_keyed {
        names.push("idempotent-replayed");
    }
    if matches!(status, 409 | 429 | 503) {
        names.push("retry-after");
    }
    if status == codes::UNAUTHORIZED.status() {
        names.push("www-authenticate");
    }
    let ids: Vec<_> = of_status.iter().map(|code| code.id()).collect();
    let titles: Vec<_> = of_status
        .iter()
        .map(|code| format!("`{}`: {}.", code.id(), code.title()))
        .collect();
    let simple = json!({"allOf": [
        schemas::of("Error"),
        {"properties": {"error": {"enum": ids}}},
    ]});
    let problem = json!({"allOf": [
        schemas::of("Problem"),
        {"properties": {"code": {"enum": ids}, "status": {"const": status}}},
    ]});
    json!({
        "description": titles.join(" "),
        "headers": refer(&names),
        "content": {
            "application/json": {"schema": simple},
            "application/problem+json": {"schema": problem},
        },
    })
}

fn refer(names: &[&str]) -> Value {
    names
        .iter()
        .map(|name| {
            let reference = format!("#/components/headers/{name}");
            ((*name).to_owned(), json!({"$ref": reference}))
        })
        .collect::<Map<_, _>>()
        .into()
}

fn content(media_types: &[&str], schema: &Value) -> Value {
    media_types
        .iter()
        .map(|media_type| ((*media_type).to_owned(), json!({"schema": schema})))
        .collect::<Map<_, _>>()
        .into()
}
