//! The shop's layers stand in the right order: debug builds warn where they do not.

#![cfg(debug_assertions)]

use crate::process::{Shop, ask_with};

#[test]
fn no_request_to_any_route_is_a_reason_to_warn() {
    for framework in ["axum", "actix"] {
        let (shop, log) = Shop::start_logging(&["--store", "memory", "--framework", framework]);
        for line in [
            "POST /api/users",
            "GET /api/users/1",
            "GET /api/search?q=lantern",
            "POST /api/expensive-operation",
            "POST /api/send-email",
            "POST /api/projects/sea/builds",
            "POST /api/payments",
            "GET /api/dashboard",
            "POST /api/webhooks/payment",
            "POST /api/webhooks/signed",
            "GET /nothing",
            "GET /livez",
            "GET /readyz",
            "GET /startupz",
            "GET /health",
            "GET /openapi.json",
        ] {
            let headers = "authorization: Bearer alice-token\r\nidempotency-key: k-1\r\n";
            let answer = ask_with(&shop.api, line, headers, "{}");
            assert!(
                answer.starts_with("HTTP/1.1 "),
                "{framework} {line}: {answer}"
            );
        }
        assert_eq!(shop.stop("TERM"), Some(0));
        // That it leaves is told by its health.
        let warns = |line: &String| line.contains("WARN") && !line.contains("seawall::health");
        let warnings: Vec<_> = log.filter(warns).collect();
        assert_eq!(warnings, [""; 0], "{framework}");
    }
}
