//! Waits for the inner service and turns whatever it answers into one of ours.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use http_body::Body;
use pin_project::pin_project;
use seawall_errors::{ApiError, Rendered, codes};

use super::asked::Asked;
use super::watch::Watch;
use super::{ErrorsBody, Manner, adopt, log};
use crate::reply::{Attached, AttachedKept, Passthrough, status, write_headers};
use crate::request_id::REQUEST_ID_HEADER;

/// The future of [`ErrorsService`](super::ErrorsService).
#[pin_project]
#[must_use = "futures do nothing unless polled"]
pub struct ErrorsFuture<F> {
    #[pin]
    state: State<F>,
    /// Taken with the answer.
    asked: Option<Box<Asked>>,
    manner: Arc<Manner>,
    /// Goes along with the answer, to the end of its body.
    watch: Option<Box<Watch>>,
}

#[pin_project(project = StateProjection)]
enum State<F> {
    Running(#[pin] F),
    /// The service panicked before it gave a future.
    Failed(Option<ApiError>),
    Done,
}

impl<F> ErrorsFuture<F> {
    pub(super) fn new(
        inner: F,
        asked: Box<Asked>,
        manner: Arc<Manner>,
        watch: Option<Box<Watch>>,
    ) -> Self {
        Self {
            state: State::Running(inner),
            asked: Some(asked),
            manner,
            watch,
        }
    }

    pub(super) fn panicked(
        panic: &(dyn Any + Send),
        asked: Box<Asked>,
        manner: Arc<Manner>,
        watch: Option<Box<Watch>>,
    ) -> Self {
        Self {
            state: State::Failed(Some(panic_error(panic))),
            asked: Some(asked),
            manner,
            watch,
        }
    }
}

impl<F, B, E> Future for ErrorsFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Body<Data = Bytes>,
{
    type Output = Result<Response<ErrorsBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let outcome = match this.state.as_mut().project() {
            StateProjection::Running(inner) => {
                match catch_unwind(AssertUnwindSafe(|| inner.poll(cx))) {
                    Ok(polled) => Ok(ready!(polled)?),
                    Err(panic) => {
                        let error = panic_error(panic.as_ref());
                        // Dropping what is left of a future that panicked may panic again.
                        let mut state = this.state.as_mut();
                        let _ = catch_unwind(AssertUnwindSafe(|| state.set(State::Done)));
                        Err(error)
                    }
                }
            }
            StateProjection::Failed(error) => Err(error.take().expect(ONCE)),
            StateProjection::Done => panic!("{ONCE}"),
        };
        let asked = this.asked.take().expect(ONCE);
        let mut response = match outcome {
            Ok(answered) => settle(answered, asked, this.manner, cx),
            Err(error) => answer(error, &asked, this.manner),
        };
        if let Some(mut watch) = this.watch.take() {
            watch.answered(&response);
            response.body_mut().watch_until_its_end(watch);
        }
        Poll::Ready(Ok(response))
    }
}

pub(crate) const ONCE: &str = "a future is not polled after it was ready";

/// Passes an answer, renders the error attached to it, or adopts it.
pub(crate) fn settle<B: Body<Data = Bytes>>(
    response: Response<B>,
    asked: Box<Asked>,
    manner: &Manner,
    cx: &mut Context<'_>,
) -> Response<ErrorsBody<B>> {
    let status = response.status();
    let failed = status.is_client_error() || status.is_server_error();
    if !failed
        || response.extensions().get::<Passthrough>().is_some()
        || adopt::is_grpc(response.headers())
    {
        return response.map(|body| ErrorsBody::watched(body, asked));
    }
    let (mut parts, body) = response.into_parts();
    let kept = parts.extensions.remove::<AttachedKept>();
    if let Some(kept) = kept.filter(|kept| kept.error().status() == status.as_u16()) {
        // It was logged when it arose.
        let rendered = manner
            .renderer
            .render_public(kept.error(), &asked.context());
        let mut response = Response::from_parts(parts, ErrorsBody::own(Vec::new()));
        write(rendered, &asked, &mut response);
        response.extensions_mut().insert(kept);
        return response;
    }
    let attached = match parts.extensions.remove::<Attached>() {
        Some(attached) if attached.error().status() == status.as_u16() => attached,
        // Whatever changed the status of an answer meant another error than the one attached. Why
        // that one arose is still worth knowing.
        other => {
            let mut error = read_foreign(status, &mut parts.headers, body, manner, cx);
            let before = other.as_ref().map(|other| other.error().private());
            if let Some(before) = before.filter(|before| !before.is_empty()) {
                error = error.note(before.report());
            }
            Attached::new(error)
        }
    };
    adopt::strip_entity_headers(&mut parts.headers);
    let mut response = Response::from_parts(parts, ErrorsBody::own(Vec::new()));
    render(attached.error(), &asked, manner, &mut response);
    response.extensions_mut().insert(attached);
    response
}

/// Adopts an answer. Its body is foreign code: one that panics when it is read or dropped has said
/// nothing.
fn read_foreign<B: Body<Data = Bytes>>(
    status: StatusCode,
    headers: &mut HeaderMap,
    body: B,
    manner: &Manner,
    cx: &mut Context<'_>,
) -> ApiError {
    let adopted = catch_unwind(AssertUnwindSafe(|| {
        adopt::adopt(status, headers, body, manner, cx)
    }));
    adopted.unwrap_or_else(|panic| {
        ApiError::new(codes::for_status(status.as_u16()))
            .note(format!("panic: {}", log::panic_text(panic.as_ref())))
    })
}

/// The answer to a failure that has no response yet.
fn answer<B>(error: ApiError, asked: &Asked, manner: &Manner) -> Response<ErrorsBody<B>> {
    answer_with(Response::new(()), error, asked, manner)
}

/// The same, where headers stand already.
pub(crate) fn answer_with<B>(
    headers: Response<()>,
    error: ApiError,
    asked: &Asked,
    manner: &Manner,
) -> Response<ErrorsBody<B>> {
    let mut response = headers.map(|()| ErrorsBody::own(Vec::new()));
    *response.status_mut() = status(error.status());
    render(&error, asked, manner, &mut response);
    response.extensions_mut().insert(Attached::new(error));
    response
}

/// Writes and logs an error. The response keeps the status it has: an error was adopted by it, or
/// it was made from the error.
fn render<B>(
    error: &ApiError,
    asked: &Asked,
    manner: &Manner,
    response: &mut Response<ErrorsBody<B>>,
) {
    let rendered = manner.renderer.render(error, &asked.context());
    log::answered(asked, error);
    write(rendered, asked, response);
}

fn write<B>(rendered: Rendered, asked: &Asked, response: &mut Response<ErrorsBody<B>>) {
    write_headers(response.headers_mut(), &rendered);
    if !asked.id_is_sent
        && let Ok(id) = HeaderValue::from_str(asked.id.as_str())
    {
        response.headers_mut().insert(REQUEST_ID_HEADER, id);
    }
    let mut body = rendered.body;
    if asked.wants_no_body() {
        // What the answer to a `GET` would be long (RFC 9110, section 9.3.2): whoever counts the body
        // that is left would say 0.
        let length = HeaderValue::from(body.len());
        response
            .headers_mut()
            .insert(header::CONTENT_LENGTH, length);
        body = Vec::new();
    }
    *response.body_mut() = ErrorsBody::own(body);
}

pub(crate) fn panic_error(panic: &(dyn Any + Send)) -> ApiError {
    ApiError::new(codes::INTERNAL_ERROR).note(format!("panic: {}", log::panic_text(panic)))
}

impl<F> fmt::Debug for ErrorsFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ErrorsFuture")
            .field("asked", &self.asked)
            .finish_non_exhaustive()
    }
}
