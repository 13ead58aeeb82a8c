//! What happens under the deadline: the store is asked if it needs time, the inner service answers, and
//! what its answer does not count is given back.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use http::{Request, Response};
use http_body::Body;
use pin_project::pin_project;
use seawall_errors::ApiError;
use seawall_ratelimit::{Decision, Store};
use seawall_web::answer;
use seawall_web::limits::{Keys, RateLimits};
use tower_service::Service;

use super::shared::Shared;
use crate::body_limit::{Bounds, LimitedBody, Verdict};
use crate::rate_limit::fields::Fields;
use crate::rate_limit::{Settle, Wait};
use crate::reply::status;

/// How far a request came.
#[derive(Debug)]
pub(super) enum Reached<ResB> {
    /// The inner service answered.
    Answered(Response<ResB>),
    /// It was refused with this error; the response holds the headers that stand already.
    Refused(Response<()>, ApiError),
}

impl<ResB> Reached<ResB> {
    pub(super) fn refused(error: ApiError) -> Self {
        let mut response = Response::new(());
        // At once: a map that grows under a refusal's headers costs more than they do.
        response.headers_mut().reserve(HEADERS);
        Self::Refused(response, error)
    }

    /// Refused by a rate limit.
    pub(super) fn denied(fields: Fields, decision: &Decision) -> Self {
        let Decision::Deny(denied) = decision else {
            unreachable!("only denials are answered so")
        };
        let mut reached = Self::refused(answer::ratelimit::denied(denied));
        reached.write(fields, decision);
        reached
    }

    fn write(&mut self, fields: Fields, decision: &Decision) {
        match self {
            Self::Answered(response) => fields.finish(decision, response),
            Self::Refused(response, _) => fields.finish(decision, response),
        }
    }

    fn status(&self) -> u16 {
        match self {
            Self::Answered(response) => response.status().as_u16(),
            Self::Refused(_, error) => status(error.status()).as_u16(),
        }
    }
}

/// What the rate limits said about a request that they let in.
pub(super) struct Passed<S> {
    pub(super) fields: Fields,
    pub(super) decision: Decision,
    pub(super) settle: Option<Box<Settle<S>>>,
}

impl<S: Store> Passed<S> {
    /// Takes the keys only where they are needed again: they are large.
    #[inline]
    pub(super) fn new(
        limits: &RateLimits<S>,
        fields: Fields,
        keys: &mut Keys,
        by: Decision,
    ) -> Self {
        let settle = (limits.needs_settling()).then(|| Settle::boxed(limits, std::mem::take(keys)));
        Self {
            fields,
            decision: by,
            settle,
        }
    }
}

/// What a refusal carries in all: four of any error, the wait, five of limits, the id, and the length
/// that the server adds.
const HEADERS: usize = 12;

#[allow(
    clippy::large_enum_variant,
    reason = "the large state is the one of every admitted request"
)]
#[pin_project(project = GateProjection, project_replace = GateReplaced)]
pub(super) enum Gate<I, S, ReqB, ResB, F> {
    /// The store has been asked. Only stores that cannot answer at once come here.
    Asked(Box<Asked<I, S, ReqB>>),
    Admitted {
        #[pin]
        inner: F,
        verdict: Option<Verdict>,
        passed: Option<Passed<S>>,
    },
    /// The answer is here; what it did not count is given back.
    Settling {
        wait: Wait<()>,
        reached: Reached<ResB>,
    },
    Reached(Reached<ResB>),
    Done,
}

pub(super) struct Asked<I, S, ReqB> {
    check: Wait<(Keys, Decision)>,
    shared: Arc<Shared<S>>,
    fields: Fields,
    bounds: Bounds,
    inner: I,
    request: Request<ReqB>,
}

impl<I, S, ReqB, ResB> Gate<I, S, ReqB, ResB, I::Future>
where
    I: Service<Request<LimitedBody<ReqB>>, Response = Response<ResB>>,
    S: Store,
    ReqB: Body,
{
    /// Waits for the store.
    pub(super) fn asked(
        shared: &Arc<Shared<S>>,
        limits: &RateLimits<S>,
        keys: Keys,
        fields: Fields,
        bounds: Bounds,
        inner: I,
        request: Request<ReqB>,
    ) -> Self {
        let limits = limits.clone();
        let check: Wait<_> = Box::pin(async move {
            let decision = limits.check(&keys).await;
            (keys, decision)
        });
        Self::Asked(Box::new(Asked {
            check,
            shared: Arc::clone(shared),
            fields,
            bounds,
            inner,
            request,
        }))
    }

    /// Calls the inner service, if the body is not too large.
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "what it makes is large, and would be copied"
    )]
    pub(super) fn admit(
        inner: &mut I,
        request: Request<ReqB>,
        bounds: Bounds,
        passed: Option<Passed<S>>,
    ) -> Self {
        match bounds.admit(&request) {
            Ok(verdict) => {
                let request = request.map(|body| LimitedBody::new(body, bounds, verdict.clone()));
                Self::Admitted {
                    inner: inner.call(request),
                    verdict,
                    passed,
                }
            }
            Err(error) => Self::reached(Reached::refused(error), passed),
        }
    }

    fn reached(mut reached: Reached<ResB>, passed: Option<Passed<S>>) -> Self {
        let Some(passed) = passed else {
            return Self::Reached(reached);
        };
        // The headers tell what was decided; what is given back shows on the next answer.
        reached.write(passed.fields, &passed.decision);
        match passed.settle {
            Some(settle) => Self::Settling {
                wait: settle.start(passed.decision, reached.status()),
                reached,
            },
            None => Self::Reached(reached),
        }
    }
}

impl<I, S, ReqB> Asked<I, S, ReqB>
where
    S: Store,
    ReqB: Body,
{
    fn decided<ResB>(
        mut self,
        mut keys: Keys,
        decision: Decision,
    ) -> Gate<I, S, ReqB, ResB, I::Future>
    where
        I: Service<Request<LimitedBody<ReqB>>, Response = Response<ResB>>,
    {
        if !decision.is_allowed() {
            return Gate::Reached(Reached::denied(self.fields, &decision));
        }
        let passed = (self.shared.limits())
            .map(|limits| Passed::new(limits, self.fields, &mut keys, decision));
        Gate::admit(&mut self.inner, self.request, self.bounds, passed)
    }
}

impl<I, S, ReqB, ResB> Future for Gate<I, S, ReqB, ResB, I::Future>
where
    I: Service<Request<LimitedBody<ReqB>>, Response = Response<ResB>>,
    S: Store,
    ReqB: Body,
{
    type Output = Result<Reached<ResB>, I::Error>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            let next = match self.as_mut().project() {
                // First, and answered in place: what moves a state about takes longer than the rest.
                GateProjection::Admitted {
                    inner,
                    verdict,
                    passed,
                } => {
                    let response = match ready!(inner.poll(cx)) {
                        Ok(response) => response,
                        Err(error) => {
                            self.set(Self::Done);
                            return Poll::Ready(Err(error));
                        }
                    };
                    let overruled = verdict
                        .as_ref()
                        .and_then(|verdict| verdict.instead_of(response.status()));
                    let mut reached = match overruled {
                        None => Reached::Answered(response),
                        Some(error) => Reached::refused(error),
                    };
                    if let Some(Passed {
                        settle: Some(_), ..
                    }) = passed
                    {
                        Self::reached(reached, passed.take())
                    } else {
                        if let Some(passed) = passed {
                            reached.write(passed.fields, &passed.decision);
                        }
                        self.set(Self::Done);
                        return Poll::Ready(Ok(reached));
                    }
                }
                GateProjection::Asked(asked) => {
                    let (keys, decision) = ready!(asked.check.as_mut().poll(cx));
                    let GateReplaced::Asked(asked) = self.as_mut().project_replace(Self::Done)
                    else {
                        unreachable!("the state was Asked a line above")
                    };
                    asked.decided(keys, decision)
                }
                GateProjection::Settling { wait, .. } => {
                    ready!(wait.as_mut().poll(cx));
                    let GateReplaced::Settling { reached, .. } =
                        self.as_mut().project_replace(Self::Done)
                    else {
                        unreachable!("the state was Settling a line above")
                    };
                    return Poll::Ready(Ok(reached));
                }
                GateProjection::Reached(_) => {
                    let GateReplaced::Reached(reached) = self.as_mut().project_replace(Self::Done)
                    else {
                        unreachable!("the state was Reached a line above")
                    };
                    return Poll::Ready(Ok(reached));
                }
                GateProjection::Done => panic!("polled after it was ready"),
            };
            self.set(next);
        }
    }
}
