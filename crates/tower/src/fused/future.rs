//! From a request to its answer, in one future.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use pin_project::pin_project;
use seawall_ratelimit::{Decision, Store};
use seawall_timeout::{Total, current, total};
use seawall_web::answer;
use seawall_web::limits::Keys;
use tower_service::Service;
use tracing::Span;
use tracing::instrument::{Instrument, Instrumented};

use super::gate::{Gate, Passed, Reached};
use super::shared::{Live, Shared};
use super::take_ready;
use crate::body_limit::LimitedBody;
use crate::errors::ErrorsBody;
use crate::errors::asked::Asked;
use crate::errors::future::{ONCE, answer_with, panic_error, settle};
use crate::errors::watch::Watch;
use crate::outside::Outside;
use crate::rate_limit::fields::{Fields, Nested};
use crate::request_id::{self, REQUEST_ID_HEADER};
use crate::{HttpHead, Origin, deadline};

/// The future of [`FusedService`](super::FusedService).
#[pin_project]
#[must_use = "futures do nothing unless polled"]
pub struct FusedFuture<I, S, ReqB, ResB>
where
    I: Service<Request<LimitedBody<ReqB>>>,
{
    #[pin]
    work: Instrumented<Work<I, S, ReqB, ResB, I::Future>>,
    /// Lies in the thread's cell during a poll, which then holds what was there before.
    origin: Option<Origin>,
}

#[pin_project]
struct Work<I, S, ReqB, ResB, F> {
    #[pin]
    step: Step<I, S, ReqB, ResB, F>,
    /// Taken with the answer.
    asked: Option<Box<Asked>>,
    shared: Arc<Shared<S>>,
    /// Goes along with the answer, to the end of its body.
    watch: Option<Box<Watch>>,
}

#[allow(
    clippy::large_enum_variant,
    reason = "the large state is the one of every admitted request"
)]
#[pin_project(project = StepProjection)]
enum Step<I, S, ReqB, ResB, F> {
    Within(#[pin] Total<Gate<I, S, ReqB, ResB, F>>),
    /// Known at once, and in time.
    Reached(Option<Reached<ResB>>),
    Done,
}

impl<I, S, ReqB, ResB> FusedFuture<I, S, ReqB, ResB>
where
    I: Service<Request<LimitedBody<ReqB>>, Response = Response<ResB>> + Clone,
    S: Store,
    ReqB: Body,
{
    #[inline]
    pub(super) fn start(
        shared: &Arc<Shared<S>>,
        inner: &mut I,
        mut request: Request<ReqB>,
    ) -> Self {
        request_id::identify(&mut request, &shared.ids);
        let Some(traces) = &shared.traces else {
            return Self {
                work: Work::start(shared, inner, request).instrument(Span::none()),
                origin: None,
            };
        };
        let (origin, span) = traces.begin(&mut request);
        // What a service does in its call, such as logging or calling others, belongs to the
        // request as well.
        let work = span.in_scope(|| (origin.clone()).enter(|| Work::start(shared, inner, request)));
        Self {
            work: work.instrument(span),
            origin: Some(origin),
        }
    }
}

impl<I, S, ReqB, ResB> Work<I, S, ReqB, ResB, I::Future>
where
    I: Service<Request<LimitedBody<ReqB>>, Response = Response<ResB>> + Clone,
    S: Store,
    ReqB: Body,
{
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "what it makes is large, and would be copied"
    )]
    fn start(shared: &Arc<Shared<S>>, inner: &mut I, mut request: Request<ReqB>) -> Self {
        let asked = Asked::of(&request);
        let watch = Watch::begin(&shared.manner, &asked);
        let outside = Outside::enter(request.extensions_mut(), shared.marks());
        // The service may be left half-way through its call. Nothing here looks at it again but
        // the next call, which is what the service has to bear after any unwinding.
        let mut work = Self {
            step: Step::Done,
            asked: Some(asked),
            shared: Arc::clone(shared),
            watch,
        };
        // Written where it stays: handed out of the closure, a step would be copied once more.
        let called = catch_unwind(AssertUnwindSafe(|| {
            work.step = Step::first(shared, inner, request, outside);
        }));
        if let Err(panic) = called {
            let error = panic_error(panic.as_ref());
            work.step = Step::Reached(Some(Reached::refused(error)));
        }
        work
    }
}

impl<I, S, ReqB, ResB> Step<I, S, ReqB, ResB, I::Future>
where
    I: Service<Request<LimitedBody<ReqB>>, Response = Response<ResB>> + Clone,
    S: Store,
    ReqB: Body,
{
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "what it makes is large, and would be copied"
    )]
    fn first(
        shared: &Arc<Shared<S>>,
        inner: &mut I,
        request: Request<ReqB>,
        outside: Outside,
    ) -> Self {
        let Live { deadline, bounds } = shared.live();
        let limit = deadline::allowed(&request, shared.callers.as_ref(), deadline);
        // A refusal needs no deadline, unless there is none left to tell of.
        let refused = |reached| {
            if limit.is_zero() || current().is_some() {
                Self::Within(total(limit, Gate::Reached(reached)))
            } else {
                Self::Reached(Some(reached))
            }
        };
        let Some(limited) = &shared.limited else {
            return Self::Within(total(limit, Gate::admit(inner, request, bounds, None)));
        };
        let limits = &limited.limits;
        let mut keys = Keys::new();
        if let Err(error) = limits.read_keys(&HttpHead::of(&request), &mut keys) {
            return refused(Reached::refused(error));
        }
        limited.watch.look(&HttpHead::of(&request), &keys);
        let fields = Fields {
            dialects: limits.dialects(),
            nested: Nested::of(outside),
        };
        let gate = match limits.check_now(&keys) {
            Some(decision @ Decision::Allow(_)) => {
                let passed = Passed::new(limits, fields, &mut keys, decision);
                Gate::admit(inner, request, bounds, Some(passed))
            }
            Some(decision @ Decision::Deny(_)) => {
                return refused(Reached::denied(fields, &decision));
            }
            None => {
                let inner = take_ready(inner);
                Gate::asked(shared, limits, keys, fields, bounds, inner, request)
            }
        };
        Self::Within(total(limit, gate))
    }
}

impl<I, S, ReqB, ResB> Future for FusedFuture<I, S, ReqB, ResB>
where
    I: Service<Request<LimitedBody<ReqB>>, Response = Response<ResB>>,
    S: Store,
    ReqB: Body,
    ResB: Body<Data = Bytes>,
{
    type Output = Result<Response<ErrorsBody<ResB>>, I::Error>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if this.origin.is_none() {
            return this.work.poll(cx);
        }
        Origin::during(this.origin, || this.work.poll(cx))
    }
}

impl<I, S, ReqB, ResB> Future for Work<I, S, ReqB, ResB, I::Future>
where
    I: Service<Request<LimitedBody<ReqB>>, Response = Response<ResB>>,
    S: Store,
    ReqB: Body,
    ResB: Body<Data = Bytes>,
{
    type Output = Result<Response<ErrorsBody<ResB>>, I::Error>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let reached = match this.step.as_mut().project() {
            StepProjection::Within(within) => {
                match catch_unwind(AssertUnwindSafe(|| within.poll(cx))) {
                    Ok(polled) => match ready!(polled) {
                        Ok(reached) => reached?,
                        Err(elapsed) => Reached::refused(answer::timeout::elapsed(elapsed)),
                    },
                    Err(panic) => {
                        let error = panic_error(panic.as_ref());
                        // Dropping what is left of a future that panicked may panic again.
                        let mut step = this.step.as_mut();
                        let _ = catch_unwind(AssertUnwindSafe(|| step.set(Step::Done)));
                        Reached::refused(error)
                    }
                }
            }
            StepProjection::Reached(reached) => reached.take().expect(ONCE),
            StepProjection::Done => panic!("{ONCE}"),
        };
        let asked = this.asked.take().expect(ONCE);
        let id = request_id::value(&asked.id);
        let manner = &this.shared.manner;
        let mut response = match reached {
            Reached::Answered(response) => settle(response, asked, manner, cx),
            Reached::Refused(headers, error) => answer_with(headers, error, &asked, manner),
        };
        response.headers_mut().insert(REQUEST_ID_HEADER, id);
        if let Some(mut watch) = this.watch.take() {
            watch.answered(&response);
            response.body_mut().watch_until_its_end(watch);
        }
        Poll::Ready(Ok(response))
    }
}

impl<I, S, ReqB, ResB> fmt::Debug for FusedFuture<I, S, ReqB, ResB>
where
    I: Service<Request<LimitedBody<ReqB>>>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FusedFuture")
            .field("asked", &self.work.inner().asked)
            .finish_non_exhaustive()
    }
}
