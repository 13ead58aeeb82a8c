//! A handler for each thing that handlers do.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use http_body_util::BodyExt;
use seawall_errors::{ApiError, Detail, RequestId, codes};
use seawall_timeout::current;
use seawall_tower::{Origin, Passthrough, respond};

use super::Answer;
use crate::support::{Script, Step};

/// A handler for each thing that handlers do. What it panics with in its call is no future yet.
pub(super) fn handle<B>(
    request: Request<B>,
) -> impl Future<Output = Result<Response<Answer>, Infallible>>
where
    B: Body<Data = Bytes>,
{
    assert!(request.uri().path() != "/panic-in-call", "SELECT secret");
    async move { Ok(answer(request).await) }
}

async fn answer<B: Body<Data = Bytes>>(request: Request<B>) -> Response<Answer> {
    let text = |status: u16, text: &str| {
        let body = Script(vec![Step::Text(text.to_owned())]);
        let response = Response::builder().status(status).body(body).unwrap();
        erased(response)
    };
    let with = |status, fields: &[(&'static str, &'static str)]| {
        let mut response = text(status, "SELECT secret");
        for (name, value) in fields {
            let value = http::HeaderValue::from_static(value);
            response.headers_mut().append(*name, value);
        }
        response
    };
    match request.uri().path() {
        "/read" => match request.into_body().collect().await {
            Ok(body) => text(200, &format!("{} bytes", body.to_bytes().len())),
            Err(_) => text(400, "the body could not be read"),
        },
        "/unread" => text(400, "not that"),
        "/own" => refuse(
            ApiError::new(codes::VALIDATION_ERROR)
                .detail(Detail::new("required", "This field is required").field("name")),
        ),
        "/own-header" => {
            let mut response = refuse(
                ApiError::new(codes::SERVICE_UNAVAILABLE).retry_after(Duration::from_secs(7)),
            );
            let value = http::HeaderValue::from_static("60");
            response.headers_mut().insert("retry-after", value);
            response
        }
        "/foreign" => with(
            404,
            &[("content-type", "text/html"), ("x-hint", "try again")],
        ),
        "/method" => with(405, &[("allow", "POST")]),
        "/broken" => with(502, &[("x-debug", "secret"), ("retry-after", "3")]),
        "/changed" => {
            let mut response = refuse(ApiError::new(codes::NOT_FOUND));
            *response.status_mut() = http::StatusCode::CONFLICT;
            response
        }
        "/passthrough" => {
            let mut response = text(418, "as it is");
            response.extensions_mut().insert(Passthrough::new());
            response
        }
        "/grpc" => with(500, &[("content-type", "application/grpc+proto")]),
        "/named" => with(200, &[("x-request-id", "mine"), ("x-ratelimit-limit", "9")]),
        "/panic" => panic!("SELECT secret"),
        "/hang" => std::future::pending().await,
        "/fails-midway" => erased(Response::new(Script(vec![
            Step::Data(b"half"),
            Step::Fail("gone".into()),
        ]))),
        "/panics-midway" => erased(Response::new(Script(vec![Step::Panic("gone".into())]))),
        "/told" => {
            let id = request.extensions().get::<RequestId>().cloned();
            let origin = Origin::current().and_then(|origin| origin.request_id().cloned());
            let left = current().and_then(|deadline| deadline.remaining());
            text(200, &format!("{id:?} {} {left:?}", id == origin))
        }
        _ => text(200, "fine"),
    }
}

fn refuse(error: ApiError) -> Response<Answer> {
    erased(respond::<Script>(error))
}

pub(super) fn erased<B>(response: Response<B>) -> Response<Answer>
where
    B: Body<Data = Bytes, Error: std::fmt::Display> + Send + 'static,
{
    response.map(|body| body.map_err(|error| error.to_string()).boxed_unsync())
}
