//! Each request and its answer, as the connection has to know of them: begun, ended, bounded in its
//! head, and not answered before actix has looked at the body that came along.

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use actix_web::body::{BodySize, EitherBody, MessageBody};
use actix_web::dev::{Payload, Service, ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::{Error, HttpResponse};
use bytes::Bytes;
use pin_project::pin_project;
use seawall_web::server;

use super::clock;
use super::limits::ServerLimits;
use super::pulse::Pulse;
use crate::reply;
use crate::stage::stage;

/// Outermost of all.
#[derive(Clone, Debug)]
pub(super) struct ExchangeLayer {
    pub(super) limits: ServerLimits,
}

impl ExchangeLayer {
    fn service<S>(&self, inner: S) -> ExchangeService<S> {
        ExchangeService {
            inner,
            limits: self.limits.clone(),
        }
    }
}

stage!(ExchangeLayer => ExchangeService<S>, |S, B| ExchangeBody<EitherBody<B>>);

#[derive(Debug)]
pub(super) struct ExchangeService<S> {
    inner: S,
    limits: ServerLimits,
}

impl<S, B> Service<ServiceRequest> for ExchangeService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
{
    type Response = ServiceResponse<ExchangeBody<EitherBody<B>>>;
    type Error = Error;
    type Future = ExchangeFuture<S::Future>;

    fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let (guard, others_turn) = Guard::begin(&request).unzip();
        let turn = match request.parts().1 {
            Payload::None if others_turn != Some(true) => Turn::Further,
            _ => Turn::First,
        };
        let step = if self.is_too_large(request.headers()) {
            let refusal = head_too_large(&request);
            Step::Refused(Some(Box::new(request.into_response(refusal))))
        } else {
            Step::App(self.inner.call(request))
        };
        ExchangeFuture { step, turn, guard }
    }
}

impl<S> ExchangeService<S> {
    fn is_too_large(&self, headers: &HeaderMap) -> bool {
        let lines = headers.iter();
        let lines = lines.map(|(name, value)| (name.as_str(), value.as_bytes()));
        !self.limits.numbers().base.allow_head(lines)
    }
}

/// The answer to a head that could be read and is larger than it may be.
fn head_too_large(request: &ServiceRequest) -> HttpResponse {
    let accept = request.headers().get(header::ACCEPT);
    let is_head = request.method() == Method::HEAD;
    let rendered = server::head_too_large(is_head, accept.map(HeaderValue::as_bytes));
    let mut response = HttpResponse::new(reply::status(rendered.status));
    reply::write_headers(response.headers_mut(), &rendered);
    response.set_body(reply::body(rendered.body.into()))
}

/// The answer on its way.
///
/// Actix asks the application when it has read a head, before it looks at what else it has read. Were the
/// answer there at once, actix would take the body for missing and close the connection, though a small
/// one has mostly come along. So an answer waits for one turn, in which actix takes in what is there.
/// Now and then one waits for the sake of other connections.
#[pin_project]
pub(super) struct ExchangeFuture<F: Future> {
    #[pin]
    step: Step<F>,
    turn: Turn,
    guard: Option<Guard>,
}

#[pin_project(project = StepProjection)]
enum Step<F: Future> {
    App(#[pin] F),
    Refused(Option<Box<ServiceResponse>>),
    Answered(Option<F::Output>),
}

/// Whether actix can have looked at the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    First,
    Further,
}

impl<F, B> Future for ExchangeFuture<F>
where
    F: Future<Output = Result<ServiceResponse<B>, Error>>,
{
    type Output = Result<ServiceResponse<ExchangeBody<EitherBody<B>>>, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let turn = std::mem::replace(this.turn, Turn::Further);
        let answered = match this.step.as_mut().project() {
            StepProjection::App(answer) => {
                let answer = ready!(answer.poll(cx));
                if turn == Turn::First {
                    this.step.set(Step::Answered(Some(answer)));
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                answer.map(ServiceResponse::map_into_left_body)
            }
            StepProjection::Answered(answer) => {
                let answer = answer.take().expect("it is ready once");
                answer.map(ServiceResponse::map_into_left_body)
            }
            StepProjection::Refused(_) if turn == Turn::First => {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            StepProjection::Refused(refused) => {
                let refused = refused.take().expect("it is ready once");
                Ok(refused.map_into_right_body())
            }
        };
        let guard = this.guard.take();
        Poll::Ready(answered.map(|response| {
            response.map_body(|_, inner| ExchangeBody {
                inner,
                _guard: guard,
            })
        }))
    }
}

/// An answer's body, which keeps its request in flight until it ends.
#[pin_project]
pub(super) struct ExchangeBody<B> {
    #[pin]
    inner: B,
    _guard: Option<Guard>,
}

impl<B: MessageBody> MessageBody for ExchangeBody<B> {
    type Error = B::Error;

    fn size(&self) -> BodySize {
        self.inner.size()
    }

    fn poll_next(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, B::Error>>> {
        self.project().inner.poll_next(cx)
    }
}

/// A request in flight on a connection.
struct Guard {
    pulse: Rc<RefCell<Pulse>>,
}

impl Guard {
    /// Also says whether it is the turn of others.
    fn begin(request: &ServiceRequest) -> Option<(Self, bool)> {
        let pulse = request.request().conn_data::<Rc<RefCell<Pulse>>>()?;
        let others_turn = pulse.borrow_mut().request();
        let guard = Self {
            pulse: Rc::clone(pulse),
        };
        Some((guard, others_turn))
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.pulse.borrow_mut().ended(clock::now());
    }
}
