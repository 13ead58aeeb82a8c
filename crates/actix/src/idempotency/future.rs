//! Reads the body, hands the request to its task, and waits for the answer.

use std::fmt;
use std::mem;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{Payload, Service, ServiceRequest, ServiceResponse};
use actix_web::rt::{self, task::JoinHandle};
use bytes::Bytes;
use futures_core::Stream as _;
use pin_project::pin_project;
use seawall_errors::{ApiError, codes};
use seawall_idempotency::Store;
use seawall_web::Gathered;
use seawall_web::Origin;
use seawall_web::idempotency::Execution;
use tracing::Instrument as _;

use super::body::AnswerBody;
use super::job::{Answer, Job};
use crate::body_limit::unreadable;

/// The future of [`IdempotencyService`](super::IdempotencyService).
#[pin_project]
#[must_use = "futures do nothing unless polled"]
pub struct IdempotencyFuture<R, I, B>
where
    I: Service<ServiceRequest>,
{
    #[pin]
    state: State<R, I, B, I::Future>,
}

type Outcome<B> = Result<Answer<B>, Error>;

/// What is large is in a box, so that a request without a key does not carry it about.
#[pin_project(project = StateProjection, project_replace = StateReplaced)]
enum State<R, I, B, F> {
    /// Without a key.
    Passed(#[pin] F),
    Reading(Box<Reading<R, I>>),
    Detached(JoinHandle<Outcome<B>>),
    Inline(Pin<Box<dyn Future<Output = Outcome<B>>>>),
    Refused(Box<Answer<B>>),
    Done,
}

struct Reading<R, I> {
    payload: Payload,
    read: Gathered,
    job: Job<R, I>,
}

impl<R, I, B> IdempotencyFuture<R, I, B>
where
    I: Service<ServiceRequest>,
{
    pub(super) fn passed(inner: I::Future) -> Self {
        Self {
            state: State::Passed(inner),
        }
    }

    pub(super) fn reading(job: Job<R, I>, payload: Payload) -> Self {
        Self {
            state: State::Reading(Box::new(Reading {
                payload,
                read: Gathered::default(),
                job,
            })),
        }
    }

    pub(super) fn refused(answer: Answer<B>) -> Self {
        Self {
            state: State::Refused(Box::new(answer)),
        }
    }
}

impl<R, I, B> State<R, I, B, I::Future>
where
    R: Store,
    I: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    /// All of the body is there. What the task is to know of its caller is taken along: threads know
    /// it, tasks do not.
    fn begin(job: Job<R, I>, body: Bytes) -> Self {
        let fingerprint = job.fingerprint(&body);
        match job.begin_now(fingerprint) {
            // Nothing is awaited between the reservation and the task, so nothing can be dropped.
            Some(begun) => match job.without_work(begun) {
                Ok((job, held)) => Self::start(job, |job| job.execute(held, body)),
                Err(answer) => Self::Refused(answer),
            },
            None => Self::start(job, |job| job.run(fingerprint, body)),
        }
    }

    fn start<W>(job: Job<R, I>, run: impl FnOnce(Job<R, I>) -> W) -> Self
    where
        W: Future<Output = Outcome<B>> + 'static,
    {
        let (execution, tasks) = (job.asked.execution(), job.setup.tasks.clone());
        let run = run(job);
        if execution == Execution::Inline {
            return Self::Inline(Box::pin(run));
        }
        let run = tasks.track_future(run.in_current_span());
        Self::Detached(match (Origin::current(), seawall_timeout::current()) {
            (None, None) => rt::spawn(run),
            (Some(origin), None) => rt::spawn(origin.scope(run)),
            (None, Some(deadline)) => rt::spawn(seawall_timeout::scope(deadline, run)),
            (Some(origin), Some(deadline)) => {
                rt::spawn(origin.scope(seawall_timeout::scope(deadline, run)))
            }
        })
    }
}

impl<R: Store, I> Reading<R, I> {
    /// All of the body, or why there is none.
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Result<Bytes, ApiError>> {
        let max_body = self.job.setup.rules.max_body();
        while let Some(chunk) = ready!(Pin::new(&mut self.payload).poll_next(cx)) {
            match chunk {
                Ok(chunk) if self.read.len() + chunk.len() > max_body => {
                    return Poll::Ready(Err(ApiError::new(codes::PAYLOAD_TOO_LARGE)));
                }
                Ok(chunk) => self.read.push(chunk),
                Err(error) => return Poll::Ready(Err(unreadable(error))),
            }
        }
        Poll::Ready(Ok(mem::take(&mut self.read).into_bytes()))
    }
}

impl<R, I, B> Future for IdempotencyFuture<R, I, B>
where
    R: Store,
    I: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Output = Outcome<B>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            let next = match state.as_mut().project() {
                StateProjection::Passed(inner) => {
                    let answered = ready!(inner.poll(cx));
                    return Poll::Ready(
                        answered
                            .map(|response| response.map_body(|_, body| AnswerBody::passed(body))),
                    );
                }
                StateProjection::Reading(reading) => {
                    let read = ready!(reading.poll_read(cx));
                    let StateReplaced::Reading(reading) =
                        state.as_mut().project_replace(State::Done)
                    else {
                        unreachable!("the state was Reading a line above")
                    };
                    match read {
                        Ok(body) => State::begin(reading.job, body),
                        Err(error) => {
                            State::Refused(Box::new(reading.job.refuse(error.not_executed())))
                        }
                    }
                }
                StateProjection::Detached(task) => match ready!(Pin::new(task).poll(cx)) {
                    Ok(answered) => return Poll::Ready(answered),
                    Err(failure) => match failure.try_into_panic() {
                        Ok(panic) => resume_unwind(panic),
                        // The worker is stopping: nobody will be answered any more.
                        Err(_) => return Poll::Pending,
                    },
                },
                StateProjection::Inline(run) => return run.as_mut().poll(cx),
                StateProjection::Refused(_) => {
                    let StateReplaced::Refused(answer) =
                        state.as_mut().project_replace(State::Done)
                    else {
                        unreachable!("the state was Refused a line above")
                    };
                    return Poll::Ready(Ok(*answer));
                }
                StateProjection::Done => panic!("a future is not polled after it was ready"),
            };
            state.set(next);
        }
    }
}

impl<R, I, B> fmt::Debug for IdempotencyFuture<R, I, B>
where
    I: Service<ServiceRequest>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &self.state {
            State::Passed(_) => "Passed",
            State::Reading(_) => "Reading",
            State::Detached(_) => "Detached",
            State::Inline(_) => "Inline",
            State::Refused(_) => "Refused",
            State::Done => "Done",
        };
        f.debug_struct("IdempotencyFuture")
            .field("state", &state)
            .finish_non_exhaustive()
    }
}
