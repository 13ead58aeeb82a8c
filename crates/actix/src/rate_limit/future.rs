//! Waits for the decision where the store needs time, then for the inner service.

use std::fmt;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use actix_web::Error;
use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse};
use pin_project::pin_project;
use seawall_ratelimit::{Decision, Store};
use seawall_web::limits::{Keys, RateLimits};

use super::Telling;
use super::fields::Fields;

/// The future of [`RateLimitService`](super::RateLimitService).
#[pin_project]
#[must_use = "futures do nothing unless polled"]
pub struct RateLimitFuture<I, S, B>
where
    I: Service<ServiceRequest>,
{
    #[pin]
    state: State<I, S, B, I::Future>,
}

type Answer<B> = Result<ServiceResponse<EitherBody<B>>, Error>;

#[allow(
    clippy::large_enum_variant,
    reason = "the large state is the one of every admitted request"
)]
#[pin_project(project = StateProjection, project_replace = StateReplaced)]
enum State<I, S, B, F> {
    /// The store has been asked. Only stores that cannot answer at once come here.
    Asked(Box<Asked<I, S>>),
    Admitted {
        #[pin]
        inner: F,
        fields: Fields,
        /// Taken when it is of no further use.
        decision: Option<Decision>,
        settle: Option<Box<Settle<S>>>,
    },
    /// The answer is here; what it did not count is given back.
    Settling {
        wait: Wait<()>,
        answer: Answer<B>,
    },
    Answered(ServiceResponse<EitherBody<B>>),
    Done,
}

struct Asked<I, S> {
    check: Wait<(Keys, Decision)>,
    limits: RateLimits<S>,
    fields: Fields,
    telling: Telling,
    inner: Rc<I>,
    request: ServiceRequest,
}

/// Kept only where a policy does not count every response.
pub(super) struct Settle<S> {
    limits: RateLimits<S>,
    keys: Keys,
}

type Wait<T> = Pin<Box<dyn Future<Output = T>>>;

impl<S: Store> Settle<S> {
    pub(super) fn boxed(limits: &RateLimits<S>, keys: Keys) -> Box<Self> {
        let limits = limits.clone();
        Box::new(Self { limits, keys })
    }

    fn start(self, decision: Decision, status: u16) -> Wait<()> {
        Box::pin(async move {
            self.limits.settle(&self.keys, &decision, status).await;
        })
    }
}

impl<I, S, B> RateLimitFuture<I, S, B>
where
    I: Service<ServiceRequest>,
    S: Store,
{
    pub(super) fn waiting(
        limits: RateLimits<S>,
        fields: Fields,
        telling: Telling,
        keys: Keys,
        inner: Rc<I>,
        request: ServiceRequest,
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
                telling,
                inner,
                request,
            })),
        }
    }

    #[inline]
    pub(super) fn admitted(
        inner: I::Future,
        fields: Fields,
        decision: Decision,
        settle: Option<Box<Settle<S>>>,
    ) -> Self {
        Self {
            state: State::Admitted {
                inner,
                fields,
                decision: Some(decision),
                settle,
            },
        }
    }

    pub(super) fn answered(response: ServiceResponse<EitherBody<B>>) -> Self {
        Self {
            state: State::Answered(response),
        }
    }
}

impl<I, S> Asked<I, S>
where
    I: Service<ServiceRequest>,
    S: Store,
{
    /// Calls the inner service if the decision allows, else answers.
    fn decided<B>(self, keys: Keys, decision: Decision) -> State<I, S, B, I::Future> {
        match decision {
            Decision::Allow(_) => {
                self.telling.tell(&self.request, &decision);
                State::Admitted {
                    inner: self.inner.call(self.request),
                    fields: self.fields,
                    settle: (self.limits.needs_settling())
                        .then(|| Settle::boxed(&self.limits, keys)),
                    decision: Some(decision),
                }
            }
            Decision::Deny(denied) => State::Answered(self.fields.denial(self.request, denied)),
        }
    }
}

/// Puts the headers on an answer, and gives its status. On an error they are put when it becomes an
/// answer: there is none yet.
#[inline]
fn finish<B>(fields: Fields, decision: &Decision, answer: &mut Answer<B>) -> u16 {
    match answer {
        Ok(response) => {
            fields.finish(decision, response.response_mut());
            response.status().as_u16()
        }
        Err(error) => {
            let decision = decision.clone();
            error.add_response_mapper(move |mut response| {
                fields.finish(&decision, &mut response);
                response
            });
            error.as_response_error().status_code().as_u16()
        }
    }
}

impl<I, S, B> Future for RateLimitFuture<I, S, B>
where
    I: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    S: Store,
    B: MessageBody,
{
    type Output = Answer<B>;

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
                    let answer = ready!(inner.poll(cx));
                    let mut answer = answer.map(ServiceResponse::map_into_left_body);
                    let (Some(decision), settle) = (decision.take(), settle.take()) else {
                        unreachable!("{ONCE}")
                    };
                    // The headers tell what was decided; what is given back shows on the next answer.
                    let status = finish(*fields, &decision, &mut answer);
                    let Some(settle) = settle else {
                        state.set(State::Done);
                        return Poll::Ready(answer);
                    };
                    let wait = settle.start(decision, status);
                    State::Settling { wait, answer }
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
                    let StateReplaced::Settling { answer, .. } =
                        state.as_mut().project_replace(State::Done)
                    else {
                        unreachable!("the state was Settling a line above")
                    };
                    return Poll::Ready(answer);
                }
                StateProjection::Answered(_) => {
                    let StateReplaced::Answered(response) = state.project_replace(State::Done)
                    else {
                        unreachable!("the state was Answered a line above")
                    };
                    return Poll::Ready(Ok(response));
                }
                StateProjection::Done => panic!("{ONCE}"),
            };
            state.set(next);
        }
    }
}

const ONCE: &str = "a future is not polled after it was ready";

impl<I, S, B> fmt::Debug for RateLimitFuture<I, S, B>
where
    I: Service<ServiceRequest>,
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
