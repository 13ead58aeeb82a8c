//! The request body that counts its bytes and watches the clock.

use std::cell::Cell;
use std::fmt;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use bytes::Bytes;
use futures_core::Stream;
use pin_project::pin_project;
use seawall_errors::ApiError;
use tokio::time::{Sleep, sleep};

use super::{Bounds, too_large, too_slow};

/// A request body that ends in an error once it is too large or too slow.
#[pin_project]
pub(super) struct LimitedBody {
    #[pin]
    inner: Payload,
    remaining: u64,
    bounds: Bounds,
    /// Created at the first wait: a body that is there at once never touches the timer.
    #[pin]
    timer: Option<Sleep>,
    verdict: Verdict,
}

impl LimitedBody {
    pub(super) fn new(inner: Payload, bounds: Bounds, verdict: Verdict) -> Self {
        Self {
            inner,
            remaining: bounds.bytes,
            bounds,
            timer: None,
            verdict,
        }
    }
}

impl Stream for LimitedBody {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut this = self.project();
        match this.inner.poll_next(cx) {
            Poll::Ready(Some(Ok(chunk))) => {
                let Some(remaining) = this.remaining.checked_sub(chunk.len() as u64) else {
                    *this.remaining = 0;
                    this.verdict.0.set(Finding::TooLarge);
                    return Poll::Ready(Some(Err(PayloadError::Overflow)));
                };
                *this.remaining = remaining;
                Poll::Ready(Some(Ok(chunk)))
            }
            Poll::Pending => {
                let Some(time) = this.bounds.time else {
                    return Poll::Pending;
                };
                if this.timer.is_none() {
                    this.timer.set(Some(sleep(time)));
                }
                let ended = this.timer.as_mut().as_pin_mut().map(|timer| timer.poll(cx));
                if ended.is_none_or(|ended| ended.is_pending()) {
                    return Poll::Pending;
                }
                this.verdict.0.set(Finding::TooSlow);
                let slow = io::Error::new(io::ErrorKind::TimedOut, TooSlow);
                Poll::Ready(Some(Err(PayloadError::Io(slow))))
            }
            ended => ended,
        }
    }
}

/// What became of a body, shared between it and the future that answers.
#[derive(Clone, Debug)]
pub(super) struct Verdict(Rc<Cell<Finding>>);

#[derive(Clone, Copy, Debug)]
enum Finding {
    Fine,
    TooLarge,
    TooSlow,
}

impl Verdict {
    pub(super) fn new() -> Self {
        Self(Rc::new(Cell::new(Finding::Fine)))
    }

    /// The answer to a body that broke its bounds.
    pub(super) fn refusal(&self) -> Option<ApiError> {
        match self.0.get() {
            Finding::Fine => None,
            Finding::TooLarge => Some(too_large()),
            Finding::TooSlow => Some(too_slow()),
        }
    }
}

/// Inside of the I/O error that a reader sees.
#[derive(Debug)]
pub(super) struct TooSlow;

impl fmt::Display for TooSlow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the body took longer than allowed")
    }
}

impl std::error::Error for TooSlow {}
