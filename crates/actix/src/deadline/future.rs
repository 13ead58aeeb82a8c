//! Turns an exceeded deadline into its answer.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use actix_web::Error;
use actix_web::dev::ServiceResponse;
use pin_project::pin_project;
use seawall_timeout::Total;
use seawall_web::answer;

use crate::reply::failure;

/// The future of [`DeadlineService`](super::DeadlineService).
#[derive(Debug)]
#[pin_project]
#[must_use = "futures do nothing unless polled"]
pub struct DeadlineFuture<F> {
    #[pin]
    inner: Total<F>,
}

impl<F> DeadlineFuture<F> {
    pub(super) fn new(inner: Total<F>) -> Self {
        Self { inner }
    }
}

impl<F, B> Future for DeadlineFuture<F>
where
    F: Future<Output = Result<ServiceResponse<B>, Error>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(match ready!(self.project().inner.poll(cx)) {
            Ok(answered) => answered,
            Err(elapsed) => Err(failure(answer::timeout::elapsed(elapsed))),
        })
    }
}
