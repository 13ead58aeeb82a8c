//! Error answers that nobody attached an error to: what is kept of them, and what is not.

use std::pin::pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, StatusCode, header};
use http_body::Body;
use seawall_errors::{ApiError, codes};

/// Describes the body that is dropped, and would be a lie on the one that takes its place.
const ENTITY_HEADERS: [HeaderName; 9] = [
    header::CONTENT_TYPE,
    header::CONTENT_LENGTH,
    header::CONTENT_ENCODING,
    header::CONTENT_RANGE,
    header::ETAG,
    header::LAST_MODIFIED,
    header::TRANSFER_ENCODING,
    header::TRAILER,
    header::ACCEPT_RANGES,
];

/// The digests of the dropped body, by names that `http` has no constants for.
const DIGEST_HEADERS: [&str; 3] = ["digest", "content-digest", "repr-digest"];

pub(super) fn strip_entity_headers(headers: &mut HeaderMap) {
    for name in ENTITY_HEADERS {
        headers.remove(name);
    }
    for name in DIGEST_HEADERS {
        headers.remove(name);
    }
}

/// gRPC says how a call failed in trailers, with a status of 200 or not: none of our business.
pub(super) fn is_grpc(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(b"application/grpc"))
}

/// The error that stands for a foreign answer of this status.
///
/// What a foreign 5xx said is for the operator: as much of it as is there already goes into the
/// private half. Nothing waits for the rest.
pub(super) fn adopt<B: Body<Data = Bytes>>(
    status: StatusCode,
    body: B,
    cx: &mut Context<'_>,
) -> ApiError {
    let error = ApiError::new(codes::for_status(status.as_u16()));
    if !status.is_server_error() {
        return error;
    }
    let said = read_ready(body, cx);
    if said.is_empty() {
        error
    } else {
        error.note(format!(
            "the inner service answered {}: {}",
            status.as_u16(),
            String::from_utf8_lossy(&said)
        ))
    }
}

fn read_ready<B: Body<Data = Bytes>>(body: B, cx: &mut Context<'_>) -> Vec<u8> {
    const AT_MOST: usize = 1024;
    let mut body = pin!(body);
    let mut read = Vec::new();
    while read.len() < AT_MOST {
        let Poll::Ready(Some(Ok(frame))) = body.as_mut().poll_frame(cx) else {
            break;
        };
        let Ok(data) = frame.into_data() else { break };
        let room = AT_MOST - read.len();
        read.extend_from_slice(&data[..data.len().min(room)]);
    }
    read
}
