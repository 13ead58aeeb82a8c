//! What has to be remembered of a request to answer it with an error.

use actix_web::dev::ServiceRequest;
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::{HttpMessage as _, HttpRequest};
use seawall_errors::trace::{TraceContext, TraceParent};
use seawall_errors::{RenderContext, RequestId};
use seawall_web::request::Route;

/// Cheap to make: the strings are shared with the request, not copied. The request itself cannot be
/// kept: routing wants it for itself.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) id: RequestId,
    /// Whether a middleware outside puts the id on the answer.
    pub(super) id_is_sent: bool,
    pub(super) method: Method,
    pub(super) route: Option<Route>,
    /// What the path matches, as far as can be told before routing.
    foreseen: Option<Route>,
    pub(super) trace: Option<TraceParent>,
    accept: Option<HeaderValue>,
}

impl Asked {
    pub(super) fn of(request: &ServiceRequest) -> Self {
        let extensions = request.extensions();
        let id = extensions.get::<RequestId>().cloned();
        Self {
            id_is_sent: id.is_some(),
            id: id.unwrap_or_else(RequestId::generate),
            method: request.method().clone(),
            route: extensions.get::<Route>().cloned(),
            foreseen: None,
            trace: extensions.get().map(TraceContext::parent),
            accept: accept(request.headers()),
        }
    }

    /// Looks the route up where nobody has, of a request that has come back: routing has told it
    /// which one it took.
    pub(super) fn locate(&mut self, request: &HttpRequest) {
        if self.route.is_none() {
            self.route = request.match_pattern().map(Route::new);
        }
    }

    /// Looks the route up in case the request does not come back: a panic, a deadline and every other
    /// failure on the way drop it. Keeping a clone of it instead would be in routing's way.
    pub(super) fn foresee(&mut self, request: &ServiceRequest) {
        if self.route.is_none() {
            self.foreseen = request.match_pattern().map(Route::new);
        }
    }

    /// The request did not come back.
    pub(super) fn gone(&mut self) {
        if self.route.is_none() {
            self.route = self.foreseen.take();
        }
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
    let mut lines = headers.get_all(header::ACCEPT);
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
