//! Counts a request as in flight until its answer has been written, and closes its connection after
//! an answer of a server that leaves.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use actix_web::Error;
use actix_web::body::{BodySize, MessageBody};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse};
use actix_web::http::ConnectionType;
use bytes::Bytes;
use pin_project::pin_project;
use seawall_health::{Drain, InFlight};

use crate::stage::stage;

#[derive(Clone, Debug)]
pub(super) struct InFlightLayer {
    pub(super) drain: Option<Drain>,
}

impl InFlightLayer {
    fn service<S>(&self, inner: S) -> InFlightService<S> {
        InFlightService {
            inner,
            drain: self.drain.clone(),
        }
    }
}

stage!(InFlightLayer => InFlightService<S>, |S, B| InFlightBody<B>);

#[derive(Debug)]
pub(super) struct InFlightService<S> {
    inner: S,
    drain: Option<Drain>,
}

impl<S, B> Service<ServiceRequest> for InFlightService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
{
    type Response = ServiceResponse<InFlightBody<B>>;
    type Error = Error;
    type Future = InFlightFuture<S::Future>;

    fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&self, request: ServiceRequest) -> Self::Future {
        InFlightFuture {
            guard: self.drain.as_ref().map(Drain::enter),
            inner: self.inner.call(request),
        }
    }
}

#[pin_project]
pub(super) struct InFlightFuture<F> {
    #[pin]
    inner: F,
    guard: Option<InFlight>,
}

impl<F, B> Future for InFlightFuture<F>
where
    F: Future<Output = Result<ServiceResponse<B>, Error>>,
{
    type Output = Result<ServiceResponse<InFlightBody<B>>, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let answered = ready!(this.inner.poll(cx));
        let guard = this.guard.take();
        Poll::Ready(answered.map(|mut response| {
            // Actix tells its workers a moment after the drain has closed; an answer of that moment
            // would offer a connection that is about to go.
            if guard.as_ref().is_some_and(InFlight::is_closing) {
                let head = response.response_mut().head_mut();
                head.set_connection_type(ConnectionType::Close);
            }
            response.map_body(|_, inner| InFlightBody {
                inner,
                _guard: guard,
            })
        }))
    }
}

#[pin_project]
pub(super) struct InFlightBody<B> {
    #[pin]
    inner: B,
    _guard: Option<InFlight>,
}

impl<B: MessageBody> MessageBody for InFlightBody<B> {
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
