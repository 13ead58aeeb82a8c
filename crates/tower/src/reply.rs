//! How a layer refuses: an error attached to the response, rendered late where it can be.

use std::sync::Arc;

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Extensions, Request, Response, StatusCode};
use seawall_errors::{ApiError, PublicError, RenderContext, Rendered, Renderer, RequestId};

use crate::ReplyBody;
use crate::known;
use crate::outside::Outside;

/// The error behind a response, as an extension of the response.
///
/// Whoever produces an error answer attaches it, so that [`ErrorsLayer`](crate::ErrorsLayer) can
/// render it with the request's id and the format that the caller accepts. An answer that carries
/// one is ours; any other error answer is adopted.
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

/// An extension that tells [`ErrorsLayer`](crate::ErrorsLayer) to leave a response as it is.
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

/// How a layer answers with an error after the request has gone: decided while it was here.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Rendering {
    /// The errors layer outside renders.
    Later,
    /// Nobody does: the layer renders itself, in the default format and without an id.
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

    /// The answer to a request that has gone.
    pub(crate) fn reply<B>(self, error: ApiError) -> Response<ReplyBody<B>> {
        match self {
            Self::Later => attach(error),
            Self::Here => render(error, &RenderContext::new()),
        }
    }

    /// Makes an error of this response, one that was kept from an earlier answer. What it says on
    /// its own stays.
    pub(crate) fn reply_kept<B>(self, error: PublicError, response: &mut Response<ReplyBody<B>>) {
        *response.status_mut() = status(error.status());
        match self {
            Self::Later => {
                let attached = AttachedKept(Arc::new(error));
                response.extensions_mut().insert(attached);
            }
            Self::Here => {
                let rendered = Renderer::new().render_public(&error, &RenderContext::new());
                write_headers(response.headers_mut(), &rendered);
                *response.body_mut() = ReplyBody::own(rendered.body);
            }
        }
    }
}

/// The answer to a request that is still here.
pub(crate) fn refuse<ReqB, B>(request: &Request<ReqB>, error: ApiError) -> Response<ReplyBody<B>> {
    match Rendering::of(request.extensions()) {
        Rendering::Later => attach(error),
        Rendering::Here => {
            let id = request.extensions().get::<RequestId>();
            let accept = request.headers().get(header::ACCEPT);
            let mut context = RenderContext::new().head(request.method() == http::Method::HEAD);
            if let Some(id) = id {
                context = context.request_id(id.as_str());
            }
            if let Some(accept) = accept {
                context = context.accept(accept.as_bytes());
            }
            render(error, &context)
        }
    }
}

/// Answers with an error: rendered in the default format and without an id, so that the answer is
/// whole and safe on its own, and attached, so that [`ErrorsLayer`](crate::ErrorsLayer) can render
/// it better.
///
/// For framework glue and for services that are not layers of this crate.
#[must_use]
pub fn respond<B>(error: ApiError) -> Response<ReplyBody<B>> {
    Rendering::Here.reply(error)
}

fn attach<B>(error: ApiError) -> Response<ReplyBody<B>> {
    let mut response = Response::new(ReplyBody::own(""));
    *response.status_mut() = status(error.status());
    response.extensions_mut().insert(Attached::new(error));
    response
}

fn render<B>(error: ApiError, context: &RenderContext<'_>) -> Response<ReplyBody<B>> {
    let rendered = Renderer::new().render(&error, context);
    let mut response = Response::new(ReplyBody::own(""));
    *response.status_mut() = status(rendered.status);
    write_headers(response.headers_mut(), &rendered);
    *response.body_mut() = ReplyBody::own(rendered.body);
    response.extensions_mut().insert(Attached::new(error));
    response
}

/// Writes an error's headers over those that stand on the response already.
///
/// What describes the body replaces what was there; `Vary` is added to; any other header that a
/// lower layer set (`Allow`, `WWW-Authenticate`, `Retry-After`) is kept, since it knew more.
pub(crate) fn write_headers(headers: &mut HeaderMap, rendered: &Rendered) {
    let mut ours = [""; 8];
    for (name, text) in &rendered.headers {
        let value = match known::value(text) {
            Some(value) => Ok(value),
            None => HeaderValue::from_str(text),
        };
        let parsed = match known::name(name) {
            Some(name) => Ok(name),
            None => HeaderName::from_bytes(name.as_bytes()),
        };
        let (Ok(parsed), Ok(value)) = (parsed, value) else {
            continue;
        };
        match *name {
            "content-type" | "cache-control" | "x-content-type-options" => {
                headers.insert(parsed, value);
            }
            "vary" => {
                let mut present = headers.get_all(header::VARY).iter();
                if !present.any(|present| present == value) {
                    headers.append(parsed, value);
                }
            }
            name if ours.contains(&name) => {
                headers.append(parsed, value);
            }
            name if !headers.contains_key(&parsed) => {
                if let Some(free) = ours.iter_mut().find(|slot| slot.is_empty()) {
                    *free = name;
                }
                headers.append(parsed, value);
            }
            _ => {}
        }
    }
}

/// The status of an error. Codes are checked to lie in 400..=599 where they are declared.
pub(crate) fn status(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
