//! Answers for a body that broke its bounds, whatever the handler made of it.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::Response;
use pin_project::pin_project;

use super::body::Verdict;
use crate::ReplyBody;
use crate::reply::Rendering;

/// The future of [`BodyLimitService`](super::BodyLimitService).
#[pin_project]
#[must_use = "futures do nothing unless polled"]
pub struct BodyLimitFuture<F, ResB> {
    #[pin]
    state: State<F, ResB>,
}

#[pin_project(project = StateProjection)]
enum State<F, ResB> {
    Admitted {
        #[pin]
        inner: F,
        verdict: Option<Verdict>,
        rendering: Rendering,
    },
    Refused(Option<Response<ReplyBody<ResB>>>),
}

impl<F, ResB> BodyLimitFuture<F, ResB> {
    pub(super) fn admitted(inner: F, verdict: Option<Verdict>, rendering: Rendering) -> Self {
        Self {
            state: State::Admitted {
                inner,
                verdict,
                rendering,
            },
        }
    }

    pub(super) fn refused(response: Response<ReplyBody<ResB>>) -> Self {
        Self {
            state: State::Refused(Some(response)),
        }
    }
}

impl<F, ResB, E> Future for BodyLimitFuture<F, ResB>
where
    F: Future<Output = Result<Response<ResB>, E>>,
{
    type Output = Result<Response<ReplyBody<ResB>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            StateProjection::Admitted {
                inner,
                verdict,
                rendering,
            } => {
                let response = ready!(inner.poll(cx))?;
                let refusal = verdict
                    .as_ref()
                    .and_then(|verdict| verdict.instead_of(response.status()));
                Poll::Ready(Ok(match refusal {
                    Some(error) => rendering.reply(error),
                    None => response.map(ReplyBody::inner),
                }))
            }
            StateProjection::Refused(response) => Poll::Ready(Ok(response
                .take()
                .expect("a future is not polled after it was ready"))),
        }
    }
}

impl<F, ResB> fmt::Debug for BodyLimitFuture<F, ResB> {
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
