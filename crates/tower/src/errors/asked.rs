//! What has to be remembered of a request to answer it with an error.

use http::{HeaderMap, HeaderValue, Method, Request, header};
use seawall_errors::trace::{TraceContext, TraceParent};
use seawall_errors::{RenderContext, RequestId};
use seawall_web::request::Route;

use crate::head::route_of;

/// Cheap to make: the strings are shared with the request, not copied. Boxed, since it goes with the
/// request through futures of futures, and with the answer to the end of its body.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) id: RequestId,
    /// Whether a layer outside puts the id on the answer.
    pub(super) id_is_sent: bool,
    pub(super) method: Method,
    pub(super) route: Option<Route>,
    pub(super) trace: Option<TraceParent>,
    accept: Option<HeaderValue>,
}

impl Asked {
    pub(crate) fn of<B>(request: &Request<B>) -> Box<Self> {
        let id = request.extensions().get::<RequestId>().cloned();
        Box::new(Self {
            id_is_sent: id.is_some(),
            id: id.unwrap_or_else(RequestId::generate),
            method: request.method().clone(),
            route: route_of(request.extensions()).cloned(),
            trace: request.extensions().get().map(TraceContext::parent),
            accept: accept(request.headers()),
        })
    }

    pub(super) fn wants_no_body(&self) -> bool {
        self.method == Method::HEAD
    }

    pub(super) fn context(&self) -> RenderContext<'_> {
        let context = RenderContext::new().request_id(self.id.as_str());
        match &self.accept {
            Some(accept) => context.accept(accept.as_bytes()),
            None => context,
        }
    }
}

/// The `Accept` header; several lines of it are one list (RFC 9110, section 5.3).
fn accept(headers: &HeaderMap) -> Option<HeaderValue> {
    let mut lines = headers.get_all(header::ACCEPT).iter();
    let first = lines.next()?;
    let Some(second) = lines.next() else {
        return Some(first.clone());
    };
    let mut joined = first.as_bytes().to_vec();
    for line in std::iter::once(second).chain(lines) {
        joined.extend_from_slice(b", ");
        joined.extend_from_slice(line.as_bytes());
    }
    HeaderValue::from_bytes(&joined).ok()
}
