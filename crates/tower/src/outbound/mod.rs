//! Sends the request id and the trace along with calls to others.

use std::task::{Context, Poll};

use http::{HeaderMap, HeaderName, HeaderValue, Request};
use seawall_errors::trace::TraceContext;
use tower_layer::Layer;
use tower_service::Service;
use tracing::Span;

use crate::request_id::REQUEST_ID_HEADER;
use crate::trace::{SpanId, TRACEPARENT_HEADER, TRACESTATE_HEADER, TraceId};
use crate::{Origin, origin};

mod future;

pub use future::OutboundFuture;

/// Writes `x-request-id`, `traceparent` and `tracestate` on the requests of a tower client, so that
/// the services called log the same id and take part in the same trace.
///
/// On whose behalf a call is made is told by the extensions of the outgoing request
/// ([`RequestId`](seawall_errors::RequestId), [`TraceContext`]), else by the current [`Origin`],
/// which [`TraceLayer`](crate::TraceLayer) sets. Where neither is there, as in a background job,
/// nothing is written.
///
/// Each call gets a span id of its own as the parent, and a span named `outgoing request` at level
/// `INFO`, with the fields `trace_id`, `span_id` and `method`. Place the layer inside of retries,
/// so that each attempt is a call.
///
/// The three headers are replaced where the request has them already: what a proxy copied from its
/// own caller names that caller's span.
///
/// # Examples
///
/// ```
/// # use std::convert::Infallible;
/// # use http::{Request, Response};
/// use seawall_errors::trace::TraceContext;
/// use seawall_tower::{Origin, OutboundLayer};
/// use tower::{Layer, ServiceExt, service_fn};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // Stands for a HTTP client.
/// let client = OutboundLayer::new().layer(service_fn(|request: Request<()>| async move {
///     let parent = request.headers()["traceparent"].clone();
///     Ok::<_, Infallible>(Response::new(parent))
/// }));
///
/// let context = TraceContext::root(true);
/// let origin = Origin::new().with_trace(context.clone());
/// let sent = origin.scope(client.oneshot(Request::new(()))).await?.into_body();
/// assert!(sent.to_str()?.contains(&format!("{:032x}", context.parent().trace_id())));
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct OutboundLayer {
    trace: Trace,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Trace {
    #[default]
    Sent,
    /// Somebody else's business.
    Left,
}

impl OutboundLayer {
    /// Sends request id and trace.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sends the request id and leaves the trace alone: for clients whose tracing library writes
    /// its own `traceparent`, and for third parties whom your traces do not concern.
    #[must_use]
    pub fn request_id_only() -> Self {
        Self { trace: Trace::Left }
    }
}

impl<S> Layer<S> for OutboundLayer {
    type Service = OutboundService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        OutboundService {
            inner,
            trace: self.trace,
        }
    }
}

/// The service behind [`OutboundLayer`].
#[derive(Clone, Copy, Debug)]
pub struct OutboundService<S> {
    inner: S,
    trace: Trace,
}

impl<S, B> Service<Request<B>> for OutboundService<S>
where
    S: Service<Request<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = OutboundFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let origin = origin::of(request.extensions()).or_else(Origin::current);
        let mut span = Span::none();
        if let Some(origin) = origin {
            if let Some(id) = origin.request_id() {
                write(request.headers_mut(), REQUEST_ID_HEADER, id.as_str());
            }
            if let (Trace::Sent, Some(trace)) = (self.trace, origin.trace()) {
                let call = trace.child();
                span = tracing::info_span!(
                    "outgoing request",
                    trace_id = %TraceId(call.parent()),
                    span_id = %SpanId(call.parent()),
                    method = request.method().as_str(),
                );
                write_trace(request.headers_mut(), &call);
            }
        }
        let inner = span.in_scope(|| self.inner.call(request));
        OutboundFuture::new(inner, span)
    }
}

fn write_trace(headers: &mut HeaderMap, context: &TraceContext) {
    write(headers, TRACEPARENT_HEADER, &context.parent().to_string());
    if context.state().is_empty() {
        headers.remove(TRACESTATE_HEADER);
    } else {
        write(headers, TRACESTATE_HEADER, &context.state().to_string());
    }
}

fn write(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    let value = HeaderValue::from_str(value)
        .expect("ids and trace headers are made of printable ASCII characters");
    headers.insert(name, value);
}
