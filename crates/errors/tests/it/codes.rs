//! The registry: what is published stays.

use seawall_errors::{ApiError, RenderContext, Renderer, Retry, codes};

/// Clients match on ids, so a line here is changed only with a new major version; a new code adds
/// one.
const GOLDEN: &str = "\
400 malformed_json AfterFix shown | Malformed JSON
400 malformed_request AfterFix shown | Malformed request
400 idempotency_key_missing AfterFix shown | The Idempotency-Key header is required
400 idempotency_key_invalid AfterFix shown | The Idempotency-Key header is invalid
401 unauthorized AfterFix shown | Authentication required
401 invalid_signature AfterFix shown | Invalid signature
403 forbidden AfterFix shown | Forbidden
404 not_found AfterFix shown | Not found
405 method_not_allowed AfterFix shown | Method not allowed
406 not_acceptable AfterFix shown | Not acceptable
408 request_timeout SameRequest shown | The request arrived too slowly
409 conflict AfterFix shown | Conflict
409 idempotency_in_progress AfterDelay shown | A request with this idempotency key is in progress
409 outcome_unknown Never shown | The outcome of an earlier request with this idempotency key is unknown
410 gone Never shown | Gone
412 precondition_failed AfterFix shown | Precondition failed
413 payload_too_large AfterFix shown | Payload too large
414 uri_too_long AfterFix shown | URI too long
415 unsupported_media_type AfterFix shown | Unsupported media type
422 validation_error AfterFix shown | Invalid request parameters
422 idempotency_key_reused AfterFix shown | The idempotency key was used for a different request
429 rate_limited AfterDelay shown | Too many requests
431 headers_too_large AfterFix shown | Request header fields too large
500 internal_error Never masked | Internal server error
501 not_implemented Never shown | Not implemented
502 bad_gateway Never shown | Bad gateway
503 service_unavailable AfterDelay shown | Service temporarily unavailable
503 circuit_open AfterDelay shown | Service temporarily unavailable
503 overloaded AfterDelay shown | Service temporarily overloaded
503 draining AfterDelay shown | Service is shutting down
504 deadline_exceeded Never shown | Request timed out
";

#[test]
fn no_code_changes_or_goes() {
    let lines: String = codes::ALL
        .iter()
        .map(|code| {
            let (status, id, title, retry) = (code.status(), code.id(), code.title(), code.retry());
            let shown = if code.is_public() { "shown" } else { "masked" };
            format!("{status} {id} {retry:?} {shown} | {title}\n")
        })
        .collect();
    assert_eq!(lines, GOLDEN);
}

#[test]
fn every_code_renders_with_its_own_status_and_text() {
    for &code in codes::ALL {
        let answer = Renderer::new().render(&ApiError::new(code), &RenderContext::new());
        let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(answer.status, code.status());
        assert_eq!(body["error"], code.id());
        assert_eq!(body["message"], code.title());
    }
}

mod mine {
    seawall_errors::error_codes! {
        /// Nothing left to sell.
        pub OUT_OF_STOCK = 409, "out_of_stock", "The item is out of stock";
        pub(crate) COUNTING = 503, "counting", "Stocktaking in progress", retry = AfterDelay, public;
        SECRET = 500, "warehouse_on_fire", "The warehouse is on fire", retry = Never,;
    }

    pub(super) const PRIVATE: seawall_errors::ErrorCode = SECRET;
}

#[test]
fn services_declare_their_own_codes() {
    assert_eq!(
        mine::ALL,
        [mine::OUT_OF_STOCK, mine::COUNTING, mine::PRIVATE]
    );
    assert_eq!(mine::COUNTING.retry(), Retry::AfterDelay);
    assert!(mine::COUNTING.is_public());
    assert!(!mine::PRIVATE.is_public());
}

const _: () = seawall_errors::assert_unique(&[codes::ALL, mine::ALL]);
