//! The routes: one entry each.

use seawall_errors::{ErrorCode, codes};
use serde_json::{Value, json};

/// What is said of one route.
#[derive(Debug)]
pub(super) struct Operation {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) id: &'static str,
    pub(super) summary: &'static str,
    pub(super) parameters: Vec<Value>,
    pub(super) body: Option<Value>,
    pub(super) needs_token: bool,
    /// Behind the layers that may refuse anything.
    pub(super) is_guarded: bool,
    /// Carried out once for each `Idempotency-Key`.
    pub(super) is_keyed: bool,
    /// Status, media type and schema.
    pub(super) success: (u16, &'static str, Value),
    pub(super) refusals: Vec<ErrorCode>,
}

/// Every route of the shop. A new one is added here, and a test tells when it was forgotten.
pub(super) fn all() -> Vec<Operation> {
    let id = || path("user_id", json!({"type": "integer", "minimum": 1}));
    let project = json!({"type": "string", "pattern": "^[a-z0-9]+(-[a-z0-9]+)*$", "maxLength": 64});
    let query = json!({"type": "string", "minLength": 1, "maxLength": 200});
    vec![
        post("/api/users", "create_user", "Creates a user")
            .json("NewUser")
            .keyed()
            .answers(201, "User")
            .fails(&DEPENDENCY),
        get("/api/users/{user_id}", "user", "Looks a user up")
            .parameter(id())
            .answers(200, "User")
            .fails(&[codes::VALIDATION_ERROR, codes::NOT_FOUND])
            .fails(&DEPENDENCY),
        get(
            "/api/search",
            "search",
            "Finds products by a part of their name",
        )
        .parameter(json!({"name": "q", "in": "query", "required": true, "schema": query}))
        .answers(200, "SearchResults")
        .fails(&[
            codes::VALIDATION_ERROR,
            codes::MALFORMED_REQUEST,
            codes::URI_TOO_LONG,
        ])
        .fails(&DEPENDENCY),
        post(
            "/api/expensive-operation",
            "expensive_operation",
            "Costs real time",
        )
        .keyed()
        .answers(200, "Digest"),
        post("/api/send-email", "send_email", "Sends an e-mail")
            .token()
            .json("Email")
            .keyed()
            .answers(202, "Sent")
            .fails(&[codes::SERVICE_UNAVAILABLE]),
        post(
            "/api/projects/{project_id}/builds",
            "start_build",
            "Starts a build",
        )
        .parameter(path("project_id", project))
        .json("NewBuild")
        .keyed()
        .answers(201, "Build"),
        post(
            "/api/payments",
            "pay",
            "Charges a customer, once for each key",
        )
        .perhaps_token()
        .json("NewPayment")
        .keyed()
        .key_required()
        .answers(201, "Payment")
        .fails(&[codes::SERVICE_UNAVAILABLE]),
        get(
            "/api/dashboard",
            "dashboard",
            "Whatever there is of a dashboard",
        )
        .answers(200, "Dashboard")
        .fails(&[codes::SERVICE_UNAVAILABLE]),
        post(
            "/api/webhooks/payment",
            "payment_webhook",
            "Takes a message of the payment provider",
        )
        .signed(&["x-signature"])
        .keyed()
        .answers(200, "Received"),
        post(
            "/api/webhooks/signed",
            "signed_webhook",
            "Takes a message of our own services",
        )
        .signed(&[])
        .keyed()
        .answers(200, "Received"),
        get("/livez", "livez", "Whether the process lives").probe(),
        get("/readyz", "readyz", "Whether traffic may come").probe(),
        get("/startupz", "startupz", "Whether the start is over").probe(),
        get("/health", "health", "How the components are").probe(),
        get(super::PATH, "openapi", "This document").unguarded(),
    ]
}

/// What a failing dependency, or the breaker before it, is answered with.
const DEPENDENCY: [ErrorCode; 2] = [codes::SERVICE_UNAVAILABLE, codes::CIRCUIT_OPEN];

/// What a request with an idempotency key may be answered with.
const KEYED: [ErrorCode; 6] = [
    codes::IDEMPOTENCY_KEY_INVALID,
    codes::IDEMPOTENCY_IN_PROGRESS,
    codes::IDEMPOTENCY_KEY_REUSED,
    codes::OUTCOME_UNKNOWN,
    codes::SERVICE_UNAVAILABLE,
    codes::OVERLOADED,
];

/// What every guarded route may answer.
const GUARDED: [ErrorCode; 6] = [
    codes::PAYLOAD_TOO_LARGE,
    codes::REQUEST_TIMEOUT,
    codes::RATE_LIMITED,
    codes::INTERNAL_ERROR,
    codes::DEADLINE_EXCEEDED,
    codes::MALFORMED_REQUEST,
];

/// What a route that reads JSON may answer besides.
const JSON: [ErrorCode; 3] = [
    codes::MALFORMED_JSON,
    codes::UNSUPPORTED_MEDIA_TYPE,
    codes::VALIDATION_ERROR,
];

fn get(path: &'static str, id: &'static str, summary: &'static str) -> Operation {
    operation("get", path, id, summary)
}

fn post(path: &'static str, id: &'static str, summary: &'static str) -> Operation {
    operation("post", path, id, summary)
}

fn operation(
    method: &'static str,
    path: &'static str,
    id: &'static str,
    summary: &'static str,
) -> Operation {
    Operation {
        method,
        path,
        id,
        summary,
        parameters: Vec::new(),
        body: None,
        needs_token: false,
        is_guarded: true,
        is_keyed: false,
        success: (200, "application/json", json!({"type": "object"})),
        refusals: GUARDED.to_vec(),
    }
}

impl Operation {
    fn parameter(mut self, parameter: Value) -> Self {
        self.parameters.push(parameter);
        self
    }

    fn json(mut self, schema: &str) -> Self {
        self.body = Some(json!({
            "required": true,
            "content": {"application/json": {"schema": super::schemas::of(schema)}},
        }));
        self.fails(&JSON)
    }

    fn token(mut self) -> Self {
        self.needs_token = true;
        self.fails(&[codes::UNAUTHORIZED])
    }

    /// A token may be left out; one that is there has to be good.
    fn perhaps_token(self) -> Self {
        self.fails(&[codes::UNAUTHORIZED])
    }

    /// Carried out once for each key.
    fn keyed(mut self) -> Self {
        self.is_keyed = true;
        let key = json!({"type": "string", "minLength": 1, "maxLength": 255});
        self.parameter(json!({
            "name": "Idempotency-Key", "in": "header", "required": false, "schema": key,
        }))
        .fails(&KEYED)
    }

    fn key_required(mut self) -> Self {
        if let Some(key) = self.parameters.last_mut() {
            key["required"] = json!(true);
        }
        self.fails(&[codes::IDEMPOTENCY_KEY_MISSING])
    }

    /// A body of any bytes, whose signature stands in these headers.
    fn signed(mut self, headers: &[&str]) -> Self {
        self.body = Some(json!({"content": {"application/octet-stream": {"schema": {}}}}));
        let header =
            |name: &&str| json!({"name": name, "in": "header", "schema": {"type": "string"}});
        self.parameters.extend(headers.iter().map(header));
        self.fails(&[codes::INVALID_SIGNATURE, codes::SERVICE_UNAVAILABLE])
    }

    fn answers(mut self, status: u16, schema: &str) -> Self {
        self.success = (status, "application/json", super::schemas::of(schema));
        self
    }

    fn fails(mut self, with: &[ErrorCode]) -> Self {
        self.refusals.extend_from_slice(with);
        self
    }

    fn unguarded(mut self) -> Self {
        self.is_guarded = false;
        self.refusals = vec![codes::INTERNAL_ERROR];
        self
    }

    /// A probe says by its status how things are, and by its body when it fails as well.
    fn probe(mut self) -> Self {
        self.success = (200, "application/health+json", super::schemas::of("Health"));
        self.unguarded()
    }

    pub(super) fn is_probe(&self) -> bool {
        self.success.1 == "application/health+json"
    }
}

fn path(name: &str, schema: Value) -> Value {
    let mut parameter = json!({"name": name, "in": "path", "required": true});
    parameter["schema"] = schema;
    parameter
}
