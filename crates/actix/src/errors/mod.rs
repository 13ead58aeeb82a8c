//! Makes every failure come out in one shape, with one id, and nothing internal in it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::{Context, Poll};

use actix_web::body::MessageBody;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse};
use actix_web::http::header::HeaderName;
use actix_web::{Error, HttpMessage as _};
use seawall_errors::{Observer, Renderer};

use crate::outside::Outside;
use crate::stage::stage;

mod adopt;
mod asked;
mod body;
mod future;
mod log;
mod watch;

pub use body::{AbortedBody, ErrorsBody};
pub use future::ErrorsFuture;

use adopt::ForeignText;
use asked::Asked;
use watch::Watch;

/// Renders, masks, adopts and logs every error answer of the services below it.
///
/// - **Renders late.** An error that a handler or middleware attached ([`Attached`](crate::Attached))
///   is rendered here, where the request's id and the accepted formats are known.
/// - **Adopts.** A 4xx or 5xx that nobody attached an error to (actix's own 404 and 405, the errors of
///   its extractors, a handler's `HttpResponse`) keeps its status and its headers and loses its body.
///   Of a 5xx, what the body said goes to the log, and so do headers that are not for callers: kept are
///   `Retry-After`, `WWW-Authenticate`, `Allow`, `Set-Cookie`, those of CORS, of rate limits and of
///   browser policies, not an upstream's `X-Debug` or `Server`.
/// - **Finishes what fails on the way.** A middleware that returns `Err` has given its request away,
///   and actix makes a response of it outside of every middleware. Here it is made once, as above, and
///   left with the error ([`actix_web::Error::add_response_mapper`]). A middleware further out that
///   makes a response of the error on its own gets the error's own answer instead: whole and safe where
///   the error is one of ours, and without an id.
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
    manner: Arc<Manner>,
}

/// How errors are answered.
#[derive(Clone, Debug)]
struct Manner {
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
    /// For services whose handlers explain refusals in text of their own. Check first what actix says:
    /// the errors of its extractors name fields and types of the code.
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

    /// Tells this observer of every request: its arrival, its answer, and the end of its answer's
    /// body. Nobody is told by default.
    ///
    /// The route of an answer is the one that routing took. A request that does not come back, after a
    /// panic or at its deadline, counts under the first route that its path matches: where routes differ
    /// by guards only, that may be another one.
    ///
    /// # Cost
    ///
    /// Two readings of the clock, and two look-ups of the route: its template is put together from its
    /// scopes each time.
    #[must_use]
    pub fn observer(mut self, observer: impl Observer) -> Self {
        Arc::make_mut(&mut self.manner).observer = Some(Arc::new(observer));
        self
    }

    fn service<S>(&self, inner: S) -> ErrorsService<S> {
        ErrorsService {
            inner,
            manner: Arc::clone(&self.manner),
        }
    }
}

impl Default for ErrorsLayer {
    fn default() -> Self {
        Self::new()
    }
}

stage!(ErrorsLayer => ErrorsService<S>, |S, B| ErrorsBody<B>);

/// The service behind [`ErrorsLayer`].
#[derive(Clone, Debug)]
pub struct ErrorsService<S> {
    inner: S,
    manner: Arc<Manner>,
}

impl<S, B> Service<ServiceRequest> for ErrorsService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
{
    type Response = ServiceResponse<ErrorsBody<B>>;
    type Error = Error;
    type Future = ErrorsFuture<S::Future>;

    fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let mut asked = Asked::of(&request);
        let watch = Watch::begin(&self.manner, &asked);
        if watch.is_some() {
            asked.foresee(&request);
        }
        Outside::enter(&mut request.extensions_mut(), Outside::ERRORS);
        let manner = Arc::clone(&self.manner);
        // The service may be left half-way through its call. Nothing here looks at it again but
        // the next call, which is what the service has to bear after any unwinding.
        match catch_unwind(AssertUnwindSafe(|| self.inner.call(request))) {
            Ok(inner) => ErrorsFuture::new(inner, asked, manner, watch),
            Err(panic) => ErrorsFuture::panicked(panic.as_ref(), asked, manner, watch),
        }
    }
}
