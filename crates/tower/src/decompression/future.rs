//! Gathers a packed body, unpacks it, and hands it on.

use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use http::request::Parts;
use http::{Request, Response, header};
use http_body::Body;
use pin_project::pin_project;
use seawall_errors::{ApiError, codes};
use tower_service::Service;

use super::body::UnpackedBody;
use super::unpack::{Coding, Fault, Limits, unpack};
use crate::ReplyBody;
use crate::reply::refuse;

/// The future of [`DecompressionService`](super::DecompressionService).
#[pin_project]
#[must_use = "futures do nothing unless polled"]
pub struct DecompressionFuture<I, ReqB, ResB>
where
    I: Service<Request<UnpackedBody<ReqB>>>,
{
    #[pin]
    state: State<I, I::Future, ReqB, ResB>,
}

#[pin_project(project = StateProjection)]
enum State<I, F, ReqB, ResB> {
    Gathering {
        /// The service and the head, until the body is there.
        waiting: Option<(I, Parts)>,
        #[pin]
        body: ReqB,
        gathered: BytesMut,
        coding: Coding,
        limits: Limits,
    },
    Passing(#[pin] F),
    Refused(Option<Response<ReplyBody<ResB>>>),
}

impl<I, ReqB, ResB> DecompressionFuture<I, ReqB, ResB>
where
    I: Service<Request<UnpackedBody<ReqB>>>,
{
    pub(super) fn gathering(
        ready: I,
        request: Request<ReqB>,
        coding: Coding,
        limits: Limits,
    ) -> Self {
        let (parts, body) = request.into_parts();
        Self {
            state: State::Gathering {
                waiting: Some((ready, parts)),
                body,
                gathered: BytesMut::new(),
                coding,
                limits,
            },
        }
    }

    pub(super) fn passing(future: I::Future) -> Self {
        Self {
            state: State::Passing(future),
        }
    }

    pub(super) fn refused(response: Response<ReplyBody<ResB>>) -> Self {
        Self {
            state: State::Refused(Some(response)),
        }
    }
}

impl<I, ReqB, ResB> Future for DecompressionFuture<I, ReqB, ResB>
where
    I: Service<Request<UnpackedBody<ReqB>>, Response = Response<ResB>>,
    ReqB: Body<Data = Bytes>,
    ReqB::Error: Into<Box<dyn Error + Send + Sync>>,
{
    type Output = Result<Response<ReplyBody<ResB>>, I::Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            let mut this = self.as_mut().project();
            let next = match this.state.as_mut().project() {
                StateProjection::Gathering {
                    waiting,
                    body,
                    gathered,
                    coding,
                    limits,
                } => {
                    let unpacked = match ready!(gather(body, gathered, limits.wire, cx)) {
                        Ok(()) => unpack(*coding, gathered, limits).map_err(answer),
                        Err(error) => Err(error),
                    };
                    let (mut service, parts) = waiting
                        .take()
                        .expect("service and head wait until the body is gathered");
                    match unpacked {
                        Ok(bytes) => State::Passing(service.call(unpacked_request(parts, bytes))),
                        Err(error) => {
                            let request = Request::from_parts(parts, ());
                            State::Refused(Some(refuse(&request, error)))
                        }
                    }
                }
                StateProjection::Passing(inner) => {
                    let response = ready!(inner.poll(cx))?;
                    return Poll::Ready(Ok(response.map(ReplyBody::inner)));
                }
                StateProjection::Refused(response) => {
                    return Poll::Ready(Ok(response
                        .take()
                        .expect("a future is not polled after it was ready")));
                }
            };
            this.state.set(next);
        }
    }
}

/// Reads to the end, or to the first byte beyond the limit.
fn gather<B>(
    mut body: Pin<&mut B>,
    gathered: &mut BytesMut,
    most: usize,
    cx: &mut Context<'_>,
) -> Poll<Result<(), ApiError>>
where
    B: Body<Data = Bytes>,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    Poll::Ready(loop {
        match ready!(body.as_mut().poll_frame(cx)) {
            None => break Ok(()),
            Some(Ok(frame)) => {
                let Ok(data) = frame.into_data() else {
                    continue;
                };
                if data.len() > most - gathered.len() {
                    break Err(answer(Fault::TooLarge));
                }
                gathered.extend_from_slice(&data);
            }
            Some(Err(error)) => {
                break Err(ApiError::new(codes::MALFORMED_REQUEST)
                    .source(error)
                    .not_executed());
            }
        }
    })
}

/// The request as if it had never been packed: what told of the packing would now be a lie.
fn unpacked_request<B>(mut parts: Parts, bytes: Bytes) -> Request<UnpackedBody<B>> {
    parts.headers.remove(header::CONTENT_ENCODING);
    parts.headers.remove(header::CONTENT_LENGTH);
    Request::from_parts(parts, UnpackedBody::unpacked(bytes))
}

fn answer(fault: Fault) -> ApiError {
    match fault {
        Fault::TooLarge => ApiError::new(codes::PAYLOAD_TOO_LARGE)
            .note("a packed body exceeds its limits")
            .not_executed(),
        Fault::Malformed => ApiError::new(codes::MALFORMED_REQUEST)
            .note("the body is not what its content coding says")
            .not_executed(),
    }
}

impl<I, ReqB, ResB> fmt::Debug for DecompressionFuture<I, ReqB, ResB>
where
    I: Service<Request<UnpackedBody<ReqB>>>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &self.state {
            State::Gathering { .. } => "Gathering",
            State::Passing(_) => "Passing",
            State::Refused(_) => "Refused",
        };
        f.debug_struct("DecompressionFuture")
            .field("state", &state)
            .finish_non_exhaustive()
    }
}
