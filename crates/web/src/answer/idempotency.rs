//! The answers to requests that are not carried out because of their idempotency key, and how an
//! error is kept that is to be answered again.

use std::time::Duration;

use bytes::Bytes;
use seawall_errors::{ApiError, Detail, PublicError, codes};
use seawall_idempotency::{KeyError, KeyErrorKind, Outcome, Refused, StoreFailure};

/// The header that says of an answer that it is a repetition, as Stripe and others have it. Its
/// value is `true`.
pub const REPLAYED: &str = "idempotent-replayed";

/// The header that says of a repetition that its body was too large to be kept. Its value is
/// `omitted`.
pub const REPLAYED_BODY: &str = "idempotent-replayed-body";

/// 400 `idempotency_key_missing`: the route demands a key.
pub fn missing() -> ApiError {
    let detail = Detail::new("required", "This header is required");
    ApiError::new(codes::IDEMPOTENCY_KEY_MISSING)
        .detail(detail.field(FIELD))
        .not_executed()
}

/// 400 `idempotency_key_invalid`: what came is no key, or came more than once.
pub fn invalid(error: KeyError) -> ApiError {
    let (code, message) = match error.kind() {
        KeyErrorKind::Empty => ("required", "The key has no characters"),
        KeyErrorKind::TooLong => ("too_long", "The key has more than 255 characters"),
        KeyErrorKind::Character => ("invalid_character", "The key has others than visible ASCII"),
        KeyErrorKind::Repeated => ("repeated", "The header came more than once"),
        _ => (
            "invalid_format",
            "The key is neither a quoted string nor a bare word",
        ),
    };
    ApiError::new(codes::IDEMPOTENCY_KEY_INVALID)
        .detail(Detail::new(code, message).field(FIELD))
        .not_executed()
}

/// 409 `idempotency_in_progress` with `Retry-After`, 422 `idempotency_key_reused`, 409
/// `outcome_unknown`, and 503 `service_unavailable` where the store has no room.
///
/// `Retry-After` is what is left of the lease, and 30 seconds at most: most work ends long before
/// its lease, and a client that polls every half minute is no burden.
pub fn refused(refused: &Refused) -> ApiError {
    let error = match refused {
        Refused::InProgress { retry_after } => {
            let wait = (*retry_after).min(LONGEST_WAIT);
            ApiError::new(codes::IDEMPOTENCY_IN_PROGRESS).retry_after(wait)
        }
        Refused::Mismatch => ApiError::new(codes::IDEMPOTENCY_KEY_REUSED),
        Refused::OutcomeUnknown { attempt } => ApiError::new(codes::OUTCOME_UNKNOWN)
            .note(format!("attempt {attempt} gave no sign of life")),
        // Whatever comes later is refused as the store's want of room is: nothing was done.
        _ => ApiError::new(codes::SERVICE_UNAVAILABLE).note(refused.to_string()),
    };
    error.not_executed()
}

/// 503 `service_unavailable`: the store failed, so that nobody knows whether the request was carried
/// out before. It is not carried out now.
pub fn store_failed(failure: StoreFailure) -> ApiError {
    ApiError::new(codes::SERVICE_UNAVAILABLE)
        .source(failure)
        .not_executed()
}

/// 503 `overloaded`: as much work with keys is going on as the layer allows.
pub fn too_many() -> ApiError {
    ApiError::new(codes::OVERLOADED)
        .retry_after(Duration::from_secs(1))
        .not_executed()
}

/// Keeps an error as an outcome: not its bytes, since each answer has its own request id and perhaps
/// another format, but the half of it that callers see. Headers are for the adapter to add.
pub fn keep_error(error: &ApiError) -> Outcome {
    // A public error is a map with string keys, which can be written.
    let body = serde_json::to_vec(&error.public()).unwrap_or_default();
    Outcome::new(body).status(error.status()).format(ERROR)
}

/// Whether an outcome is an error that [`keep_error`] kept.
#[must_use]
pub fn is_kept_error(outcome: &Outcome) -> bool {
    outcome.format_code() == ERROR && !outcome.is_omitted()
}

/// The error that an outcome keeps.
///
/// # Errors
///
/// When it is none, as after a change of version: the answer for that.
pub fn kept_error(outcome: &Outcome) -> Result<PublicError, ApiError> {
    serde_json::from_slice(outcome.bytes()).map_err(|error| {
        ApiError::new(codes::INTERNAL_ERROR)
            .note("an error that was kept for repetition cannot be read")
            .source(error)
            .not_executed()
    })
}

/// The headers of an error that was [kept](keep_error), as an outcome has them.
pub fn headers(error: &ApiError) -> impl Iterator<Item = (Bytes, Bytes)> {
    error.headers().iter().map(|(name, value)| {
        let name = Bytes::from_static(name.as_bytes());
        (name, Bytes::copy_from_slice(value.as_bytes()))
    })
}

const FIELD: &str = "idempotency-key";

/// Tells a kept error from bytes that are to be sent as they are.
const ERROR: u8 = 1;

const LONGEST_WAIT: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use seawall_errors::{RenderContext, Renderer};
    use seawall_idempotency::IdempotencyKey;

    use super::*;

    fn rendered(error: &ApiError) -> (u16, Option<String>, String) {
        let context = RenderContext::new().request_id("req_1");
        let rendered = Renderer::new().render(error, &context);
        let wait = rendered
            .headers
            .iter()
            .find(|(name, _)| *name == "retry-after");
        (
            rendered.status,
            wait.map(|(_, value)| value.to_string()),
            String::from_utf8(rendered.body).unwrap(),
        )
    }

    #[test]
    fn every_refusal_has_its_status_and_code() {
        let secs = Duration::from_secs;
        let in_progress = |retry_after| refused(&Refused::InProgress { retry_after });
        let cases = [
            (missing(), 400, "idempotency_key_missing", None),
            (
                in_progress(secs(7)),
                409,
                "idempotency_in_progress",
                Some("7"),
            ),
            (
                in_progress(secs(700)),
                409,
                "idempotency_in_progress",
                Some("30"),
            ),
            (
                in_progress(Duration::from_millis(1)),
                409,
                "idempotency_in_progress",
                Some("1"),
            ),
            (
                refused(&Refused::Mismatch),
                422,
                "idempotency_key_reused",
                None,
            ),
            (
                refused(&Refused::OutcomeUnknown { attempt: 2 }),
                409,
                "outcome_unknown",
                None,
            ),
            (refused(&Refused::Full), 503, "service_unavailable", None),
            (too_many(), 503, "overloaded", Some("1")),
        ];
        for (error, status, code, wait) in cases {
            let (got, retry_after, body) = rendered(&error);
            assert_eq!((got, retry_after.as_deref()), (status, wait), "{body}");
            assert!(body.contains(&format!("\"error\":\"{code}\"")), "{body}");
            assert!(!error.was_executed(), "{code}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_key_is_said_without_echoing_it() {
        for (line, code) in [
            (&b""[..], "required"),
            (&[b'x'; 256], "too_long"),
            (b"x\xff", "invalid_character"),
            (b"x,y", "invalid_format"),
        ] {
            let error = invalid(IdempotencyKey::parse(line).unwrap_err());
            let (status, _, body) = rendered(&error);
            assert_eq!(status, 400);
            assert!(body.contains(&format!("{{\"code\":\"{code}\"")), "{body}");
            assert!(body.contains("\"field\":\"idempotency-key\""), "{body}");
        }
        let twice = invalid(IdempotencyKey::only([&b"a"[..], b"a"]).unwrap_err());
        assert!(rendered(&twice).2.contains("\"repeated\""));
    }

    #[test]
    fn a_kept_error_is_answered_as_the_first_was_and_with_an_id_of_its_own() {
        let first = ApiError::new(codes::CONFLICT)
            .message("The cart is closed")
            .detail(Detail::new("closed", "Closed").field("cart"))
            .header("x-cart", "7")
            .note("cart 7 of alice");
        let kept = keep_error(&first);
        assert!(is_kept_error(&kept) && !is_kept_error(&kept.clone().omitted()));
        assert!(!String::from_utf8_lossy(kept.bytes()).contains("alice"));
        let again = kept_error(&kept).unwrap();
        let context = RenderContext::new().request_id("req_1");
        let body = Renderer::new().render_public(&again, &context).body;
        assert_eq!(String::from_utf8(body).unwrap(), rendered(&first).2);
        assert_eq!(
            headers(&first).collect::<Vec<_>>(),
            [("x-cart".into(), "7".into())]
        );
    }

    #[test]
    fn what_is_no_error_is_a_failure_of_ours() {
        let error = kept_error(&Outcome::new("no json").format(ERROR)).unwrap_err();
        assert_eq!(error.status(), 500);
        assert!(!is_kept_error(&Outcome::new("no json")));
    }
}
