//! Makes every failure come out in one shape, with one id, and nothing internal in it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderName, Request, Response};
use http_body::Body;
use seawall_errors::{Observer, Renderer};
use tower_layer::Layer;
use tower_service::Service;

use crate::outside::Outside;

pub(crate) mod adopt;
pub(crate) mod asked;
mod body;
pub(crate) mod future;
mod log;
pub(crate) mod watch;

pub use body::{AbortedBody, ErrorsBody};
pub use future::ErrorsFuture;

use adopt::ForeignText;
use asked::Asked;
use watch::Watch;

/// Renders, masks, adopts and logs every error answer of the services below it.
///
/// - **Renders late.** An error that a handler or layer attached ([`Attached`](crate::Attached)) is
///   rendered here, where the request's id and the accepted formats are known.
/// - **Adopts.** A 4xx or 5xx that nobody attached an error to (a framework's own 404, a rejection,
///   a handler's `StatusCode`) keeps its status and its headers and loses its body. Of a 5xx, what
///   the body said goes to the log, and so do headers that are not for callers: kept are
///   `Retry-After`, `WWW-Authenticate`, `Allow`, `Set-Cookie`, those of CORS, of rate limits and of
///   browser policies, not an upstream's `X-Debug` or `Server`.
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
    pub(crate) manner: Arc<Manner>,
}

/// How errors are answered.
#[derive(Clone, Debug)]
pub(crate) struct Manner {
    renderer: Renderer,
    foreign_text: ForeignText,
    /// Of a foreign 5xx, beside those that are always kept.
    kept_headers: Vec<HeaderName>,
    observer: Option<Arc<dyn Observer>>,
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
            manner: Arc::new(Manner {
                renderer,
                foreign_text: ForeignText::Dropped,
                kept_headers: Vec::new(),
                observer: None,
            }),
        }
    }

    /// Keeps what a foreign 4xx says in `text/plain`, as the message: at most 512 bytes, without
    /// control characters. It is dropped unless told.
    ///
    /// For services whose handlers explain refusals in text of their own. Check first what your
    /// framework says: rejections of many extractors name fields and types of the code.
    #[must_use]
    pub fn keep_client_error_text(mut self) -> Self {
        Arc::make_mut(&mut self.manner).foreign_text = ForeignText::Kept;
        self
    }

    /// Keeps these headers of a foreign 5xx, too.
    #[must_use]
    pub fn keep_headers(mut self, names: impl IntoIterator<Item = HeaderName>) -> Self {
        Arc::make_mut(&mut self.manner).kept_headers.extend(names);
        self
    }

    /// Tells this observer of every request, whatever it is answered. Default: nobody.
    ///
    /// A request ends with its response body, so that one whose answer is still being sent is still
    /// in flight.
    ///
    /// # Cost
    ///
    /// Two readings of the clock a request; none without an observer.
    #[must_use]
    pub fn observer(mut self, observer: impl Observer) -> Self {
        Arc::make_mut(&mut self.manner).observer = Some(Arc::new(observer));
        self
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
            manner: Arc::clone(&self.manner),
        }
    }
}

/// The service behind [`ErrorsLayer`].
#[derive(Clone, Debug)]
pub struct ErrorsService<S> {
    inner: S,
    manner: Arc<Manner>,
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
        let watch = Watch::begin(&self.manner, &asked);
        Outside::enter(request.extensions_mut(), Outside::ERRORS);
        let manner = Arc::clone(&self.manner);
        // The service may be left half-way through its call. Nothing here looks at it again but
        // the next call, which is what the service has to bear after any unwinding.
        match catch_unwind(AssertUnwindSafe(|| self.inner.call(request))) {
            Ok(inner) => ErrorsFuture::new(inner, asked, manner, watch),
            Err(panic) => ErrorsFuture::panicked(panic.as_ref(), asked, manner, watch),
        }
    }
}
