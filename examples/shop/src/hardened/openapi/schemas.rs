//! The shapes of bodies.

use serde_json::{Value, json};

/// Refers to a shape by its name.
pub(super) fn of(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

/// Every shape.
pub(super) fn all() -> Value {
    let text = || json!({"type": "string"});
    let number = || json!({"type": "integer", "minimum": 0});
    let age = || json!({"type": ["integer", "null"], "minimum": 0, "maximum": 150});
    let email = || json!({"type": "string", "format": "email", "maxLength": 254});
    let list = |of: Value| json!({"type": "array", "items": of});
    let product = || object(&["id", "title"], json!({"id": number(), "title": text()}));
    json!({
        "NewUser": closed(&["email", "name"], json!({
            "email": email(),
            "name": {"type": "string", "minLength": 1, "maxLength": 100},
            "age": age(),
        })),
        "User": object(&["id", "email", "name", "age"], json!({
            "id": number(), "email": text(), "name": text(), "age": age(),
        })),
        "SearchResults": object(&["query", "results"], json!({
            "query": text(), "results": list(product()),
        })),
        "Digest": object(&["digest"], json!({"digest": {"type": "string", "pattern": "^[0-9a-f]{64}$"}})),
        "Email": closed(&["to", "subject", "body"], json!({
            "to": email(),
            "subject": {"type": "string", "minLength": 1, "maxLength": 200},
            "body": {"type": "string", "maxLength": 100_000},
        })),
        "Sent": object(&["message_id"], json!({"message_id": text()})),
        "NewBuild": closed(&[], json!({
            "ref": {"type": ["string", "null"], "minLength": 1, "maxLength": 200},
        })),
        "Build": object(&["build_id"], json!({"build_id": text()})),
        "NewPayment": closed(&["amount", "currency", "customer"], json!({
            "amount": {"type": "integer", "minimum": 1, "maximum": 9_007_199_254_740_991_u64},
            "currency": {"type": "string", "pattern": "^[A-Z]{3}$"},
            "customer": {"type": "string", "minLength": 1, "maxLength": 64},
        })),
        "Payment": object(&["payment_id", "amount", "currency", "customer"], json!({
            "payment_id": text(), "amount": number(), "currency": text(), "customer": text(),
        })),
        "Dashboard": object(&["data", "partial", "errors"], json!({
            "data": object(&["user", "notifications", "recommendations"], json!({
                "user": {"type": ["object", "null"]},
                "notifications": list(object(&["id", "text"], json!({"id": number(), "text": text()}))),
                "recommendations": list(product()),
            })),
            "partial": {"type": "boolean"},
            "errors": list(object(&["component", "error"], json!({"component": text(), "error": text()}))),
        })),
        "Received": object(&["received"], json!({"received": {"const": true}})),
        "Health": object(&["status"], json!({"status": {"enum": ["pass", "warn", "fail"]}})),
        "Error": object(&["error", "message", "details", "request_id"], json!({
            "error": text(),
            "message": text(),
            "details": list(object(&["code", "message"], json!({
                "code": text(), "message": text(), "field": text(),
            }))),
            "request_id": text(),
        })),
        "Problem": object(&["type", "title", "status", "code", "request_id"], json!({
            "type": {"type": "string", "format": "uri-reference"},
            "title": text(),
            "status": {"type": "integer", "minimum": 400, "maximum": 599},
            "detail": text(),
            "instance": {"type": "string", "format": "uri-reference"},
            "code": text(),
            "errors": list(object(&["code", "detail"], json!({
                "code": text(), "detail": text(), "pointer": text(), "params": {"type": "object"},
            }))),
            "request_id": text(),
        })),
    })
}

fn object(required: &[&str], properties: Value) -> Value {
    let mut schema = json!({"type": "object", "required": required});
    schema["properties"] = properties;
    schema
}

/// What callers send: members that nobody knows are refused.
fn closed(required: &[&str], properties: Value) -> Value {
    let mut schema = object(required, properties);
    schema["additionalProperties"] = json!(false);
    schema
}
