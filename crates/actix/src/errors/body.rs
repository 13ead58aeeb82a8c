//! The response body, watched until its end: what fails after the head has gone is aborted.

use std::error::Error;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, EitherBody, MessageBody};
use bytes::Bytes;
use pin_project::pin_project;
use seawall_errors::{ApiError, codes};

use super::asked::Asked;
use super::log;
use super::watch::Watch;

/// The response body behind [`ErrorsLayer`](super::ErrorsLayer).
///
/// A failure or panic midway ends it with an error, which makes the server abort the stream (no
/// last chunk, `RST_STREAM`): a caller never takes half an answer for a whole one. It is logged
/// once.
#[derive(Debug)]
#[pin_project]
pub struct ErrorsBody<B> {
    #[pin]
    inner: EitherBody<B, Bytes>,
    /// Taken when a failure has been logged, and absent where nothing can fail.
    asked: Option<Asked>,
    /// What the answer to a `GET` would be long, where `HEAD` asked.
    told: Option<u64>,
    watch: Option<Watch>,
}

impl<B> ErrorsBody<B> {
    pub(super) fn watched(body: B, asked: Asked) -> Self {
        Self {
            inner: EitherBody::Left { body },
            asked: Some(asked),
            told: None,
            watch: None,
        }
    }

    pub(super) fn own(body: Bytes) -> Self {
        Self {
            inner: EitherBody::Right { body },
            asked: None,
            told: None,
            watch: None,
        }
    }

    /// No body, and the length that it would have.
    pub(super) fn head(length: u64) -> Self {
        Self {
            told: Some(length),
            ..Self::own(Bytes::new())
        }
    }

    /// The length that is told where there is no body.
    pub(super) fn told(&self) -> Option<u64> {
        self.told
    }

    pub(super) fn watched_until_its_end(self, watch: Watch) -> Self {
        Self {
            watch: Some(watch),
            ..self
        }
    }
}

impl<B: MessageBody + 'static> MessageBody for ErrorsBody<B> {
    type Error = AbortedBody;

    fn size(&self) -> BodySize {
        self.told.map_or_else(|| self.inner.size(), BodySize::Sized)
    }

    fn poll_next(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, AbortedBody>>> {
        let this = self.project();
        // After a panic the body is not polled again: the error below ends the stream.
        match catch_unwind(AssertUnwindSafe(|| this.inner.poll_next(cx))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(None)) => Poll::Ready(None),
            Ok(Poll::Ready(Some(Ok(chunk)))) => Poll::Ready(Some(Ok(chunk))),
            Ok(Poll::Ready(Some(Err(error)))) => {
                if let Some(watch) = this.watch {
                    watch.aborted();
                }
                let error: Box<dyn Error> = error.into();
                if let Some(asked) = this.asked.take() {
                    let cause = ApiError::new(codes::INTERNAL_ERROR).note(error.to_string());
                    log::aborted(&asked, &cause);
                }
                Poll::Ready(Some(Err(AbortedBody {
                    cause: Cause::Failed(error),
                })))
            }
            Err(panic) => {
                if let Some(watch) = this.watch {
                    watch.aborted();
                }
                if let Some(asked) = this.asked.take() {
                    let said = format!("panic: {}", log::panic_text(panic.as_ref()));
                    log::aborted(&asked, &ApiError::new(codes::INTERNAL_ERROR).note(said));
                }
                Poll::Ready(Some(Err(AbortedBody {
                    cause: Cause::Panicked,
                })))
            }
        }
    }

    fn try_into_bytes(self) -> Result<Bytes, Self> {
        if self.told.is_some() || self.watch.is_some() {
            // The bytes alone do not tell of a length that is not theirs, nor of their end.
            return Err(self);
        }
        let Self {
            inner,
            asked,
            told,
            watch,
        } = self;
        inner.try_into_bytes().map_err(|inner| Self {
            inner,
            asked,
            told,
            watch,
        })
    }
}

/// A response body that could not be finished.
#[derive(Debug)]
pub struct AbortedBody {
    cause: Cause,
}

#[derive(Debug)]
enum Cause {
    Failed(#[expect(dead_code, reason = "for whoever prints the error's `Debug`")] Box<dyn Error>),
    Panicked,
}

impl fmt::Display for AbortedBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.cause {
            Cause::Failed(_) => "the response body failed midway",
            Cause::Panicked => "the response body panicked midway",
        })
    }
}

impl Error for AbortedBody {}
