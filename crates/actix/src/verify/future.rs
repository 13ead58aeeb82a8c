//! Opens a session, reads the body through it, claims the message, and calls the inner service.

use std::fmt;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{Payload, Service, ServiceRequest, ServiceResponse};
use actix_web::{Error, HttpMessage};
use bytes::Bytes;
use futures_core::Stream as _;
use pin_project::pin_project;
use seawall_signing::{Refused, Session, Verification};
use seawall_web::Gathered;
use seawall_web::answer;

use super::{Gate, VerifiedBytes};
use crate::HttpHead;
use crate::reply::refuse;

/// The future of [`VerifyService`](super::VerifyService).
#[pin_project]
#[must_use = "futures do nothing unless polled"]
pub struct VerifyFuture<I, B>
where
    I: Service<ServiceRequest>,
{
    #[pin]
    state: State<I, B, I::Future>,
}

#[allow(
    clippy::large_enum_variant,
    reason = "the large states are those of every request that is verified"
)]
#[pin_project(project = StateProjection, project_replace = StateReplaced)]
enum State<I, B, F> {
    /// The keys are being fetched. Only providers that cannot answer at once come here.
    Opening {
        open: Wait<(ServiceRequest, Result<Session, Refused>)>,
        inner: Rc<I>,
    },
    Reading {
        payload: Payload,
        session: Session,
        gathered: Gathered,
        inner: Rc<I>,
        request: ServiceRequest,
    },
    /// The replay store has been asked. Only stores that cannot answer at once come here.
    Claiming {
        claim: Wait<Result<Verification, Refused>>,
        inner: Rc<I>,
        request: ServiceRequest,
        bytes: Bytes,
    },
    Admitted(#[pin] F),
    Refused(ServiceResponse<EitherBody<B>>),
    Done,
}

type Wait<T> = Pin<Box<dyn Future<Output = T>>>;

impl<I, B> VerifyFuture<I, B>
where
    I: Service<ServiceRequest>,
{
    pub(super) fn waiting(
        inner: Rc<I>,
        request: ServiceRequest,
        gate: Gate,
        tenant: Option<Box<str>>,
    ) -> Self {
        let open: Wait<_> = Box::pin(async move {
            let head = HttpHead::of(&request);
            let begun = gate.begin(tenant.as_deref(), &head).await;
            drop(head);
            (request, begun)
        });
        Self {
            state: State::Opening { open, inner },
        }
    }

    pub(super) fn begun(
        inner: Rc<I>,
        request: ServiceRequest,
        begun: Result<Session, Refused>,
    ) -> Self {
        Self {
            state: State::begun(inner, request, begun),
        }
    }

    pub(super) fn refused(response: ServiceResponse<EitherBody<B>>) -> Self {
        Self {
            state: State::Refused(response),
        }
    }
}

impl<I, B> State<I, B, I::Future>
where
    I: Service<ServiceRequest>,
{
    fn begun(inner: Rc<I>, mut request: ServiceRequest, begun: Result<Session, Refused>) -> Self {
        match begun {
            Ok(session) => Self::Reading {
                payload: request.take_payload(),
                session,
                gathered: Gathered::default(),
                inner,
                request,
            },
            Err(refused) => Self::refuse(request, refused),
        }
    }

    /// All of the body is there.
    fn judge(inner: Rc<I>, request: ServiceRequest, session: Session, gathered: Gathered) -> Self {
        let unclaimed = match session.authenticate() {
            Ok(unclaimed) => unclaimed,
            Err(refused) => return Self::refuse(request, refused),
        };
        let bytes = gathered.into_bytes();
        match unclaimed.claim_now() {
            Ok(verdict) => Self::verdict(&*inner, request, bytes, verdict),
            Err(unclaimed) => Self::Claiming {
                claim: Box::pin(unclaimed.claim()),
                inner,
                request,
                bytes,
            },
        }
    }

    fn verdict(
        inner: &I,
        mut request: ServiceRequest,
        bytes: Bytes,
        verdict: Result<Verification, Refused>,
    ) -> Self {
        match verdict {
            Ok(verification) => {
                let bytes = VerifiedBytes::new(bytes);
                request.set_payload(bytes.to_payload());
                {
                    let mut extensions = request.extensions_mut();
                    extensions.insert(verification);
                    extensions.insert(bytes);
                }
                Self::Admitted(inner.call(request))
            }
            Err(refused) => Self::refuse(request, refused),
        }
    }

    fn refuse(request: ServiceRequest, refused: Refused) -> Self {
        Self::Refused(refuse(request, answer::signing::refused(refused)))
    }
}

impl<I, B> Future for VerifyFuture<I, B>
where
    I: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
{
    type Output = Result<ServiceResponse<EitherBody<B>>, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            let next = match state.as_mut().project() {
                StateProjection::Opening { open, .. } => {
                    let (request, begun) = ready!(open.as_mut().poll(cx));
                    let StateReplaced::Opening { inner, .. } =
                        state.as_mut().project_replace(State::Done)
                    else {
                        unreachable!("the state was Opening a line above")
                    };
                    State::begun(inner, request, begun)
                }
                StateProjection::Reading {
                    payload,
                    session,
                    gathered,
                    ..
                } => {
                    let read = match ready!(Pin::new(payload).poll_next(cx)) {
                        Some(Ok(chunk)) => match session.update(&chunk) {
                            Ok(()) => {
                                gathered.push(chunk);
                                continue;
                            }
                            Err(refused) => Err(refused),
                        },
                        Some(Err(error)) => Err(Refused::body_read(error)),
                        None => Ok(()),
                    };
                    let StateReplaced::Reading {
                        session,
                        gathered,
                        inner,
                        request,
                        ..
                    } = state.as_mut().project_replace(State::Done)
                    else {
                        unreachable!("the state was Reading a line above")
                    };
                    match read {
                        Ok(()) => State::judge(inner, request, session, gathered),
                        Err(refused) => State::refuse(request, refused),
                    }
                }
                StateProjection::Claiming { claim, .. } => {
                    let verdict = ready!(claim.as_mut().poll(cx));
                    let StateReplaced::Claiming {
                        inner,
                        request,
                        bytes,
                        ..
                    } = state.as_mut().project_replace(State::Done)
                    else {
                        unreachable!("the state was Claiming a line above")
                    };
                    State::verdict(&*inner, request, bytes, verdict)
                }
                StateProjection::Admitted(inner) => {
                    return inner
                        .poll(cx)
                        .map(|done| done.map(ServiceResponse::map_into_left_body));
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

impl<I, B> fmt::Debug for VerifyFuture<I, B>
where
    I: Service<ServiceRequest>,
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
