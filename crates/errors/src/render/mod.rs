//! From an error to the bytes of its answer.

mod accept;
mod body;
pub(crate) mod phrase;

use std::{borrow::Cow, time::Duration};

use crate::{ApiError, PublicError, public::Face};

/// Writes errors as responses: status, headers and body, in the format that the caller asked for.
///
/// One renderer serves a whole service, so that every refusal looks alike. It knows no framework;
/// adapters copy its [`Rendered`] into their own response type.
///
/// Every 5xx is masked here, whatever was put into it: no details, no extension members, and
/// unless its code is [`public`](crate::ErrorCode::public), the id, the message and no
/// `Retry-After` of `internal_error`. The status stays.
///
/// # Examples
///
/// ```
/// use seawall_errors::{ApiError, Detail, RenderContext, Renderer, codes};
///
/// let error = ApiError::new(codes::VALIDATION_ERROR)
///     .detail(Detail::new("invalid_email", "Email format is invalid").field("email"));
/// let answer = Renderer::new().render(&error, &RenderContext::new().request_id("req_abc123"));
///
/// assert_eq!(answer.status, 422);
/// assert_eq!(
///     String::from_utf8(answer.body)?,
///     r#"{"error":"validation_error","message":"Invalid request parameters","details":[{"code":"invalid_email","message":"Email format is invalid","field":"email"}],"request_id":"req_abc123"}"#,
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Renderer {
    policy: FormatPolicy,
    type_base: Option<Cow<'static, str>>,
}

/// Names a body format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// `application/json`: `error`, `message`, `details`, `request_id`.
    Simple,
    /// `application/problem+json`, RFC 9457.
    Problem,
}

/// Says who chooses the format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FormatPolicy {
    /// The service does, always.
    Always(Format),
    /// The caller does, by `Accept`; `default` serves a caller who does not say.
    ///
    /// A caller who names `application/problem+json` with a weight above zero and not below that
    /// of `application/json` receives a problem, in whatever order it lists them. A missing,
    /// empty, broken or unsatisfiable `Accept` gets the default: an error is never answered with
    /// 406, and never without a body.
    Negotiate {
        /// What a caller receives who does not say.
        default: Format,
    },
}

/// Holds what the renderer must know of the request.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct RenderContext<'a> {
    /// The id of the request; without one the body has no `request_id`.
    pub request_id: Option<&'a str>,
    /// The `Accept` header; several lines are joined by commas.
    pub accept: Option<&'a [u8]>,
    /// Whether the method is `HEAD`: same headers, no body.
    pub head: bool,
}

/// Holds a response, free of any framework.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rendered {
    /// The status.
    pub status: u16,
    /// The headers, names in lower case, in the order in which to append them. `content-length` is
    /// left to the server.
    pub headers: Vec<(&'static str, Cow<'static, str>)>,
    /// The body: JSON, or nothing for `HEAD`.
    pub body: Vec<u8>,
}

impl Renderer {
    /// Makes a renderer with the defaults: plain JSON unless the caller asks for a problem, and
    /// `about:blank` as the type of problems.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            policy: FormatPolicy::Negotiate {
                default: Format::Simple,
            },
            type_base: None,
        }
    }

    /// Sets who chooses the format. Default: the caller, and plain JSON when it does not say.
    #[must_use]
    pub const fn policy(mut self, policy: FormatPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// Sets the URI to which a code's id is appended for the `type` of a problem, as in
    /// `https://errors.example.com/`. Default: none, and every `type` is `about:blank`.
    ///
    /// An absolute URI which leads to documentation serves callers best.
    #[must_use]
    pub fn type_base(mut self, base: impl Into<Cow<'static, str>>) -> Self {
        self.type_base = Some(base.into());
        self
    }

    /// The format that a request with this `Accept` header receives.
    #[must_use]
    pub fn format(&self, accept: Option<&[u8]>) -> Format {
        match self.policy {
            FormatPolicy::Always(format) => format,
            FormatPolicy::Negotiate { default } => accept::choose(accept.unwrap_or(b""), default),
        }
    }

    /// Renders an error for one request.
    #[must_use]
    pub fn render(&self, error: &ApiError, context: &RenderContext<'_>) -> Rendered {
        self.answer(error.face(), error.headers(), context)
    }

    /// Renders what was kept of an error, for another request.
    #[must_use]
    pub fn render_public(&self, error: &PublicError, context: &RenderContext<'_>) -> Rendered {
        self.answer(error.face(), &[], context)
    }

    fn answer(
        &self,
        face: Face<'_>,
        own: &[(&'static str, String)],
        context: &RenderContext<'_>,
    ) -> Rendered {
        let format = self.format(context.accept);
        let request_id = context.request_id.filter(|id| !id.is_empty());
        let body = match (context.head, format) {
            (true, _) => Vec::new(),
            (false, Format::Simple) => body::simple(face, request_id),
            (false, Format::Problem) => body::problem(face, request_id, self.type_base.as_deref()),
        };

        let mut headers = Vec::with_capacity(5 + own.len());
        headers.push(("content-type", format.media_type().into()));
        headers.push(("cache-control", "no-store".into()));
        headers.push(("x-content-type-options", "nosniff".into()));
        if matches!(self.policy, FormatPolicy::Negotiate { .. }) {
            headers.push(("vary", "accept".into()));
        }
        if let Some(delay) = face.retry_after {
            headers.push(("retry-after", whole_seconds(delay).to_string().into()));
        }
        let own = own.iter();
        headers.extend(own.map(|(name, value)| (*name, value.clone().into())));
        Rendered {
            status: face.status,
            headers,
            body,
        }
    }
}

impl Default for Renderer {
    fn default() -> Self {
        Self::new()
    }
}

impl Format {
    /// The media type, as `content-type` states it.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Simple => "application/json",
            Self::Problem => "application/problem+json",
        }
    }
}

impl<'a> RenderContext<'a> {
    /// Knows nothing: no request id, no `Accept`, not a `HEAD`.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            request_id: None,
            accept: None,
            head: false,
        }
    }

    /// Sets the request id.
    #[must_use]
    pub fn request_id(mut self, id: impl Into<Option<&'a str>>) -> Self {
        self.request_id = id.into();
        self
    }

    /// Sets the `Accept` header.
    #[must_use]
    pub fn accept(mut self, accept: impl Into<Option<&'a [u8]>>) -> Self {
        self.accept = accept.into();
        self
    }

    /// Sets whether the method is `HEAD`.
    #[must_use]
    pub const fn head(mut self, head: bool) -> Self {
        self.head = head;
        self
    }
}

/// Rounds up, so that nobody returns too early, to at least 1, since `Retry-After: 0` invites a
/// storm, and to at most what a client that counts in 32 bits can read.
fn whole_seconds(delay: Duration) -> u64 {
    let up = u64::from(delay.subsec_nanos() > 0);
    delay.as_secs().saturating_add(up).clamp(1, 0x7fff_ffff)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_rounded_up_to_at_least_a_second() {
        for (millis, seconds) in [(0, 1), (1, 1), (999, 1), (1000, 1), (1001, 2), (29_500, 30)] {
            assert_eq!(
                whole_seconds(Duration::from_millis(millis)),
                seconds,
                "{millis} ms"
            );
        }
        assert_eq!(whole_seconds(Duration::new(1, 1)), 2);
        assert_eq!(whole_seconds(Duration::MAX), 2_147_483_647);
    }
}
