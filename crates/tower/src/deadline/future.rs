//! Turns an exceeded deadline into its answer.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::Response;
use pin_project::pin_project;
use seawall_timeout::Total;
use seawall_web::answer;

use crate::ReplyBody;
use crate::reply::Rendering;

/// The future of [`DeadlineService`](super::DeadlineService).
#[derive(Debug)]
#[pin_project]
#[must_use = "futures do nothing unless polled"]
pub struct DeadlineFuture<F> {
    #[pin]
    inner: Total<F>,
    rendering: Rendering,
}

impl<F> DeadlineFuture<F> {
    pub(super) fn new(inner: Total<F>, rendering: Rendering) -> Self {
        Self { inner, rendering }
    }
}

impl<F, B, E> Future for DeadlineFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = Result<Response<ReplyBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        Poll::Ready(match ready!(this.inner.poll(cx)) {
            Ok(answered) => answered.map(|response| response.map(ReplyBody::inner)),
            Err(elapsed) => Ok(this.rendering.reply(answer::timeout::elapsed(elapsed))),
        })
    }
}
