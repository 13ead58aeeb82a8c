//! Every route in every method, to be asked while something is broken.

use http::Method;

use crate::client::Call;

/// Each route with each method; a body where the method takes one.
pub(crate) fn calls() -> Vec<Call> {
    ROUTES
        .into_iter()
        .flat_map(|(path, body)| METHODS.map(|method| call(method, path, body)))
        .collect()
}

fn call(method: Method, path: &str, body: &'static str) -> Call {
    let sends = matches!(method, Method::POST | Method::PUT | Method::PATCH);
    let call = Call::new(method, path).header("authorization", "Bearer alice-token");
    if sends { call.json(body) } else { call }
}

const METHODS: [Method; 7] = [
    Method::GET,
    Method::HEAD,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
    Method::OPTIONS,
];

/// With a body that the route takes, where it takes one.
const ROUTES: [(&str, &str); 15] = [
    (
        "/api/users",
        r#"{"email":"ann@example.com","name":"Ann","age":41}"#,
    ),
    ("/api/users/1", "{}"),
    ("/api/search?q=sea", "{}"),
    ("/api/expensive-operation", "{}"),
    (
        "/api/send-email",
        r#"{"to":"bob@example.com","subject":"hello","body":"there"}"#,
    ),
    ("/api/projects/wall/builds", "{}"),
    ("/api/dashboard", "{}"),
    (
        "/api/payments",
        r#"{"amount":1250,"currency":"EUR","customer":"storm"}"#,
    ),
    ("/api/webhooks/payment", "{}"),
    ("/api/webhooks/signed", "{}"),
    ("/openapi.json", "{}"),
    ("/livez", "{}"),
    ("/readyz", "{}"),
    ("/startupz", "{}"),
    ("/health", "{}"),
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn each_pair_of_route_and_method_is_asked_once() {
        let labels: HashSet<_> = calls().iter().map(Call::label).collect();
        assert_eq!(labels.len(), ROUTES.len() * METHODS.len());
        assert!(labels.contains("DELETE /api/users/1"));
    }
}
