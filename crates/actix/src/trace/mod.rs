//! Takes up the trace that a request belongs to, before anything that logs or calls others.

use std::task::{Context, Poll};

use actix_web::dev::{Service, ServiceRequest, ServiceResponse};
use actix_web::http::header::HeaderName;
use actix_web::{Error, HttpMessage as _};
use seawall_errors::RequestId;
use seawall_errors::trace::{TraceContext, TraceParent};
use seawall_web::Origin;
use seawall_web::order::Layers;
use seawall_web::request::{ClientIp, ForwardedHeader, InvalidCidr, RequestHead as _, Route};
use tracing::Span;

use crate::HttpHead;
use crate::outside::Outside;
use crate::stage::stage;

mod future;

pub use future::TraceFuture;

/// The header that says where a request stands in its trace.
pub const TRACEPARENT_HEADER: HeaderName = HeaderName::from_static("traceparent");

/// The header that carries what tracing vendors want to find again.
pub const TRACESTATE_HEADER: HeaderName = HeaderName::from_static("tracestate");

/// Gives every request a place in a trace, by W3C Trace Context.
///
/// A request with a valid `traceparent` continues that trace, under a span id of its own; any other
/// begins one. What came of it is
///
/// - the extension [`TraceContext`], whose parent id is this request's span;
/// - a span named `request` at level `INFO` around the services below, with the fields
///   `request_id`, `trace_id`, `span_id`, `parent_span_id`, `method` and `route`, as far as known;
/// - the current [`Origin`], for what calls others.
///
/// Place it inside of [`RequestIdLayer`](crate::RequestIdLayer), and outside of everything else.
///
/// # Whom to believe
///
/// The recommendation has everybody's trace continued, and so does [`new`](Self::new). A stranger
/// can then mark a request as sampled and add it to a trace of their choice. Where that is a cost or
/// a nuisance, [`trusting`](Self::trusting) begins a new trace for everybody but your own networks.
///
/// # Cost
///
/// Two allocations. Where the span is enabled, what the subscriber makes of it, and one look-up of the
/// route: this middleware stands outside of routing.
#[derive(Clone, Debug, Default)]
pub struct TraceLayer {
    trusted: Option<ClientIp>,
}

impl TraceLayer {
    /// Continues the traces of all callers.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Continues the traces of peers in these networks, and begins a new one for all others.
    ///
    /// # Errors
    ///
    /// When a text is no network: the error names it.
    pub fn trusting<T: AsRef<str>>(
        networks: impl IntoIterator<Item = T>,
    ) -> Result<Self, InvalidCidr> {
        // Which forwarded header counts does not matter here: only the peer is asked about.
        ClientIp::behind(networks, ForwardedHeader::XForwardedFor).map(|trusted| Self {
            trusted: Some(trusted),
        })
    }

    fn service<S>(&self, inner: S) -> TraceService<S> {
        TraceService {
            inner,
            trusted: self.trusted.clone(),
        }
    }
}

stage!(TraceLayer => TraceService<S>, |S, B| B);

/// The service behind [`TraceLayer`].
#[derive(Clone, Debug)]
pub struct TraceService<S> {
    inner: S,
    trusted: Option<ClientIp>,
}

impl<S> TraceService<S> {
    fn received(&self, request: &ServiceRequest) -> Option<TraceContext> {
        if let Some(trusted) = &self.trusted {
            let peer = HttpHead::of(request).peer();
            if !peer.is_some_and(|peer| trusted.is_trusted(peer)) {
                return None;
            }
        }
        let lines = |name| request.headers().get_all(name);
        TraceContext::received(lines(TRACEPARENT_HEADER), lines(TRACESTATE_HEADER))
    }
}

impl<S, B> Service<ServiceRequest> for TraceService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
{
    type Response = S::Response;
    type Error = Error;
    type Future = TraceFuture<S::Future>;

    fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&self, request: ServiceRequest) -> Self::Future {
        Outside::pass(&request, Layers::TRACE);
        let received = self.received(&request);
        let remote = received.as_ref().map(TraceContext::parent);
        let context = match received {
            Some(received) => received.child(),
            None => TraceContext::root(false),
        };
        let span = span(&request, remote, context.parent());
        let id = request.extensions().get::<RequestId>().cloned();
        request.extensions_mut().insert(context.clone());
        let mut origin = Origin::new().with_trace(context);
        if let Some(id) = id {
            origin = origin.with_request_id(id);
        }
        // What a service does in its call, such as logging or calling others, belongs to the
        // request as well.
        let inner = span.in_scope(|| origin.clone().enter(|| self.inner.call(request)));
        TraceFuture::new(inner, origin, span)
    }
}

fn span(request: &ServiceRequest, remote: Option<TraceParent>, ours: TraceParent) -> Span {
    let span = tracing::info_span!(
        "request",
        request_id = request.extensions().get::<RequestId>().map(RequestId::as_str),
        trace_id = %TraceId(ours),
        span_id = %SpanId(ours),
        parent_span_id = remote.map(|remote| tracing::field::display(SpanId(remote))),
        method = request.method().as_str(),
        route = tracing::field::Empty,
    );
    if !span.is_disabled() {
        let head = HttpHead::of(request);
        if let Some(template) = head.route() {
            span.record("route", template);
            let route = Route::new(template);
            drop(head);
            // Whoever asks next need not look it up again.
            request.extensions_mut().insert(route);
        }
    }
    span
}

/// The id of a trace as logs and tracing backends write it.
pub(crate) struct TraceId(pub(crate) TraceParent);

/// The id of a span, likewise.
struct SpanId(TraceParent);

impl std::fmt::Display for TraceId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:032x}", self.0.trace_id())
    }
}

impl std::fmt::Display for SpanId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:016x}", self.0.parent_id())
    }
}
