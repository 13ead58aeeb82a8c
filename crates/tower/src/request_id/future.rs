//! Writes the id on the answer.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::Response;
use pin_project::pin_project;
use seawall_errors::RequestId;

use super::{REQUEST_ID_HEADER, value};

/// The future of [`RequestIdService`](super::RequestIdService).
#[derive(Debug)]
#[pin_project]
#[must_use = "futures do nothing unless polled"]
pub struct RequestIdFuture<F> {
    #[pin]
    inner: F,
    id: RequestId,
}

impl<F> RequestIdFuture<F> {
    pub(super) fn new(inner: F, id: RequestId) -> Self {
        Self { inner, id }
    }
}

impl<F, B, E> Future for RequestIdFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = Result<Response<B>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut response = ready!(this.inner.poll(cx))?;
        let id = value(this.id);
        response.headers_mut().insert(REQUEST_ID_HEADER, id);
        Poll::Ready(Ok(response))
    }
}
