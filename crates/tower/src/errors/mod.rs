//! Makes every failure come out in one shape, with one id, and nothing internal in it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use seawall_errors::Renderer;
use tower_layer::Layer;
use tower_service::Service;

use crate::reply::RenderedOutside;

mod adopt;
mod asked;
mod body;
mod future;
mod log;

pub use body::{AbortedBody, ErrorsBody};
pub use future::ErrorsFuture;

use asked::Asked;

/// Renders, masks, adopts and logs every error answer of the services below it.
///
/// - **Renders late.** An error that a handler or layer attached ([`Attached`](crate::Attached)) is
///   rendered here, where the request's id and the accepted formats are known.
/// - **Adopts.** A 4xx or 5xx that nobody attached an error to (a framework's own 404, a rejection,
///   a handler's `StatusCode`) keeps its status and its headers and loses its body. What such a
///   5xx body said goes to the log.
/// - **Catches panics** in `call`, in the future, and in the response body: the first two become
///   500 `internal_error`; a body that panics or fails midway is aborted, since its head has gone.
/// - **Logs once** an error: id, code, status, method, route, and the private chain with control
///   characters escaped. 5xx at `ERROR`, 408 and 429 at `DEBUG`, other 4xx at `INFO`.
///
/// Left alone: answers below 400, gRPC answers, and what is marked
/// [`Passthrough`](crate::Passthrough). Catching panics needs `panic = "unwind"`.
///
/// Place it outside of everything that may fail and inside of
/// [`RequestIdLayer`](crate::RequestIdLayer). Without that one, error answers get an id of their own.
#[derive(Clone, Debug)]
pub struct ErrorsLayer {
    renderer: Arc<Renderer>,
}

impl ErrorsLayer {
    /// Renders with [`Renderer::new`].
    #[must_use]
    pub fn new() -> Self {
        Self::with_renderer(Renderer::new())
    }

    /// Renders with this renderer.
    #[must_use]
    pub fn with_renderer(renderer: Renderer) -> Self {
        Self {
            renderer: Arc::new(renderer),
        }
    }
}

impl Default for ErrorsLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl<S> Layer<S> for ErrorsLayer {
    type Service = ErrorsService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        ErrorsService {
            inner,
            renderer: Arc::clone(&self.renderer),
        }
    }
}

/// The service behind [`ErrorsLayer`].
#[derive(Clone, Debug)]
pub struct ErrorsService<S> {
    inner: S,
    renderer: Arc<Renderer>,
}

impl<S, ReqB, ResB> Service<Request<ReqB>> for ErrorsService<S>
where
    S: Service<Request<ReqB>, Response = Response<ResB>>,
    ResB: Body<Data = Bytes>,
{
    type Response = Response<ErrorsBody<ResB>>;
    type Error = S::Error;
    type Future = ErrorsFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<ReqB>) -> Self::Future {
        let asked = Asked::of(&request);
        request.extensions_mut().insert(RenderedOutside);
        let renderer = Arc::clone(&self.renderer);
        // The service may be left half-way through its call. Nothing here looks at it again but
        // the next call, which is what the service has to bear after any unwinding.
        match catch_unwind(AssertUnwindSafe(|| self.inner.call(request))) {
            Ok(inner) => ErrorsFuture::new(inner, asked, renderer),
            Err(panic) => ErrorsFuture::panicked(panic.as_ref(), asked, renderer),
        }
    }
}
