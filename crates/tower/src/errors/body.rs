//! The response body, watched until its end: what fails after the head has gone is aborted.

use std::error::Error;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project::pin_project;
use seawall_errors::{ApiError, codes};

use super::asked::Asked;
use super::log;
use super::watch::Watch;
use crate::ReplyBody;

/// The response body behind [`ErrorsLayer`](super::ErrorsLayer).
///
/// A failure or panic midway ends it with an error, which makes the server abort the stream (no
/// last chunk, `RST_STREAM`): a caller never takes half an answer for a whole one. It is logged
/// once.
#[derive(Debug)]
#[pin_project]
pub struct ErrorsBody<B> {
    #[pin]
    inner: ReplyBody<B>,
    /// Taken when a failure has been logged, and absent where nothing can fail.
    asked: Option<Box<Asked>>,
    watch: Option<Box<Watch>>,
}

impl<B> ErrorsBody<B> {
    pub(super) fn watched(body: B, asked: Box<Asked>) -> Self {
        Self {
            inner: ReplyBody::inner(body),
            asked: Some(asked),
            watch: None,
        }
    }

    pub(super) fn own(body: Vec<u8>) -> Self {
        Self {
            inner: ReplyBody::own(body),
            asked: None,
            watch: None,
        }
    }

    pub(crate) fn watch_until_its_end(&mut self, watch: Box<Watch>) {
        self.watch = Some(watch);
    }
}

impl<B: Default> Default for ErrorsBody<B> {
    fn default() -> Self {
        Self::own(Vec::new())
    }
}

impl<B> Body for ErrorsBody<B>
where
    B: Body<Data = Bytes>,
    B::Error: fmt::Display,
{
    type Data = Bytes;
    type Error = AbortedBody<B::Error>;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let this = self.project();
        // After a panic the body is not polled again: the error below ends the stream.
        match catch_unwind(AssertUnwindSafe(|| this.inner.poll_frame(cx))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(None)) => Poll::Ready(None),
            Ok(Poll::Ready(Some(Ok(frame)))) => Poll::Ready(Some(Ok(frame))),
            Ok(Poll::Ready(Some(Err(error)))) => {
                if let Some(watch) = this.watch {
                    watch.aborted();
                }
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

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// A response body that could not be finished.
#[derive(Debug)]
pub struct AbortedBody<E> {
    cause: Cause<E>,
}

#[derive(Debug)]
enum Cause<E> {
    Failed(E),
    Panicked,
}

impl<E> fmt::Display for AbortedBody<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.cause {
            Cause::Failed(_) => "the response body failed midway",
            Cause::Panicked => "the response body panicked midway",
        })
    }
}

impl<E: fmt::Debug> Error for AbortedBody<E> {}
