//! Writes the id on the answer.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use actix_web::Error;
use actix_web::dev::ServiceResponse;
use actix_web::http::header::HeaderValue;
use pin_project::pin_project;
use seawall_errors::RequestId;

use super::REQUEST_ID_HEADER;

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

impl<F, B> Future for RequestIdFuture<F>
where
    F: Future<Output = Result<ServiceResponse<B>, Error>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let outcome = ready!(this.inner.poll(cx));
        let id = HeaderValue::from_str(this.id.as_str())
            .expect("an id is made of letters, digits, dots, underscores and hyphens");
        Poll::Ready(match outcome {
            Ok(mut response) => {
                response.headers_mut().insert(REQUEST_ID_HEADER, id);
                Ok(response)
            }
            // It becomes an answer outside of every middleware.
            Err(mut error) => {
                error.add_response_mapper(move |mut response| {
                    response.headers_mut().insert(REQUEST_ID_HEADER, id.clone());
                    response
                });
                Err(error)
            }
        })
    }
}
