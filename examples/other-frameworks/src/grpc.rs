//! What tonic knows about a request, told to the layers, and what they refuse, told as gRPC tells it.

use bytes::Bytes;
use http::{Request, Response};
use seawall_errors::ApiError;
use seawall_tower::Attached;
use seawall_web::request::PeerAddr;
use tonic::body::Body;
use tonic::transport::server::TcpConnectInfo;
use tonic::{Code, Status};

/// Takes up the peer. For a `tower::util::MapRequestLayer` outside of all layers.
pub fn introduce<B>(mut request: Request<B>) -> Request<B> {
    let extensions = request.extensions_mut();
    let peer = extensions.get::<TcpConnectInfo>();
    if let Some(peer) = peer.and_then(TcpConnectInfo::remote_addr) {
        extensions.insert(PeerAddr::new(peer.ip()));
    }
    request
}

/// Turns the answer of a layer, a status of HTTP and JSON, into a status of gRPC. What a service
/// answered itself passes as it is. For a `tower::util::MapResponseLayer` outside of all layers.
///
/// The headers stay: `x-request-id`, `retry-after` and those of rate limits are the client's metadata.
pub fn refusals<B>(response: Response<B>) -> Response<Body>
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let Some(attached) = response.extensions().get::<Attached>() else {
        return response.map(Body::new);
    };
    let status = status(attached.error());
    let (mut told, body) = status.into_http::<Body>().into_parts();
    let (refused, _) = response.into_parts();
    for (name, value) in &refused.headers {
        let describes_the_body = *name == http::header::CONTENT_LENGTH;
        if !describes_the_body && !told.headers.contains_key(name) {
            told.headers.insert(name, value.clone());
        }
    }
    Response::from_parts(told, body)
}

/// By what the status of HTTP means, not by the table that clients fall back on, which knows a 429 as
/// `UNAVAILABLE` and a 413 as nothing at all.
fn status(error: &ApiError) -> Status {
    let code = match error.status() {
        400 | 415 | 422 => Code::InvalidArgument,
        401 => Code::Unauthenticated,
        403 => Code::PermissionDenied,
        404 => Code::NotFound,
        405 => Code::Unimplemented,
        409 => Code::Aborted,
        408 | 504 => Code::DeadlineExceeded,
        413 | 429 | 431 => Code::ResourceExhausted,
        502 | 503 => Code::Unavailable,
        _ => Code::Internal,
    };
    Status::new(code, error.public_message())
}
