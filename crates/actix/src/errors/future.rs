//! Waits for the services below and turns whatever they answer into one of ours.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::ServiceResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderMap, HeaderValue};
use actix_web::{Error, HttpResponse};
use bytes::Bytes;
use pin_project::pin_project;
use seawall_errors::{ApiError, Rendered, codes};

use super::asked::Asked;
use super::watch::Watch;
use super::{ErrorsBody, Manner, adopt, log};
use crate::reply::{Attached, AttachedKept, Passthrough, failure, write_headers};
use crate::request_id::REQUEST_ID_HEADER;

/// The future of [`ErrorsService`](super::ErrorsService).
#[pin_project]
#[must_use = "futures do nothing unless polled"]
pub struct ErrorsFuture<F> {
    #[pin]
    state: State<F>,
    /// Taken with the answer.
    asked: Option<Asked>,
    manner: Arc<Manner>,
    /// Goes along with the answer, to the end of its body.
    watch: Option<Watch>,
}

#[pin_project(project = StateProjection)]
enum State<F> {
    Running(#[pin] F),
    /// The service panicked before it gave a future.
    Failed(Option<ApiError>),
    Done,
}

impl<F> ErrorsFuture<F> {
    pub(super) fn new(inner: F, asked: Asked, manner: Arc<Manner>, watch: Option<Watch>) -> Self {
        Self {
            state: State::Running(inner),
            asked: Some(asked),
            manner,
            watch,
        }
    }

    pub(super) fn panicked(
        panic: &(dyn Any + Send),
        asked: Asked,
        manner: Arc<Manner>,
        watch: Option<Watch>,
    ) -> Self {
        Self {
            state: State::Failed(Some(panic_error(panic))),
            asked: Some(asked),
            manner,
            watch,
        }
    }
}

impl<F, B> Future for ErrorsFuture<F>
where
    F: Future<Output = Result<ServiceResponse<B>, Error>>,
    B: MessageBody,
{
    type Output = Result<ServiceResponse<ErrorsBody<B>>, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let outcome = match this.state.as_mut().project() {
            StateProjection::Running(inner) => {
                match catch_unwind(AssertUnwindSafe(|| inner.poll(cx))) {
                    Ok(Poll::Pending) => return Poll::Pending,
                    Ok(Poll::Ready(outcome)) => outcome,
                    Err(panic) => {
                        let error = panic_error(panic.as_ref());
                        // Dropping what is left of a future that panicked may panic again.
                        let mut state = this.state.as_mut();
                        let _ = catch_unwind(AssertUnwindSafe(|| state.set(State::Done)));
                        Err(failure(error))
                    }
                }
            }
            StateProjection::Failed(error) => Err(failure(error.take().expect(ONCE))),
            StateProjection::Done => panic!("{ONCE}"),
        };
        let mut asked = this.asked.take().expect(ONCE);
        Poll::Ready(match outcome {
            Ok(answered) => {
                let (request, response) = answered.into_parts();
                if fails(response.status()) || this.watch.is_some() {
                    asked.locate(&request);
                }
                let route = asked.route.clone();
                let mut settled = settle(response, asked, this.manner, cx);
                if let Some(mut watch) = this.watch.take() {
                    watch.answered(route.as_ref(), &settled);
                    settled = settled.map_body(|_, body| body.watched_until_its_end(watch));
                }
                Ok(ServiceResponse::new(request, settled))
            }
            Err(error) => {
                asked.gone();
                Err(finish(error, asked, this.manner, this.watch.take(), cx))
            }
        })
    }
}

const ONCE: &str = "a future is not polled after it was ready";

fn fails(status: StatusCode) -> bool {
    status.is_client_error() || status.is_server_error()
}

/// Settles what a failure on the way will be answered with, once and for all: actix asks for the answer
/// when every middleware has returned, and may ask twice.
fn finish(
    mut error: Error,
    asked: Asked,
    manner: &Manner,
    watch: Option<Watch>,
    cx: &mut Context<'_>,
) -> Error {
    let response = error.error_response();
    let route = asked.route.clone();
    let tell = |response: &HttpResponse<()>| {
        if let Some(mut watch) = watch {
            watch.answered(route.as_ref(), response);
        }
    };
    if !fails(response.status()) {
        tell(&response.map_body(|_, _| ()));
        return error;
    }
    let (head, body) = settle(response, asked, manner, cx).into_parts();
    tell(&head);
    let told = body.told();
    let body = match told {
        Some(_) => Bytes::new(),
        None => match body.try_into_bytes() {
            Ok(body) => body,
            // Left alone, with a body of its own.
            Err(_) => return error,
        },
    };
    let (status, headers) = (head.status(), head.headers().clone());
    let attached = head.extensions().get::<Attached>().cloned();
    error.add_response_mapper(move |_| {
        let mut response = HttpResponse::new(status);
        *response.headers_mut() = headers.clone();
        if let Some(attached) = &attached {
            response.extensions_mut().insert(attached.clone());
        }
        response.set_body(match told {
            Some(length) => BoxBody::new(ErrorsBody::<Bytes>::head(length)),
            None => BoxBody::new(body.clone()),
        })
    });
    error
}

/// Passes an answer, renders the error attached to it, or adopts it.
fn settle<B: MessageBody>(
    response: HttpResponse<B>,
    asked: Asked,
    manner: &Manner,
    cx: &mut Context<'_>,
) -> HttpResponse<ErrorsBody<B>> {
    let status = response.status();
    if !fails(status)
        || response.extensions().contains::<Passthrough>()
        || adopt::is_grpc(response.headers())
    {
        return response.map_body(|_, body| ErrorsBody::watched(body, asked));
    }
    let (mut head, body) = response.into_parts();
    let kept = head.extensions_mut().remove::<AttachedKept>();
    if let Some(kept) = kept.filter(|kept| kept.error().status() == status.as_u16()) {
        // It was logged when it arose.
        let rendered = manner
            .renderer
            .render_public(kept.error(), &asked.context());
        head.extensions_mut().insert(kept);
        return write(rendered, &asked, head);
    }
    let attached = head.extensions_mut().remove::<Attached>();
    let attached = match attached {
        Some(attached) if attached.error().status() == status.as_u16() => attached,
        // Whatever changed the status of an answer meant another error than the one attached. Why
        // that one arose is still worth knowing.
        other => {
            let mut error = read_foreign(status, head.headers_mut(), body, manner, cx);
            let before = other.as_ref().map(|other| other.error().private());
            if let Some(before) = before.filter(|before| !before.is_empty()) {
                error = error.note(before.report());
            }
            Attached::new(error)
        }
    };
    adopt::strip_entity_headers(head.headers_mut());
    let rendered = manner.renderer.render(attached.error(), &asked.context());
    log::answered(&asked, attached.error());
    head.extensions_mut().insert(attached);
    write(rendered, &asked, head)
}

/// Adopts an answer. Its body is foreign code: one that panics when it is read or dropped has said
/// nothing.
fn read_foreign<B: MessageBody>(
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

/// Writes an error. The response keeps the status it has: an error was adopted by it, or it was made
/// from the error.
fn write<B>(
    rendered: Rendered,
    asked: &Asked,
    mut head: HttpResponse<()>,
) -> HttpResponse<ErrorsBody<B>> {
    write_headers(head.headers_mut(), &rendered);
    if !asked.id_is_sent
        && let Ok(id) = HeaderValue::from_str(asked.id.as_str())
    {
        head.headers_mut().insert(REQUEST_ID_HEADER, id);
    }
    head.set_body(if asked.wants_no_body() {
        ErrorsBody::head(rendered.body.len() as u64)
    } else {
        ErrorsBody::own(Bytes::from(rendered.body))
    })
}

fn panic_error(panic: &(dyn Any + Send)) -> ApiError {
    ApiError::new(codes::INTERNAL_ERROR).note(format!("panic: {}", log::panic_text(panic)))
}

impl<F> fmt::Debug for ErrorsFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ErrorsFuture")
            .field("asked", &self.asked)
            .finish_non_exhaustive()
    }
}
