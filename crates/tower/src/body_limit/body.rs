//! The request body that counts its bytes and watches the clock.

use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};

use bytes::Buf;
use http::StatusCode;
use http_body::{Body, Frame, SizeHint};
use pin_project::pin_project;
use seawall_errors::{ApiError, IntoApiError, codes};
use tokio::time::{Sleep, sleep};

use super::{Bounds, too_large, too_slow};

/// A request body that ends in an error once it is too large or too slow.
#[derive(Debug)]
#[pin_project]
pub struct LimitedBody<B> {
    #[pin]
    inner: B,
    remaining: u64,
    bounds: Bounds,
    /// Created at the first wait: a body that is there at once never touches the timer. Boxed, so
    /// that the body can be moved between polls like any other.
    timer: Option<Pin<Box<Sleep>>>,
    verdict: Option<Verdict>,
}

impl<B> LimitedBody<B> {
    pub(crate) fn new(inner: B, bounds: Bounds, verdict: Option<Verdict>) -> Self {
        Self {
            inner,
            remaining: bounds.bytes,
            bounds,
            timer: None,
            verdict,
        }
    }
}

impl<B: Body> LimitedBody<B> {
    /// The body as it came, where it has ended already, so that nothing is left to limit.
    ///
    /// For adapters that would have to box a limited body.
    ///
    /// # Errors
    ///
    /// The limited body, if something may come yet.
    #[inline]
    pub fn into_ended(self) -> Result<B, Self> {
        if self.inner.is_end_stream() {
            Ok(self.inner)
        } else {
            Err(self)
        }
    }
}

impl<B: Body> Body for LimitedBody<B> {
    type Data = B::Data;
    type Error = BodyLimitError<B::Error>;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, Self::Error>>> {
        let this = self.project();
        match this.inner.poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => {
                let length = frame.data_ref().map_or(0, |data| data.remaining() as u64);
                let Some(remaining) = this.remaining.checked_sub(length) else {
                    *this.remaining = 0;
                    record(this.verdict, Verdict::TOO_LARGE);
                    return Poll::Ready(Some(Err(BodyLimitError::TooLarge)));
                };
                *this.remaining = remaining;
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(error))) => Poll::Ready(Some(Err(BodyLimitError::Inner(error)))),
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Pending => {
                let Some(time) = this.bounds.time else {
                    return Poll::Pending;
                };
                let timer = this.timer.get_or_insert_with(|| Box::pin(sleep(time)));
                match timer.as_mut().poll(cx) {
                    Poll::Pending => Poll::Pending,
                    Poll::Ready(()) => {
                        record(this.verdict, Verdict::TOO_SLOW);
                        Poll::Ready(Some(Err(BodyLimitError::TooSlow)))
                    }
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let inner = self.inner.size_hint();
        let mut hint = SizeHint::new();
        // A body may claim to be longer than what will be let through.
        hint.set_lower(inner.lower().min(self.remaining));
        if let Some(upper) = inner.upper() {
            hint.set_upper(upper.min(self.remaining));
        }
        hint
    }
}

fn record(verdict: &Option<Verdict>, value: u8) {
    if let Some(verdict) = verdict {
        verdict.0.store(value, Ordering::Release);
    }
}

/// What became of a body, shared between it and the future that answers.
#[derive(Clone, Debug)]
pub(crate) struct Verdict(Arc<AtomicU8>);

impl Verdict {
    const TOO_LARGE: u8 = 1;
    const TOO_SLOW: u8 = 2;

    pub(super) fn new() -> Self {
        Self(Arc::new(AtomicU8::new(0)))
    }

    /// The answer that takes the place of a failure, where the body broke its bounds. A handler that
    /// answered well without the rest of the body is left alone. Acquire pairs with the store's Release, though
    /// only the value itself is read: the body may have been polled on another thread.
    pub(crate) fn instead_of(&self, answered: StatusCode) -> Option<ApiError> {
        if !answered.is_client_error() && !answered.is_server_error() {
            return None;
        }
        match self.0.load(Ordering::Acquire) {
            Self::TOO_LARGE => Some(too_large()),
            Self::TOO_SLOW => Some(too_slow()),
            _ => None,
        }
    }
}

/// Why a limited body ended early.
#[derive(Debug)]
#[non_exhaustive]
pub enum BodyLimitError<E> {
    /// More bytes came than are allowed.
    TooLarge,
    /// The body took longer than allowed.
    TooSlow,
    /// The connection failed.
    Inner(E),
}

impl<E> fmt::Display for BodyLimitError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLarge => "the body is longer than allowed",
            Self::TooSlow => "the body took longer than allowed",
            Self::Inner(_) => "the body could not be read",
        })
    }
}

impl<E: Into<Box<dyn Error + Send + Sync>> + fmt::Debug> Error for BodyLimitError<E> {}

impl<E: Into<Box<dyn Error + Send + Sync>>> IntoApiError for BodyLimitError<E> {
    fn into_api_error(self) -> ApiError {
        match self {
            Self::TooLarge => too_large(),
            Self::TooSlow => too_slow(),
            Self::Inner(error) => ApiError::new(codes::MALFORMED_REQUEST).source(error),
        }
    }
}
