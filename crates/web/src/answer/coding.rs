//! The answer to a packed body that nobody unpacks.

use seawall_errors::{ApiError, codes};

/// 415 `unsupported_media_type`, with the codings that would be taken in `Accept-Encoding` (RFC 9110,
/// section 15.5.16), such as `identity` or `gzip, deflate`.
pub fn unsupported(accepted: &'static str) -> ApiError {
    ApiError::new(codes::UNSUPPORTED_MEDIA_TYPE)
        .header("accept-encoding", accepted)
        .note("the body is packed by a content coding that is not taken here")
        .not_executed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_client_is_told_what_would_be_taken() {
        let error = unsupported("identity");
        assert_eq!(error.status(), 415);
        assert_eq!(
            error.headers(),
            [("accept-encoding", "identity".to_owned())]
        );
    }
}
