//! The answer to a message that was not proven authentic and fresh.

use seawall_errors::{ApiError, codes};
use seawall_signing::{Class, Refused};

/// 401 `invalid_signature`, "Invalid signature", whatever is wrong with the message: the same
/// bytes, request id aside, for a missing header, a wrong byte, an unknown key and a replay. A
/// difference would tell a forger what to mend.
///
/// 413 `payload_too_large` is for the length alone, 503 `service_unavailable` for keys or a replay
/// store that cannot be had, 400 `malformed_request` for a body that broke off. The reason itself
/// goes to the private half of the error.
///
/// RFC 9110 wants a challenge with each 401; there is no registered scheme for signatures, so it
/// says `Signature` and nothing of which one.
pub fn refused(refused: Refused) -> ApiError {
    let error = match refused.class() {
        Class::TooLarge => ApiError::new(codes::PAYLOAD_TOO_LARGE),
        Class::Unavailable => ApiError::new(codes::SERVICE_UNAVAILABLE),
        Class::BodyRead => ApiError::new(codes::MALFORMED_REQUEST),
        // Whatever class comes later: an answer that says nothing is the safe one.
        _ => ApiError::new(codes::INVALID_SIGNATURE).header("www-authenticate", "Signature"),
    };
    error.source(refused).not_executed()
}

#[cfg(test)]
mod tests {
    use super::*;
    use seawall_errors::{RenderContext, Renderer};
    use std::borrow::Cow;

    use seawall_signing::RefusedKind;

    const ALL: [RefusedKind; 20] = [
        RefusedKind::MissingSignature,
        RefusedKind::DuplicateHeader,
        RefusedKind::Malformed,
        RefusedKind::UnsupportedSignature,
        RefusedKind::TooManySignatures,
        RefusedKind::InsufficientCoverage,
        RefusedKind::UnknownKey,
        RefusedKind::KeyInactive,
        RefusedKind::TooOld,
        RefusedKind::TooNew,
        RefusedKind::Mismatch,
        RefusedKind::DigestMismatch,
        RefusedKind::Replayed,
        RefusedKind::ReplayWindowClosed,
        RefusedKind::ReplayStoreFull,
        RefusedKind::ClockSkew,
        RefusedKind::StoreUnavailable,
        RefusedKind::KeysUnavailable,
        RefusedKind::BodyTooLarge,
        RefusedKind::BodyRead,
    ];

    fn rendered(kind: RefusedKind) -> (u16, Vec<(&'static str, Cow<'static, str>)>, String) {
        let error = refused(Refused::because(kind, "something for operators"));
        let context = RenderContext::new().request_id("req_1");
        let rendered = Renderer::new().render(&error, &context);
        let body = String::from_utf8(rendered.body).unwrap();
        (rendered.status, rendered.headers, body)
    }

    #[test]
    fn one_answer_for_every_cause_in_a_message() {
        let model = rendered(RefusedKind::Mismatch);
        assert_eq!(
            (model.0, model.2.as_str()),
            (
                401,
                r#"{"error":"invalid_signature","message":"Invalid signature","details":[],"request_id":"req_1"}"#
            )
        );
        let challenge = ("www-authenticate", Cow::from("Signature"));
        assert!(model.1.contains(&challenge), "{:?}", model.1);
        let mut others = Vec::new();
        for kind in ALL {
            let answer = rendered(kind);
            if answer != model {
                others.push((kind, answer.0));
            }
        }
        assert_eq!(
            others,
            [
                (RefusedKind::ReplayStoreFull, 503),
                (RefusedKind::ClockSkew, 503),
                (RefusedKind::StoreUnavailable, 503),
                (RefusedKind::KeysUnavailable, 503),
                (RefusedKind::BodyTooLarge, 413),
                (RefusedKind::BodyRead, 400),
            ]
        );
    }

    #[test]
    fn the_reason_is_for_operators_and_goes_to_nobody_else() {
        for kind in ALL {
            let error = refused(Refused::because(kind, "a very particular form"));
            assert!(error.private().report().contains("a very particular form"));
            let (_, headers, body) = rendered(kind);
            let told = format!("{headers:?} {body}");
            assert!(
                !told.contains(kind.as_str()) && !told.contains("operators"),
                "{told}"
            );
            assert!(!error.was_executed());
        }
    }
}
