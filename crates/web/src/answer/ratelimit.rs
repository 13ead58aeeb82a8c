//! The answer to a request that a rate limit denied.

use seawall_errors::{ApiError, codes};
use seawall_ratelimit::{Denied, Reason};

/// 429 `rate_limited` over the limit; 503 `service_unavailable` where the store could not answer
/// and a policy says that nothing passes then.
///
/// `Retry-After` is given wherever waiting helps. The rate limit headers are not part of the
/// error: they stand on every answer of a limited route, allowed or not, so the layer writes them.
///
/// As a problem, what is over its limit has the type `quota-exceeded` and the member
/// `violated-policies` of the IETF draft on rate limit header fields: the names that
/// `RateLimit-Policy` lists.
pub fn denied(denied: &Denied) -> ApiError {
    let code = match denied.reason() {
        Reason::StoreUnavailable => codes::SERVICE_UNAVAILABLE,
        _ => codes::RATE_LIMITED,
    };
    let mut error = ApiError::new(code).not_executed();
    if matches!(denied.reason(), Reason::OverLimit | Reason::Blocked) {
        let names: Vec<_> = denied
            .violated()
            .map(|report| report.policy().as_str())
            .collect();
        error = error
            .problem_type(QUOTA_EXCEEDED)
            .meta("violated-policies", names);
    }
    match denied.retry_after() {
        Some(wait) => error.retry_after(wait),
        None => error,
    }
}

const QUOTA_EXCEEDED: &str = "https://iana.org/assignments/http-problem-types#quota-exceeded";

#[cfg(test)]
mod tests {
    use super::*;
    use seawall_errors::{RenderContext, Renderer};
    use seawall_ratelimit::{Decision, KeyBuf, MemoryStore, Mode, Policies, Policy, quota};
    use serde_json::{Value, json};

    fn refusal() -> ApiError {
        let policy = |name, quota| Policy::new(name, quota).unwrap();
        let policies = Policies::builder(MemoryStore::default())
            .policy(policy("wide", quota!("9/hour")))
            .policy(policy("narrow", quota!("1/hour")))
            .policy(policy("watching", quota!("1/hour")).mode(Mode::Shadow))
            .policy(policy("tight", quota!("1/day")))
            .build()
            .unwrap();
        let keys = vec![Some(KeyBuf::new().push("a")); 4];
        assert!(policies.check_now(&keys).unwrap().is_allowed());
        match policies.check_now(&keys) {
            Some(Decision::Deny(refusal)) => denied(&refusal),
            other => panic!("denied, not {other:?}"),
        }
    }

    fn body(accept: &str) -> Value {
        let context = RenderContext::new()
            .accept(accept.as_bytes())
            .request_id("req_1");
        let answer = Renderer::new().render(&refusal(), &context);
        assert_eq!(answer.status, 429);
        serde_json::from_slice(&answer.body).unwrap()
    }

    #[test]
    fn a_problem_names_its_type_and_the_policies_that_deny() {
        let body = body("application/problem+json");
        assert_eq!(body["type"], QUOTA_EXCEEDED);
        assert_eq!(body["violated-policies"], json!(["narrow", "tight"]));
        assert_eq!(body["code"], "rate_limited");
    }

    #[test]
    fn the_plain_body_is_as_ever() {
        let body = body("application/json");
        let members: Vec<_> = body.as_object().unwrap().keys().collect();
        assert_eq!(members, ["details", "error", "message", "request_id"]);
        assert_eq!(body["error"], "rate_limited");
    }
}
