//! The codes that every service needs.

use crate::{ErrorCode, render::phrase};

crate::error_codes! {
    /// The body is not JSON.
    pub MALFORMED_JSON = 400, "malformed_json", "Malformed JSON";
    /// The request cannot be understood: a bad path, query, header or framing.
    pub MALFORMED_REQUEST = 400, "malformed_request", "Malformed request";
    /// The route demands an `Idempotency-Key`, and there is none.
    pub IDEMPOTENCY_KEY_MISSING = 400, "idempotency_key_missing", "The Idempotency-Key header is required";
    /// The `Idempotency-Key` is not a key.
    pub IDEMPOTENCY_KEY_INVALID = 400, "idempotency_key_invalid", "The Idempotency-Key header is invalid";
    /// Nobody, or nobody we know, is asking.
    pub UNAUTHORIZED = 401, "unauthorized", "Authentication required";
    /// The signature does not fit the request; the answer is the same for every cause.
    pub INVALID_SIGNATURE = 401, "invalid_signature", "Invalid signature";
    /// The caller is known and may not do this.
    pub FORBIDDEN = 403, "forbidden", "Forbidden";
    /// There is no such thing, or the caller may not know that there is.
    pub NOT_FOUND = 404, "not_found", "Not found";
    /// The resource does not know the method; `Allow` lists those it knows.
    pub METHOD_NOT_ALLOWED = 405, "method_not_allowed", "Method not allowed";
    /// No representation fits the `Accept` header.
    pub NOT_ACCEPTABLE = 406, "not_acceptable", "Not acceptable";
    /// The client was too slow in sending its request.
    pub REQUEST_TIMEOUT = 408, "request_timeout", "The request arrived too slowly", retry = SameRequest;
    /// The request contradicts the state of the resource.
    pub CONFLICT = 409, "conflict", "Conflict";
    /// A request with the same idempotency key is being executed.
    pub IDEMPOTENCY_IN_PROGRESS = 409, "idempotency_in_progress", "A request with this idempotency key is in progress", retry = AfterDelay;
    /// An earlier request with the same key was cut short, and nobody knows what it did.
    pub OUTCOME_UNKNOWN = 409, "outcome_unknown", "The outcome of an earlier request with this idempotency key is unknown", retry = Never;
    /// The resource was here, and will not return.
    pub GONE = 410, "gone", "Gone", retry = Never;
    /// A precondition such as `If-Match` does not hold.
    pub PRECONDITION_FAILED = 412, "precondition_failed", "Precondition failed";
    /// The body is larger than the service reads.
    pub PAYLOAD_TOO_LARGE = 413, "payload_too_large", "Payload too large";
    /// The request target is longer than the service reads.
    pub URI_TOO_LONG = 414, "uri_too_long", "URI too long";
    /// The body has a type or coding that the service does not read.
    pub UNSUPPORTED_MEDIA_TYPE = 415, "unsupported_media_type", "Unsupported media type";
    /// The input is well formed and not acceptable; the details say where.
    pub VALIDATION_ERROR = 422, "validation_error", "Invalid request parameters";
    /// The idempotency key belongs to another request.
    pub IDEMPOTENCY_KEY_REUSED = 422, "idempotency_key_reused", "The idempotency key was used for a different request";
    /// The caller has spent its quota; `Retry-After` says when to return.
    pub RATE_LIMITED = 429, "rate_limited", "Too many requests";
    /// The headers are larger than the service reads.
    pub HEADERS_TOO_LARGE = 431, "headers_too_large", "Request header fields too large";
    /// Something broke, and callers need not know what.
    pub INTERNAL_ERROR = 500, "internal_error", "Internal server error";
    /// The service does not offer this.
    pub NOT_IMPLEMENTED = 501, "not_implemented", "Not implemented", public;
    /// A service behind this one gave no usable answer.
    pub BAD_GATEWAY = 502, "bad_gateway", "Bad gateway", public;
    /// The service cannot answer now.
    pub SERVICE_UNAVAILABLE = 503, "service_unavailable", "Service temporarily unavailable", public;
    /// A dependency is failing, so it is not called.
    pub CIRCUIT_OPEN = 503, "circuit_open", "Service temporarily unavailable", public;
    /// More work is waiting than can be done in time.
    pub OVERLOADED = 503, "overloaded", "Service temporarily overloaded", public;
    /// The instance is about to stop.
    pub DRAINING = 503, "draining", "Service is shutting down", public;
    /// The service did not finish in time.
    pub DEADLINE_EXCEEDED = 504, "deadline_exceeded", "Request timed out", public;
}

/// The code for an error status that somebody else chose: what adopts a foreign response never
/// changes its status.
///
/// A status of its own code gets that one. Of several, the general one is taken (`conflict` for
/// 409, `service_unavailable` for 503). Any other 4xx becomes `request_failed` and any other 5xx
/// `server_error`, both carrying the status given; as `server_error` is not public, callers read
/// `internal_error`.
///
/// A status outside 400 to 599 is no error status; it gives [`INTERNAL_ERROR`].
///
/// # Examples
///
/// ```
/// use seawall_errors::codes;
///
/// assert_eq!(codes::for_status(404), codes::NOT_FOUND);
/// assert_eq!(codes::for_status(418).status(), 418);
/// assert_eq!(codes::for_status(418).id(), "request_failed");
/// ```
#[must_use]
pub fn for_status(status: u16) -> ErrorCode {
    match status {
        400 => MALFORMED_REQUEST,
        401 => UNAUTHORIZED,
        403 => FORBIDDEN,
        404 => NOT_FOUND,
        405 => METHOD_NOT_ALLOWED,
        406 => NOT_ACCEPTABLE,
        408 => REQUEST_TIMEOUT,
        409 => CONFLICT,
        410 => GONE,
        412 => PRECONDITION_FAILED,
        413 => PAYLOAD_TOO_LARGE,
        414 => URI_TOO_LONG,
        415 => UNSUPPORTED_MEDIA_TYPE,
        422 => VALIDATION_ERROR,
        429 => RATE_LIMITED,
        431 => HEADERS_TOO_LARGE,
        500 => INTERNAL_ERROR,
        501 => NOT_IMPLEMENTED,
        502 => BAD_GATEWAY,
        503 => SERVICE_UNAVAILABLE,
        504 => DEADLINE_EXCEEDED,
        402..=499 => {
            let title = phrase::of(status).unwrap_or("Request failed");
            ErrorCode::new("request_failed", status, title)
        }
        505..=599 => ErrorCode::new("server_error", status, "Server error"),
        _ => INTERNAL_ERROR,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adoption_never_changes_an_error_status() {
        for status in 400..=599 {
            assert_eq!(for_status(status).status(), status);
        }
    }

    #[test]
    fn what_is_no_error_status_becomes_internal_error() {
        for status in [0, 100, 200, 302, 399, 600, 999, u16::MAX] {
            assert_eq!(for_status(status), INTERNAL_ERROR, "{status}");
        }
    }

    #[test]
    fn only_generic_codes_stand_outside_the_registry() {
        for status in 400..=599 {
            let code = for_status(status);
            let generic = matches!(code.id(), "request_failed" | "server_error");
            assert!(generic != ALL.contains(&code), "{status}: {code:?}");
        }
    }
}
