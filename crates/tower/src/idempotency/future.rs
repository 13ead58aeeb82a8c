//! Reads the body, hands the request to its task, and waits for the answer.

use std::error::Error;
use std::fmt;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use pin_project::pin_project;
use seawall_errors::{ApiError, codes};
use seawall_idempotency::Store;
use seawall_web::Gathered;
use seawall_web::idempotency::Execution;
use tokio::task::JoinHandle;
use tower_service::Service;
use tracing::Instrument as _;

use super::body::{AnswerBody, BufferedBody};
use super::job::Job;
use crate::{Origin, ReplyBody};

/// The future of [`IdempotencyService`](super::IdempotencyService).
#[pin_project]
#[must_use = "futures do nothing unless polled"]
pub struct IdempotencyFuture<S, I, ReqB, ResB>
where
    I: Service<Request<BufferedBody<ReqB>>>,
    ResB: Body,
{
    #[pin]
    state: State<S, I, ReqB, ResB, I::Future, I::Error>,
}

type Outcome<B, E> = Result<Response<AnswerBody<B>>, E>;

/// What is large is in a box, so that a request without a key does not carry it about.
#[pin_project(project = StateProjection, project_replace = StateReplaced)]
enum State<S, I, ReqB, ResB: Body, F, E> {
    /// Without a key.
    Passed(#[pin] F),
    Reading(Pin<Box<Reading<S, I, ReqB>>>),
    Detached(JoinHandle<Outcome<ResB, E>>),
    Inline(Pin<Box<dyn Future<Output = Outcome<ResB, E>> + Send>>),
    Refused(Box<Response<AnswerBody<ResB>>>),
    Done,
}

#[pin_project]
struct Reading<S, I, ReqB> {
    #[pin]
    body: ReqB,
    read: Gathered,
    /// Taken when all is read.
    job: Option<Job<S, I>>,
}

impl<S, I, ReqB, ResB> IdempotencyFuture<S, I, ReqB, ResB>
where
    I: Service<Request<BufferedBody<ReqB>>>,
    ResB: Body,
{
    pub(super) fn passed(inner: I::Future) -> Self {
        Self {
            state: State::Passed(inner),
        }
    }

    pub(super) fn reading(job: Job<S, I>, body: ReqB) -> Self {
        Self {
            state: State::Reading(Box::pin(Reading {
                body,
                read: Gathered::default(),
                job: Some(job),
            })),
        }
    }

    pub(super) fn refused(response: Response<ReplyBody<ResB>>) -> Self {
        Self {
            state: State::Refused(Box::new(response.map(AnswerBody::passed))),
        }
    }
}

impl<S, I, ReqB, ResB> State<S, I, ReqB, ResB, I::Future, I::Error>
where
    S: Store,
    I: Service<Request<BufferedBody<ReqB>>, Response = Response<ResB>> + Send + 'static,
    I::Future: Send,
    I::Error: Send,
    ReqB: Send + 'static,
    ResB: Body<Data = Bytes> + Send + 'static,
    ResB::Error: Send,
{
    /// All of the body is there. What the task is to know of its caller is taken along: threads know
    /// it, tasks do not.
    fn begin(job: Job<S, I>, body: Bytes) -> Self {
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

    fn start<R>(job: Job<S, I>, run: impl FnOnce(Job<S, I>) -> R) -> Self
    where
        R: Future<Output = Outcome<ResB, I::Error>> + Send + 'static,
    {
        let is_inline = job.asked.execution() == Execution::Inline;
        let tasks = job.setup.tasks.clone();
        let run = run(job);
        if is_inline {
            return Self::Inline(Box::pin(run));
        }
        let run = run.in_current_span();
        Self::Detached(match (Origin::current(), seawall_timeout::current()) {
            (None, None) => tasks.spawn(run),
            (Some(origin), None) => tasks.spawn(origin.scope(run)),
            (None, Some(deadline)) => tasks.spawn(seawall_timeout::scope(deadline, run)),
            (Some(origin), Some(deadline)) => {
                tasks.spawn(origin.scope(seawall_timeout::scope(deadline, run)))
            }
        })
    }
}

const ONCE: &str = "a future is not polled after it was ready";

impl<S: Store, I, ReqB> Reading<S, I, ReqB>
where
    ReqB: Body<Data = Bytes>,
    ReqB::Error: Into<Box<dyn Error + Send + Sync>>,
{
    /// All of the body, or why there is none.
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<(Job<S, I>, Result<Bytes, ApiError>)> {
        let mut this = self.project();
        let max_body = this.job.as_ref().expect(ONCE).setup.rules.max_body();
        let read = loop {
            match ready!(this.body.as_mut().poll_frame(cx)) {
                // Trailers are no part of what is asked for.
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(chunk) if this.read.len() + chunk.len() > max_body => {
                        break Err(ApiError::new(codes::PAYLOAD_TOO_LARGE));
                    }
                    Ok(chunk) => this.read.push(chunk),
                    Err(_) => {}
                },
                Some(Err(error)) => {
                    break Err(ApiError::new(codes::MALFORMED_REQUEST).source(error));
                }
                None => break Ok(std::mem::take(this.read).into_bytes()),
            }
        };
        Poll::Ready((this.job.take().expect(ONCE), read))
    }
}

impl<S, I, ReqB, ResB> Future for IdempotencyFuture<S, I, ReqB, ResB>
where
    S: Store,
    I: Service<Request<BufferedBody<ReqB>>, Response = Response<ResB>> + Send + 'static,
    I::Future: Send,
    I::Error: Send,
    ReqB: Body<Data = Bytes> + Send + 'static,
    ReqB::Error: Into<Box<dyn Error + Send + Sync>>,
    ResB: Body<Data = Bytes> + Send + 'static,
    ResB::Error: Send,
{
    type Output = Outcome<ResB, I::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            let next = match state.as_mut().project() {
                StateProjection::Passed(inner) => {
                    let answered = ready!(inner.poll(cx));
                    return Poll::Ready(answered.map(|response| {
                        response.map(|body| AnswerBody::passed(ReplyBody::inner(body)))
                    }));
                }
                StateProjection::Reading(reading) => {
                    let (job, read) = ready!(reading.as_mut().poll_read(cx));
                    match read {
                        Ok(body) => State::begin(job, body),
                        Err(error) => State::Refused(Box::new(job.refuse(error.not_executed()))),
                    }
                }
                StateProjection::Detached(task) => match ready!(Pin::new(task).poll(cx)) {
                    Ok(answered) => return Poll::Ready(answered),
                    Err(failure) => match failure.try_into_panic() {
                        Ok(panic) => resume_unwind(panic),
                        // The runtime is shutting down: nobody will be answered any more.
                        Err(_) => return Poll::Pending,
                    },
                },
                StateProjection::Inline(run) => return run.as_mut().poll(cx),
                StateProjection::Refused(_) => {
                    let StateReplaced::Refused(response) =
                        state.as_mut().project_replace(State::Done)
                    else {
                        unreachable!("the state was Refused a line above")
                    };
                    return Poll::Ready(Ok(*response));
                }
                StateProjection::Done => panic!("{ONCE}"),
            };
            state.set(next);
        }
    }
}

impl<S, I, ReqB, ResB> fmt::Debug for IdempotencyFuture<S, I, ReqB, ResB>
where
    I: Service<Request<BufferedBody<ReqB>>>,
    ResB: Body,
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
