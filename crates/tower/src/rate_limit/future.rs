//! Waits for the decision where the store needs time, then for the inner service.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::{Request, Response};
use pin_project::pin_project;
use seawall_ratelimit::{Decision, Store};
use seawall_web::limits::{Keys, RateLimits};
use tower_service::Service;

use super::fields::Fields;
use super::{Settle, Wait};
use crate::ReplyBody;

/// The future of [`RateLimitService`](super::RateLimitService).
#[pin_project]
#[must_use = "futures do nothing unless polled"]
pub struct RateLimitFuture<I, S, ReqB, ResB>
where
    I: Service<Request<ReqB>>,
{
    #[pin]
    state: State<I, S, ReqB, ResB, I::Future>,
}

#[allow(
    clippy::large_enum_variant,
    reason = "the large state is the one of every admitted request"
)]
#[pin_project(project = StateProjection, project_replace = StateReplaced)]
enum State<I, S, ReqB, ResB, F> {
    /// The store has been asked. Only stores that cannot answer at once come here.
    Asked(Box<Asked<I, S, ReqB>>),
    Admitted {
        #[pin]
        inner: F,
        fields: Fields,
        /// Always there; as the store's answer left it.
        decision: Option<Decision>,
        settle: Option<Box<Settle<S>>>,
    },
    /// The response is here; what it did not count is given back.
    Settling {
        wait: Wait<()>,
        response: Response<ReplyBody<ResB>>,
    },
    Answered(Response<ReplyBody<ResB>>),
    Done,
}

struct Asked<I, S, ReqB> {
    check: Wait<(Keys, Decision)>,
    limits: RateLimits<S>,
    fields: Fields,
    inner: I,
    request: Request<ReqB>,
}

impl<I, S, ReqB, ResB> RateLimitFuture<I, S, ReqB, ResB>
where
    I: Service<Request<ReqB>, Response = Response<ResB>>,
    S: Store,
{
    pub(super) fn waiting(
        limits: RateLimits<S>,
        fields: Fields,
        keys: Keys,
        inner: I,
        request: Request<ReqB>,
    ) -> Self {
        let asked = limits.clone();
        let check: Wait<_> = Box::pin(async move {
            let decision = asked.check(&keys).await;
            (keys, decision)
        });
        Self {
            state: State::Asked(Box::new(Asked {
                check,
                limits,
                fields,
                inner,
                request,
            })),
        }
    }

    #[inline]
    pub(super) fn admitted(
        inner: I::Future,
        fields: Fields,
        decision: Option<Decision>,
        settle: Option<Box<Settle<S>>>,
    ) -> Self {
        Self {
            state: State::Admitted {
                inner,
                fields,
                decision,
                settle,
            },
        }
    }

    pub(super) fn answered(response: Response<ReplyBody<ResB>>) -> Self {
        Self {
            state: State::Answered(response),
        }
    }
}

impl<I, S, ReqB> Asked<I, S, ReqB>
where
    I: Service<Request<ReqB>>,
    S: Store,
{
    /// Calls the inner service if the decision allows, else answers.
    fn decided<ResB>(
        mut self,
        keys: Keys,
        decision: Decision,
    ) -> State<I, S, ReqB, ResB, I::Future> {
        match decision {
            Decision::Allow(_) => State::Admitted {
                inner: self.inner.call(self.request),
                fields: self.fields,
                settle: (self.limits.needs_settling()).then(|| Settle::boxed(&self.limits, keys)),
                decision: Some(decision),
            },
            Decision::Deny(denied) => State::Answered(self.fields.denial(&self.request, denied)),
        }
    }
}

impl<I, S, ReqB, ResB> Future for RateLimitFuture<I, S, ReqB, ResB>
where
    I: Service<Request<ReqB>, Response = Response<ResB>>,
    S: Store,
{
    type Output = Result<Response<ReplyBody<ResB>>, I::Error>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            let next = match state.as_mut().project() {
                // First, and answered in place: what moves a state about takes longer than the rest.
                StateProjection::Admitted {
                    inner,
                    fields,
                    decision,
                    settle,
                } => {
                    let response = match ready!(inner.poll(cx)) {
                        Ok(response) => response,
                        Err(error) => {
                            state.set(State::Done);
                            return Poll::Ready(Err(error));
                        }
                    };
                    let mut response = response.map(ReplyBody::inner);
                    // The headers tell what was decided; what is given back shows on the next answer.
                    if let Some(decision) = &*decision {
                        fields.finish(decision, &mut response);
                    }
                    let (Some(settle), Some(decision)) = (settle.take(), decision) else {
                        state.set(State::Done);
                        return Poll::Ready(Ok(response));
                    };
                    let status = response.status().as_u16();
                    let wait = settle.start(decision.clone(), status);
                    State::Settling { wait, response }
                }
                StateProjection::Asked(asked) => {
                    let (keys, decision) = ready!(asked.check.as_mut().poll(cx));
                    let StateReplaced::Asked(asked) = state.as_mut().project_replace(State::Done)
                    else {
                        unreachable!("the state was Asked a line above")
                    };
                    asked.decided(keys, decision)
                }
                StateProjection::Settling { wait, .. } => {
                    ready!(wait.as_mut().poll(cx));
                    let StateReplaced::Settling { response, .. } =
                        state.as_mut().project_replace(State::Done)
                    else {
                        unreachable!("the state was Settling a line above")
                    };
                    return Poll::Ready(Ok(response));
                }
                StateProjection::Answered(_) => {
                    let StateReplaced::Answered(response) = state.project_replace(State::Done)
                    else {
                        unreachable!("the state was Answered a line above")
                    };
                    return Poll::Ready(Ok(response));
                }
                StateProjection::Done => panic!("polled after it was ready"),
            };
            state.set(next);
        }
    }
}

impl<I, S, ReqB, ResB> fmt::Debug for RateLimitFuture<I, S, ReqB, ResB>
where
    I: Service<Request<ReqB>>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &self.state {
            State::Asked(_) => "Asked",
            State::Admitted { .. } => "Admitted",
            State::Settling { .. } => "Settling",
            State::Answered(_) => "Answered",
            State::Done => "Done",
        };
        f.debug_struct("RateLimitFuture")
            .field("state", &state)
            .finish_non_exhaustive()
    }
}
