//! Opens a session, reads the body through it, claims the message, and calls the inner service.

use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response};
use http_body::Body;
use pin_project::pin_project;
use seawall_signing::{Refused, Session, Verification};
use seawall_web::Gathered;
use seawall_web::answer;
use tower_service::Service;

use super::{Gate, VerifiedBody};
use crate::reply::refuse;
use crate::{HttpHead, ReplyBody};

/// The future of [`VerifyService`](super::VerifyService).
#[pin_project]
#[must_use = "futures do nothing unless polled"]
pub struct VerifyFuture<I, ReqB, ResB>
where
    I: Service<Request<VerifiedBody>>,
{
    #[pin]
    state: State<I, ReqB, ResB, I::Future>,
}

#[allow(
    clippy::large_enum_variant,
    reason = "the large states are those of every request that is verified"
)]
#[pin_project(project = StateProjection, project_replace = StateReplaced)]
enum State<I, ReqB, ResB, F> {
    /// The keys are being fetched. Only providers that cannot answer at once come here.
    Opening {
        open: Wait<(Parts, Result<Session, Refused>)>,
        inner: I,
        body: ReqB,
    },
    Reading {
        #[pin]
        body: ReqB,
        session: Session,
        gathered: Gathered,
        inner: I,
        parts: Parts,
    },
    /// The replay store has been asked. Only stores that cannot answer at once come here.
    Claiming {
        claim: Wait<Result<Verification, Refused>>,
        inner: I,
        parts: Parts,
        bytes: Bytes,
    },
    Admitted(#[pin] F),
    Refused(Response<ReplyBody<ResB>>),
    Done,
}

type Wait<T> = Pin<Box<dyn Future<Output = T> + Send>>;

impl<I, ReqB, ResB> VerifyFuture<I, ReqB, ResB>
where
    I: Service<Request<VerifiedBody>, Response = Response<ResB>>,
{
    pub(super) fn waiting(
        inner: I,
        parts: Parts,
        body: ReqB,
        gate: Gate,
        tenant: Option<Box<str>>,
    ) -> Self {
        let open: Wait<_> = Box::pin(async move {
            let begun = gate
                .begin(tenant.as_deref(), &HttpHead::of_parts(&parts))
                .await;
            (parts, begun)
        });
        Self {
            state: State::Opening { open, inner, body },
        }
    }

    pub(super) fn begun(
        inner: I,
        parts: Parts,
        body: ReqB,
        begun: Result<Session, Refused>,
    ) -> Self {
        Self {
            state: State::begun(inner, parts, body, begun),
        }
    }

    pub(super) fn refused(response: Response<ReplyBody<ResB>>) -> Self {
        Self {
            state: State::Refused(response),
        }
    }
}

impl<I, ReqB, ResB> State<I, ReqB, ResB, I::Future>
where
    I: Service<Request<VerifiedBody>, Response = Response<ResB>>,
{
    fn begun(inner: I, parts: Parts, body: ReqB, begun: Result<Session, Refused>) -> Self {
        match begun {
            Ok(session) => Self::Reading {
                body,
                session,
                gathered: Gathered::default(),
                inner,
                parts,
            },
            Err(refused) => Self::refuse(parts, refused),
        }
    }

    /// All of the body is there.
    fn judge(inner: I, parts: Parts, session: Session, gathered: Gathered) -> Self {
        let unclaimed = match session.authenticate() {
            Ok(unclaimed) => unclaimed,
            Err(refused) => return Self::refuse(parts, refused),
        };
        let bytes = gathered.into_bytes();
        match unclaimed.claim_now() {
            Ok(verdict) => Self::verdict(inner, parts, bytes, verdict),
            Err(unclaimed) => Self::Claiming {
                claim: Box::pin(unclaimed.claim()),
                inner,
                parts,
                bytes,
            },
        }
    }

    fn verdict(
        mut inner: I,
        mut parts: Parts,
        bytes: Bytes,
        verdict: Result<Verification, Refused>,
    ) -> Self {
        match verdict {
            Ok(verification) => {
                parts.extensions.insert(verification);
                let request = Request::from_parts(parts, VerifiedBody::new(bytes));
                Self::Admitted(inner.call(request))
            }
            Err(refused) => Self::refuse(parts, refused),
        }
    }

    fn refuse(parts: Parts, refused: Refused) -> Self {
        let request = Request::from_parts(parts, ());
        Self::Refused(refuse(&request, answer::signing::refused(refused)))
    }
}

impl<I, ReqB, ResB> Future for VerifyFuture<I, ReqB, ResB>
where
    I: Service<Request<VerifiedBody>, Response = Response<ResB>>,
    ReqB: Body<Data = Bytes>,
    ReqB::Error: Into<Box<dyn Error + Send + Sync>>,
{
    type Output = Result<Response<ReplyBody<ResB>>, I::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            let next = match state.as_mut().project() {
                StateProjection::Opening { open, .. } => {
                    let (parts, begun) = ready!(open.as_mut().poll(cx));
                    let StateReplaced::Opening { inner, body, .. } =
                        state.as_mut().project_replace(State::Done)
                    else {
                        unreachable!("the state was Opening a line above")
                    };
                    State::begun(inner, parts, body, begun)
                }
                StateProjection::Reading {
                    body,
                    session,
                    gathered,
                    ..
                } => {
                    let read = match ready!(body.poll_frame(cx)) {
                        // Trailers are signed by no scheme, so they are not handed on.
                        Some(Ok(frame)) => match frame.into_data() {
                            Ok(chunk) => match session.update(&chunk) {
                                Ok(()) => {
                                    gathered.push(chunk);
                                    continue;
                                }
                                Err(refused) => Err(refused),
                            },
                            Err(_) => continue,
                        },
                        Some(Err(error)) => Err(Refused::body_read(error)),
                        None => Ok(()),
                    };
                    let StateReplaced::Reading {
                        session,
                        gathered,
                        inner,
                        parts,
                        ..
                    } = state.as_mut().project_replace(State::Done)
                    else {
                        unreachable!("the state was Reading a line above")
                    };
                    match read {
                        Ok(()) => State::judge(inner, parts, session, gathered),
                        Err(refused) => State::refuse(parts, refused),
                    }
                }
                StateProjection::Claiming { claim, .. } => {
                    let verdict = ready!(claim.as_mut().poll(cx));
                    let StateReplaced::Claiming {
                        inner,
                        parts,
                        bytes,
                        ..
                    } = state.as_mut().project_replace(State::Done)
                    else {
                        unreachable!("the state was Claiming a line above")
                    };
                    State::verdict(inner, parts, bytes, verdict)
                }
                StateProjection::Admitted(inner) => {
                    return inner
                        .poll(cx)
                        .map(|done| done.map(|response| response.map(ReplyBody::inner)));
                }
                StateProjection::Refused(_) => {
                    let StateReplaced::Refused(response) = state.project_replace(State::Done)
                    else {
                        unreachable!("the state was Refused a line above")
                    };
                    return Poll::Ready(Ok(response));
                }
                StateProjection::Done => panic!("polled after it was ready"),
            };
            state.set(next);
        }
    }
}

impl<I, ReqB, ResB> fmt::Debug for VerifyFuture<I, ReqB, ResB>
where
    I: Service<Request<VerifiedBody>>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &self.state {
            State::Opening { .. } => "Opening",
            State::Reading { .. } => "Reading",
            State::Claiming { .. } => "Claiming",
            State::Admitted(_) => "Admitted",
            State::Refused(_) => "Refused",
            State::Done => "Done",
        };
        f.debug_struct("VerifyFuture")
            .field("state", &state)
            .finish_non_exhaustive()
    }
}
