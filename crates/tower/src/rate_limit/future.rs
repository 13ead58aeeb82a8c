//! Waits for the decision where the store needs time, then for the inner service.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::{Request, Response};
use pin_project::pin_project;
use seawall_ratelimit::{Decision, Store};
use seawall_web::answer;
use seawall_web::limits::Keys;
use tower_service::Service;

use super::Admission;
use crate::ReplyBody;
use crate::reply::refuse;

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
        admission: Admission<S>,
        decision: Decision,
        /// Kept only where a policy does not count every response.
        keys: Option<Box<Keys>>,
    },
    /// The response is here; what it did not count is given back.
    Settling {
        settle: Wait<()>,
        response: Response<ReplyBody<ResB>>,
    },
    Answered(Response<ReplyBody<ResB>>),
    Done,
}

struct Asked<I, S, ReqB> {
    check: Wait<(Keys, Decision)>,
    admission: Admission<S>,
    inner: I,
    request: Request<ReqB>,
}

type Wait<T> = Pin<Box<dyn Future<Output = T> + Send>>;

impl<I, S, ReqB, ResB> RateLimitFuture<I, S, ReqB, ResB>
where
    I: Service<Request<ReqB>, Response = Response<ResB>>,
    S: Store,
{
    pub(super) fn waiting(
        admission: Admission<S>,
        keys: Keys,
        inner: I,
        request: Request<ReqB>,
    ) -> Self {
        let limits = admission.limits.clone();
        let check: Wait<_> = Box::pin(async move {
            let decision = limits.check(&keys).await;
            (keys, decision)
        });
        Self {
            state: State::Asked(Box::new(Asked {
                check,
                admission,
                inner,
                request,
            })),
        }
    }

    pub(super) fn decided(
        admission: Admission<S>,
        keys: Keys,
        decision: Decision,
        inner: &mut I,
        request: Request<ReqB>,
    ) -> Self {
        Self {
            state: State::decide(admission, keys, decision, inner, request),
        }
    }

    pub(super) fn refused(response: Response<ReplyBody<ResB>>) -> Self {
        Self {
            state: State::Answered(response),
        }
    }
}

impl<I, S, ReqB, ResB> State<I, S, ReqB, ResB, I::Future>
where
    I: Service<Request<ReqB>, Response = Response<ResB>>,
    S: Store,
{
    /// Calls the inner service if the decision allows, else answers.
    fn decide(
        admission: Admission<S>,
        keys: Keys,
        decision: Decision,
        inner: &mut I,
        request: Request<ReqB>,
    ) -> Self {
        match &decision {
            Decision::Allow(_) => {
                let keys = admission.limits.needs_settling().then(|| Box::new(keys));
                Self::Admitted {
                    inner: inner.call(request),
                    admission,
                    decision,
                    keys,
                }
            }
            Decision::Deny(denied) => {
                let mut response = refuse(&request, answer::ratelimit::denied(denied));
                admission.finish(decision, &mut response);
                Self::Answered(response)
            }
        }
    }

    fn answer(
        admission: &Admission<S>,
        keys: Option<Box<Keys>>,
        decision: Decision,
        response: Response<ResB>,
    ) -> Self {
        let mut response = response.map(ReplyBody::inner);
        let Some(keys) = keys else {
            admission.finish(decision, &mut response);
            return Self::Answered(response);
        };
        // The headers tell what was decided; what is given back shows on the next answer.
        let status = response.status().as_u16();
        let limits = admission.limits.clone();
        let settle = Box::pin({
            let decision = decision.clone();
            async move { limits.settle(&keys, &decision, status).await }
        });
        admission.finish(decision, &mut response);
        Self::Settling { settle, response }
    }
}

impl<I, S, ReqB, ResB> Future for RateLimitFuture<I, S, ReqB, ResB>
where
    I: Service<Request<ReqB>, Response = Response<ResB>>,
    S: Store,
{
    type Output = Result<Response<ReplyBody<ResB>>, I::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            let next = match state.as_mut().project() {
                StateProjection::Asked(asked) => {
                    let (keys, decision) = ready!(asked.check.as_mut().poll(cx));
                    let StateReplaced::Asked(asked) = state.as_mut().project_replace(State::Done)
                    else {
                        unreachable!("the state was Asked a line above")
                    };
                    let Asked {
                        admission,
                        mut inner,
                        request,
                        ..
                    } = *asked;
                    State::decide(admission, keys, decision, &mut inner, request)
                }
                StateProjection::Admitted { inner, .. } => {
                    let answered = ready!(inner.poll(cx));
                    let StateReplaced::Admitted {
                        admission,
                        decision,
                        keys,
                        ..
                    } = state.as_mut().project_replace(State::Done)
                    else {
                        unreachable!("the state was Admitted a line above")
                    };
                    State::answer(&admission, keys, decision, answered?)
                }
                StateProjection::Settling { settle, .. } => {
                    ready!(settle.as_mut().poll(cx));
                    let StateReplaced::Settling { response, .. } =
                        state.as_mut().project_replace(State::Done)
                    else {
                        unreachable!("the state was Settling a line above")
                    };
                    State::Answered(response)
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
