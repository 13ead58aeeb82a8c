//! Waits for the call inside its span.

use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project::pin_project;
use tracing::Span;
use tracing::instrument::{Instrument, Instrumented};

/// The future of [`OutboundService`](super::OutboundService).
#[derive(Debug)]
#[pin_project]
#[must_use = "futures do nothing unless polled"]
pub struct OutboundFuture<F> {
    #[pin]
    inner: Instrumented<F>,
}

impl<F: Future> OutboundFuture<F> {
    pub(super) fn new(inner: F, span: Span) -> Self {
        Self {
            inner: inner.instrument(span),
        }
    }
}

impl<F: Future> Future for OutboundFuture<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.project().inner.poll(cx)
    }
}
