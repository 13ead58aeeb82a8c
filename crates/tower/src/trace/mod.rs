//! Takes up the trace that a request belongs to, before anything that logs or calls others.

use std::task::{Context, Poll};

use http::{HeaderName, Request, Response};
use seawall_errors::RequestId;
use seawall_errors::trace::{TraceContext, TraceParent};
use seawall_web::order::Layers;
use seawall_web::request::{ClientIp, ForwardedHeader, InvalidCidr, RequestHead, Route};
use tower_layer::Layer;
use tower_service::Service;
use tracing::Span;

use crate::outside::Outside;
use crate::{HttpHead, Origin, head, origin};

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
/// - the current [`Origin`], from which [`OutboundLayer`](crate::OutboundLayer) takes what it sends
///   along with calls to others.
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
/// Two allocations, and what the subscriber makes of the span.
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
}

impl<S> Layer<S> for TraceLayer {
    type Service = TraceService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        TraceService {
            inner,
            layer: self.clone(),
        }
    }
}

/// The service behind [`TraceLayer`].
#[derive(Clone, Debug)]
pub struct TraceService<S> {
    inner: S,
    layer: TraceLayer,
}

impl TraceLayer {
    /// Gives a request its place in a trace, and what stands for it there.
    pub(crate) fn begin<B>(&self, request: &mut Request<B>) -> (Origin, Span) {
        let received = self.received(request);
        let remote = received.as_ref().map(TraceContext::parent);
        let context = match received {
            Some(received) => received.child(),
            None => TraceContext::root(false),
        };
        let span = span(request, remote, context.parent());
        let id = request.extensions().get::<RequestId>().cloned();
        request.extensions_mut().insert(context.clone());
        (origin::known(id, context), span)
    }

    fn received<B>(&self, request: &Request<B>) -> Option<TraceContext> {
        // Without one the state of vendors means nothing, and most requests have none.
        if !request.headers().contains_key(TRACEPARENT_HEADER) {
            return None;
        }
        if let Some(trusted) = &self.trusted {
            let peer = HttpHead::of(request).peer();
            if !peer.is_some_and(|peer| trusted.is_trusted(peer)) {
                return None;
            }
        }
        let lines = |name| request.headers().get_all(name).iter();
        TraceContext::received(lines(TRACEPARENT_HEADER), lines(TRACESTATE_HEADER))
    }
}

impl<S, ReqB, ResB> Service<Request<ReqB>> for TraceService<S>
where
    S: Service<Request<ReqB>, Response = Response<ResB>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = TraceFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<ReqB>) -> Self::Future {
        Outside::pass(request.extensions_mut(), Layers::TRACE);
        let (origin, span) = self.layer.begin(&mut request);
        // What a service does in its call, such as logging or calling others, belongs to the
        // request as well.
        let inner = span.in_scope(|| origin.clone().enter(|| self.inner.call(request)));
        TraceFuture::new(inner, origin, span)
    }
}

fn span<B>(request: &Request<B>, remote: Option<TraceParent>, ours: TraceParent) -> Span {
    let extensions = request.extensions();
    tracing::info_span!(
        "request",
        request_id = extensions.get::<RequestId>().map(RequestId::as_str),
        trace_id = %TraceId(ours),
        span_id = %SpanId(ours),
        parent_span_id = remote.map(|remote| tracing::field::display(SpanId(remote))),
        method = request.method().as_str(),
        route = head::route_of(extensions).map(Route::as_str),
    )
}

/// The id of a trace as logs and tracing backends write it.
pub(crate) struct TraceId(pub(crate) TraceParent);

/// The id of a span, likewise.
pub(crate) struct SpanId(pub(crate) TraceParent);

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
