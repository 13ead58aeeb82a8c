//! Polls the inner service inside the span and on behalf of the request.

use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project::pin_project;
use seawall_web::{Origin, OriginScope};
use tracing::Span;
use tracing::instrument::{Instrument, Instrumented};

/// The future of [`TraceService`](super::TraceService).
#[derive(Debug)]
#[pin_project]
#[must_use = "futures do nothing unless polled"]
pub struct TraceFuture<F> {
    #[pin]
    inner: OriginScope<Instrumented<F>>,
}

impl<F: Future> TraceFuture<F> {
    pub(super) fn new(inner: F, origin: Origin, span: Span) -> Self {
        Self {
            inner: origin.scope(inner.instrument(span)),
        }
    }
}

impl<F: Future> Future for TraceFuture<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.project().inner.poll(cx)
    }
}
