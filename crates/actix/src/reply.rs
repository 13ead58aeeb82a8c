//! How a middleware refuses: an error attached to the response, rendered late where it can be.

use std::sync::Arc;

use actix_web::body::{self, BoxBody, EitherBody};
use actix_web::dev::{Extensions, ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpMessage, HttpRequest, HttpResponse};
use bytes::Bytes;
use seawall_errors::{ApiError, PublicError, RenderContext, Rendered, Renderer, RequestId};

use crate::outside::Outside;

/// The error behind a response, as an extension of the response.
///
/// Whoever produces an error answer attaches it, so that the errors middleware can render it with
/// the request's id and the format that the caller accepts. An answer that carries one is ours; any
/// other error answer is adopted.
#[derive(Clone, Debug)]
pub struct Attached(Arc<ApiError>);

impl Attached {
    /// Attaches this error.
    #[must_use]
    pub fn new(error: ApiError) -> Self {
        Self(Arc::new(error))
    }

    /// The error.
    pub fn error(&self) -> &ApiError {
        &self.0
    }
}

/// An error that was kept from an earlier answer, as an extension of the response.
#[derive(Clone, Debug)]
pub(crate) struct AttachedKept(Arc<PublicError>);

impl AttachedKept {
    pub(crate) fn error(&self) -> &PublicError {
        &self.0
    }
}

/// An extension that tells the errors middleware to leave a response as it is.
///
/// For error answers whose body is deliberately the handler's own. Nothing masks such a body, so
/// what it says is the handler's responsibility.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Passthrough;

impl Passthrough {
    /// The marker.
    #[must_use]
    pub fn new() -> Self {
        Self
    }
}

/// How a middleware answers with an error after the request has gone: decided while it was here.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Rendering {
    /// The errors middleware outside renders.
    Later,
    /// Nobody does: the middleware renders itself, in the default format and without an id.
    Here,
}

impl Rendering {
    pub(crate) fn of(extensions: &Extensions) -> Self {
        if Outside::of(extensions).has(Outside::ERRORS) {
            Self::Later
        } else {
            Self::Here
        }
    }

    pub(crate) fn of_request(request: &ServiceRequest) -> Self {
        Self::of(&request.extensions())
    }

    /// An answer, for whoever has a request to answer or a response to replace.
    pub(crate) fn reply(self, error: ApiError) -> HttpResponse {
        match self {
            Self::Later => attach(Attached::new(error)),
            Self::Here => render_attached(Attached::new(error)),
        }
    }

    /// Makes an error of this response, one that was kept from an earlier answer. What it says on
    /// its own stays.
    pub(crate) fn reply_kept(self, error: PublicError, mut response: HttpResponse) -> HttpResponse {
        *response.status_mut() = status(error.status());
        match self {
            Self::Later => {
                let attached = AttachedKept(Arc::new(error));
                response.extensions_mut().insert(attached);
                response
            }
            Self::Here => {
                let rendered = Renderer::new().render_public(&error, &RenderContext::new());
                write_headers(response.headers_mut(), &rendered);
                response.set_body(body(rendered.body.into()))
            }
        }
    }
}

/// The answer to a request that is still here, in place of what the services below would say.
pub(crate) fn refuse<B>(
    request: ServiceRequest,
    error: ApiError,
) -> ServiceResponse<EitherBody<B>> {
    let response = refusal(request.request(), error);
    request.into_response(response).map_into_right_body()
}

/// The answer to a request, for whoever keeps the request.
pub(crate) fn refusal(request: &HttpRequest, error: ApiError) -> HttpResponse {
    let extensions = request.extensions();
    match Rendering::of(&extensions) {
        Rendering::Later => attach(Attached::new(error)),
        Rendering::Here => {
            let id = extensions.get::<RequestId>();
            let accept = request.headers().get(header::ACCEPT);
            let mut context = RenderContext::new().head(request.method() == Method::HEAD);
            if let Some(id) = id {
                context = context.request_id(id.as_str());
            }
            if let Some(accept) = accept {
                context = context.accept(accept.as_bytes());
            }
            render(Attached::new(error), &context)
        }
    }
}

/// The failure of a request that has gone: what a middleware returns as `Err` once it has handed
/// its request on and will get no response back.
pub(crate) fn failure(error: ApiError) -> actix_web::Error {
    crate::Error::from(error).into()
}

/// Answers with an error: rendered in the default format and without an id, so that the answer is
/// whole and safe on its own, and attached, so that the errors middleware can render it better.
///
/// For middlewares and services of your own; a handler returns an [`Error`](crate::Error).
#[must_use]
pub fn respond(error: ApiError) -> HttpResponse {
    render_attached(Attached::new(error))
}

pub(crate) fn render_attached(attached: Attached) -> HttpResponse {
    render(attached, &RenderContext::new())
}

fn attach(attached: Attached) -> HttpResponse {
    let mut response = HttpResponse::new(status(attached.error().status()));
    response.extensions_mut().insert(attached);
    response
}

fn render(attached: Attached, context: &RenderContext<'_>) -> HttpResponse {
    let rendered = Renderer::new().render(attached.error(), context);
    let mut response = HttpResponse::new(status(rendered.status));
    write_headers(response.headers_mut(), &rendered);
    response.extensions_mut().insert(attached);
    response.set_body(body(rendered.body.into()))
}

/// The body of an error. An empty one is that of an answer to `HEAD`, whose length is not told.
pub(crate) fn body(bytes: Bytes) -> BoxBody {
    if bytes.is_empty() {
        BoxBody::new(body::None::new())
    } else {
        BoxBody::new(bytes)
    }
}

/// Writes an error's headers over those that stand on the response already.
///
/// What describes the body replaces what was there; `Vary` is added to; any other header that a
/// lower service set (`Allow`, `WWW-Authenticate`, `Retry-After`) is kept, since it knew more.
pub(crate) fn write_headers(headers: &mut HeaderMap, rendered: &Rendered) {
    let mut ours: [Option<HeaderName>; 8] = Default::default();
    for (name, value) in &rendered.headers {
        let (Ok(name), Ok(value)) = (
            HeaderName::from_bytes(name.as_bytes()),
            HeaderValue::from_str(value),
        ) else {
            continue;
        };
        if name == header::CONTENT_TYPE
            || name == header::CACHE_CONTROL
            || name == header::X_CONTENT_TYPE_OPTIONS
        {
            headers.insert(name, value);
        } else if name == header::VARY {
            if !headers
                .get_all(header::VARY)
                .any(|present| present == value)
            {
                headers.append(name, value);
            }
        } else if ours.contains(&Some(name.clone())) {
            headers.append(name, value);
        } else if !headers.contains_key(&name) {
            if let Some(free) = ours.iter_mut().find(|slot| slot.is_none()) {
                *free = Some(name.clone());
            }
            headers.append(name, value);
        }
    }
}

/// The status of an error. Codes are checked to lie in 400..=599 where they are declared.
pub(crate) fn status(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
