//! The application as hyper sees it: each request told its peer, counted, and bounded in its head.

use std::cell::RefCell;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::routing::future::RouteFuture;
use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode, Version};
use http_body::{Body as _, Frame, SizeHint};
use hyper::body::Incoming;
use parking_lot::Mutex;
use pin_project::pin_project;
use seawall_health::{Drain, InFlight};
use seawall_web::request::{Known, PeerAddr};
use tower_service::Service as _;

use super::limits::ServerLimits;
use super::pulse::Pulse;
use super::{clock, voice};

/// The application on one connection.
#[derive(Clone, Debug)]
pub(super) struct ConnectionService {
    /// This connection's own, called as it is: a clone for each request would have all cores count on one
    /// line how many there are.
    pub(super) app: RefCell<Router>,
    pub(super) peer: SocketAddr,
    pub(super) pulse: Arc<Mutex<Pulse>>,
    pub(super) limits: ServerLimits,
    pub(super) drain: Option<Drain>,
}

impl hyper::service::Service<Request<Incoming>> for ConnectionService {
    type Response = Response<TrackedBody>;
    type Error = Infallible;
    type Future = Answering;

    fn call(&self, mut request: Request<Incoming>) -> Answering {
        let guard = Guard {
            stream: self
                .pulse
                .lock()
                .request(request.version() == Version::HTTP_2),
            pulse: Arc::clone(&self.pulse),
            _drain: self.drain.as_ref().map(Drain::enter),
        };
        if self.is_too_large(request.headers()) {
            let refused = voice::head_too_large(request.method(), request.headers());
            return Answering::new(Step::Refused(Some(refused)), false, guard);
        }
        let connects = request.method() == Method::CONNECT;
        let extensions = request.extensions_mut();
        extensions.insert(ConnectInfo(self.peer));
        extensions.insert(Known::new().with_peer(PeerAddr::from(self.peer)));
        let answer = self.app.borrow_mut().call(request);
        Answering::new(Step::App(answer), connects, guard)
    }
}

impl ConnectionService {
    fn is_too_large(&self, headers: &HeaderMap) -> bool {
        let lines = headers.iter();
        let lines = lines.map(|(name, value)| (name.as_str(), value.as_bytes()));
        !self.limits.numbers().base.allow_head(lines)
    }
}

/// The answer on its way.
#[pin_project]
pub(super) struct Answering {
    #[pin]
    step: Step,
    connects: bool,
    guard: Option<Guard>,
}

#[pin_project(project = StepProjection)]
enum Step {
    App(#[pin] RouteFuture<Infallible>),
    Refused(Option<Response<Body>>),
}

impl Answering {
    fn new(step: Step, connects: bool, guard: Guard) -> Self {
        Self {
            step,
            connects,
            guard: Some(guard),
        }
    }
}

impl Future for Answering {
    type Output = Result<Response<TrackedBody>, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let response = match this.step.project() {
            StepProjection::App(answer) => match ready!(answer.poll(cx)) {
                Ok(response) => response,
                Err(never) => match never {},
            },
            StepProjection::Refused(refused) => refused.take().expect("it is ready once"),
        };
        let guard = this.guard.take();
        if let Some(guard) = &guard {
            let switches = response.status() == StatusCode::SWITCHING_PROTOCOLS;
            if switches || (*this.connects && response.status().is_success()) {
                guard.pulse.lock().upgraded();
            }
            if !response.body().is_end_stream() {
                guard.peers_turn();
            }
        }
        Poll::Ready(Ok(response.map(|body| TrackedBody { body, guard })))
    }
}

/// A response's body, which keeps its request in flight until it ends.
#[pin_project]
pub(super) struct TrackedBody {
    #[pin]
    body: Body,
    guard: Option<Guard>,
}

impl http_body::Body for TrackedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = self.project();
        // That the body is asked for more says that there is room.
        if let Some(guard) = this.guard {
            guard.our_turn();
        }
        let frame = ready!(this.body.poll_frame(cx));
        match (&frame, &this.guard) {
            (Some(Ok(_)), Some(guard)) => guard.peers_turn(),
            _ => *this.guard = None,
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A request in flight.
struct Guard {
    pulse: Arc<Mutex<Pulse>>,
    /// Only where HTTP/2 is spoken: on HTTP/1 a peer without room blocks the socket, which is watched.
    stream: Option<u64>,
    _drain: Option<InFlight>,
}

impl Guard {
    fn peers_turn(&self) {
        if let Some(stream) = self.stream {
            self.pulse.lock().peers_turn(stream, clock::now());
        }
    }

    fn our_turn(&self) {
        if let Some(stream) = self.stream {
            self.pulse.lock().our_turn(stream);
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let mut pulse = self.pulse.lock();
        if let Some(stream) = self.stream {
            pulse.our_turn(stream);
        }
        pulse.ended(clock::now());
    }
}
