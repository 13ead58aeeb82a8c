//! Answers for a body that broke its bounds, whatever the handler made of it.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use actix_web::Error;
use actix_web::body::EitherBody;
use actix_web::dev::ServiceResponse;
use pin_project::pin_project;

use super::body::Verdict;
use crate::reply::{Rendering, failure};

/// The future of [`BodyLimitService`](super::BodyLimitService).
#[pin_project]
#[must_use = "futures do nothing unless polled"]
pub struct BodyLimitFuture<F, B> {
    #[pin]
    state: State<F, B>,
}

#[pin_project(project = StateProjection)]
enum State<F, B> {
    Admitted {
        #[pin]
        inner: F,
        verdict: Option<Verdict>,
        rendering: Rendering,
    },
    Refused(Option<ServiceResponse<EitherBody<B>>>),
}

impl<F, B> BodyLimitFuture<F, B> {
    pub(super) fn admitted(inner: F, verdict: Option<Verdict>, rendering: Rendering) -> Self {
        Self {
            state: State::Admitted {
                inner,
                verdict,
                rendering,
            },
        }
    }

    pub(super) fn refused(response: ServiceResponse<EitherBody<B>>) -> Self {
        Self {
            state: State::Refused(Some(response)),
        }
    }
}

impl<F, B> Future for BodyLimitFuture<F, B>
where
    F: Future<Output = Result<ServiceResponse<B>, Error>>,
{
    type Output = Result<ServiceResponse<EitherBody<B>>, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            StateProjection::Admitted {
                inner,
                verdict,
                rendering,
            } => {
                let outcome = ready!(inner.poll(cx));
                // A handler that answered well without the rest of the body is left alone.
                let failed = match &outcome {
                    Ok(response) => {
                        let status = response.status();
                        status.is_client_error() || status.is_server_error()
                    }
                    Err(_) => true,
                };
                let refusal = verdict
                    .as_ref()
                    .filter(|_| failed)
                    .and_then(Verdict::refusal);
                Poll::Ready(match (outcome, refusal) {
                    (outcome, None) => outcome.map(ServiceResponse::map_into_left_body),
                    (Ok(response), Some(error)) => Ok(response
                        .into_response(rendering.reply(error))
                        .map_into_right_body()),
                    (Err(_), Some(error)) => Err(failure(error)),
                })
            }
            StateProjection::Refused(response) => Poll::Ready(Ok(response
                .take()
                .expect("a future is not polled after it was ready"))),
        }
    }
}

impl<F, B> fmt::Debug for BodyLimitFuture<F, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &self.state {
            State::Admitted { .. } => "Admitted",
            State::Refused(_) => "Refused",
        };
        f.debug_struct("BodyLimitFuture")
            .field("state", &state)
            .finish_non_exhaustive()
    }
}
