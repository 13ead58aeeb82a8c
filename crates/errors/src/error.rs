//! The error that a service answers with.

use std::{error::Error, fmt, time::Duration};

use serde_json::Value;

use crate::{
    Detail, ErrorCode, IntoPublicText, Private, PublicError, PublicText, codes,
    detail::{Members, set},
    header,
    public::Face,
};

/// A failure as an API answers it: a public half for the caller, a private half for the operators.
///
/// Reach for it in handlers and middleware that refuse a request. It is one pointer wide, so a
/// `Result<T, ApiError>` stays small.
///
/// The public half is what [`Renderer`](crate::Renderer) writes: code, message, details, headers.
/// The private half, cause and notes, never leaves through `Display`, `Debug`, `source()` or a
/// body; [`private`](Self::private) hands it to the log. `Serialize` is missing on purpose: the
/// renderer, which masks every 5xx, is the only way to bytes.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use seawall_errors::{ApiError, codes};
///
/// let cause = std::io::Error::other("connect 10.0.0.7: refused");
/// let error = ApiError::new(codes::SERVICE_UNAVAILABLE)
///     .retry_after(Duration::from_secs(30))
///     .source(cause);
///
/// assert_eq!(error.to_string(), "service_unavailable: Service temporarily unavailable");
/// assert!(!format!("{error:?}").contains("10.0.0.7"));
/// assert_eq!(error.private().report(), "connect 10.0.0.7: refused");
/// ```
#[must_use = "an error does nothing until it is answered"]
pub struct ApiError(Box<Inner>);

struct Inner {
    code: ErrorCode,
    message: Option<PublicText>,
    details: Vec<Detail>,
    retry_after: Option<Duration>,
    headers: Vec<(&'static str, String)>,
    meta: Members,
    problem_type: Option<&'static str>,
    private: Private,
    executed: bool,
}

impl ApiError {
    /// Makes an error of a code; without more, its message is the code's title.
    pub fn new(code: ErrorCode) -> Self {
        Self(Box::new(Inner {
            code,
            message: None,
            details: Vec::new(),
            retry_after: None,
            headers: Vec::new(),
            meta: Vec::new(),
            problem_type: None,
            private: Private::default(),
            executed: true,
        }))
    }

    /// Sets the message that callers read. Default: the code's title.
    ///
    /// Takes a literal, or a [`PublicText::vetted`]. A 5xx whose code is not
    /// [`public`](ErrorCode::public) does not show it.
    pub fn message(mut self, message: impl IntoPublicText) -> Self {
        self.0.message = Some(message.into_public_text());
        self
    }

    /// Adds a detail. At most 100 are kept; when there are more, the last says `truncated`.
    ///
    /// A 5xx shows no details.
    pub fn detail(mut self, detail: Detail) -> Self {
        self.push_detail(detail);
        self
    }

    /// Adds several details, under the same bound; an iterator without end is left in time.
    pub fn details(mut self, details: impl IntoIterator<Item = Detail>) -> Self {
        for detail in details {
            if !self.push_detail(detail) {
                break;
            }
        }
        self
    }

    /// Tells the caller to wait. Default: no `Retry-After`.
    ///
    /// The header is in whole seconds, rounded up, and at least 1. A 5xx whose code is not
    /// [`public`](ErrorCode::public) does not show it.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use seawall_errors::{ApiError, RenderContext, Renderer, codes};
    ///
    /// let error = ApiError::new(codes::RATE_LIMITED).retry_after(Duration::from_millis(1200));
    /// let answer = Renderer::new().render(&error, &RenderContext::new());
    /// assert!(answer.headers.contains(&("retry-after", "2".into())));
    /// ```
    pub fn retry_after(mut self, delay: Duration) -> Self {
        self.0.retry_after = Some(delay);
        self
    }

    /// Appends a header to the answer. Everything in it is public.
    ///
    /// The name is a header name in lower case (well-known names are accepted in any case). The
    /// value is printable ASCII of at most 8 KiB. What is not, and what the renderer writes itself
    /// (`content-type`, `content-length`, `cache-control` and their like), is left out, and the
    /// private half notes it. `retry-after` with a number of seconds is the same as
    /// [`retry_after`](Self::retry_after). At most 64 are kept.
    ///
    /// # Examples
    ///
    /// ```
    /// use seawall_errors::{ApiError, codes};
    ///
    /// let error = ApiError::new(codes::UNAUTHORIZED)
    ///     .header("WWW-Authenticate", "Bearer")
    ///     .header("x-hint", "a\r\nset-cookie: admin=1");
    ///
    /// assert_eq!(error.headers(), [("www-authenticate", "Bearer".to_owned())]);
    /// assert!(error.private().report().contains("x-hint left out"));
    /// ```
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        match header::check(name, value.into()) {
            Ok(header::Checked::Header(..)) if self.0.headers.len() >= MAX_HEADERS => {
                self.0.private.note(format!(
                    "header {name} left out: more than {MAX_HEADERS} headers"
                ));
            }
            Ok(header::Checked::Header(name, value)) => self.0.headers.push((name, value)),
            Ok(header::Checked::RetryAfter(delay)) => self.0.retry_after = Some(delay),
            Err(reason) => self
                .0
                .private
                .note(format!("header {name} left out: {reason}")),
        }
        self
    }

    /// Adds a member to the problem body (an extension member of RFC 9457).
    ///
    /// The name has at least three characters of `[A-Za-z0-9_-]` (RFC 9457 advises against the
    /// hyphen, and registered problem types use it), begins with a letter, and is none
    /// of the members that the renderer writes; otherwise the member is left out, and the private
    /// half notes it. A name that is used again replaces the value. A 5xx shows no such members.
    ///
    /// # Examples
    ///
    /// ```
    /// use seawall_errors::{ApiError, codes};
    ///
    /// let error = ApiError::new(codes::FORBIDDEN).meta("balance", 30).meta("status", 200);
    /// assert!(error.public_meta().eq([("balance", &30.into())]));
    /// ```
    pub fn meta(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        let inner = &mut *self.0;
        if is_extension_name(name) {
            set(&mut inner.meta, name, value.into());
        } else {
            inner
                .private
                .note(format!("member {name} left out: not an extension name"));
        }
        self
    }

    /// Sets the `type` of the problem body, for a kind of problem that is registered somewhere.
    /// Default: what [`Renderer::type_base`](crate::Renderer::type_base) says.
    ///
    /// An absolute URI, of at most 2 KiB of what a URI may hold; otherwise it is left out, and the
    /// private half notes it. The plain body has no type, and a 5xx shows none of its own.
    ///
    /// # Examples
    ///
    /// ```
    /// use seawall_errors::{ApiError, RenderContext, Renderer, codes};
    ///
    /// let quota = "https://iana.org/assignments/http-problem-types#quota-exceeded";
    /// let error = ApiError::new(codes::RATE_LIMITED).problem_type(quota);
    /// let context = RenderContext::new().accept(&b"application/problem+json"[..]);
    /// let answer = Renderer::new().render(&error, &context);
    /// let body: serde_json::Value = serde_json::from_slice(&answer.body)?;
    /// assert_eq!(body["type"], quota);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn problem_type(mut self, uri: &'static str) -> Self {
        let inner = &mut *self.0;
        if is_absolute_uri(uri) {
            inner.problem_type = Some(uri);
        } else {
            inner
                .private
                .note("problem type left out: not an absolute URI".to_owned());
        }
        self
    }

    /// Keeps the cause for the operators. Callers never see it.
    pub fn source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.0.private.set_source(source.into());
        self
    }

    /// Keeps a note for the operators. Callers never see it. At most 32 are kept.
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.0.private.note(note.into());
        self
    }

    /// States that the request was refused before any of it was carried out, so that an
    /// idempotency store need not remember the answer. Default: carried out, at least in part.
    pub fn not_executed(mut self) -> Self {
        self.0.executed = false;
        self
    }

    /// Whether some of the request may have been carried out; see
    /// [`not_executed`](Self::not_executed).
    #[must_use]
    pub fn was_executed(&self) -> bool {
        self.0.executed
    }

    /// The code, unmasked: for logs and metrics, not for callers.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        self.0.code
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.0.code.status()
    }

    /// The code's id as callers see it: `internal_error` for a 5xx that is not public.
    #[must_use]
    pub fn public_id(&self) -> &str {
        self.face().id
    }

    /// The message as callers see it.
    #[must_use]
    pub fn public_message(&self) -> &str {
        self.face().message
    }

    /// The details as callers see them: none for a 5xx.
    #[must_use]
    pub fn public_details(&self) -> &[Detail] {
        self.face().details
    }

    /// The extension members as callers see them: none for a 5xx.
    #[must_use]
    pub fn public_meta(&self) -> impl ExactSizeIterator<Item = (&str, &Value)> {
        self.face()
            .meta
            .iter()
            .map(|(name, value)| (&**name, value))
    }

    /// How long callers are told to wait: nothing for a 5xx that is not public.
    #[must_use]
    pub fn retry_delay(&self) -> Option<Duration> {
        self.face().retry_after
    }

    /// The headers that were added, in order; names in lower case.
    #[must_use]
    pub fn headers(&self) -> &[(&'static str, String)] {
        &self.0.headers
    }

    /// The public half as data, masked, for a store that has to repeat the answer; see
    /// [`PublicError`].
    #[must_use]
    pub fn public(&self) -> PublicError {
        PublicError::of(self)
    }

    /// The private half, for the log.
    #[must_use]
    pub fn private(&self) -> &Private {
        &self.0.private
    }

    /// What callers may see. This is the one place that masks.
    pub(crate) fn face(&self) -> Face<'_> {
        let inner = &*self.0;
        let (code, is_public) = (inner.code, inner.code.is_public());
        let shown = if is_public {
            code
        } else {
            codes::INTERNAL_ERROR
        };
        let message = inner.message.as_ref().filter(|_| is_public);
        let is_client_error = code.status() < 500;
        Face {
            // Masking keeps the status: the status line has it anyhow.
            status: code.status(),
            id: shown.id(),
            title: shown.title(),
            message: message.map_or(shown.title(), PublicText::as_str),
            details: if is_client_error { &inner.details } else { &[] },
            meta: if is_client_error { &inner.meta } else { &[] },
            problem_type: inner.problem_type.filter(|_| is_client_error),
            retry_after: inner.retry_after.filter(|_| is_public),
        }
    }

    /// False when the list is full.
    fn push_detail(&mut self, detail: Detail) -> bool {
        let details = &mut self.0.details;
        if details.len() < MAX_DETAILS {
            details.push(detail);
            return true;
        }
        if let Some(last) = details.last_mut() {
            *last = Detail::new("truncated", "More problems were found than are listed");
        }
        false
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.code.id(), self.0.code.title())
    }
}

impl fmt::Debug for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiError")
            .field("code", &self.0.code.id())
            .field("status", &self.status())
            .field("message", &self.public_message())
            .field("details", &self.public_details().len())
            .finish_non_exhaustive()
    }
}

/// `source()` is `None`, whatever was given to [`ApiError::source`]: printers that walk the chain
/// (`{:#}` of many crates) would carry internals along. [`ApiError::private`] has the chain.
impl Error for ApiError {}

fn is_extension_name(name: &str) -> bool {
    const TAKEN: [&str; 8] = [
        "type",
        "title",
        "status",
        "detail",
        "instance",
        "code",
        "errors",
        "request_id",
    ];
    name.len() >= 3
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b))
        && !TAKEN.contains(&name)
}

/// A scheme and something after it (RFC 3986, sections 3 and 2); not whether that is well formed.
fn is_absolute_uri(uri: &str) -> bool {
    let Some((scheme, rest)) = uri.split_once(':') else {
        return false;
    };
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
        && !rest.is_empty()
        && uri.len() <= MAX_URI
        && rest.bytes().all(|b| IN_URI[usize::from(b)])
}

/// What a URI may hold. A table: the layers that refuse make an error for each refusal.
const IN_URI: [bool; 256] = {
    let mut allowed = [false; 256];
    let mut byte = b'!';
    while byte <= b'~' {
        allowed[byte as usize] = !matches!(
            byte,
            b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}'
        );
        byte += 1;
    }
    allowed
};

const MAX_URI: usize = 2048;
const MAX_DETAILS: usize = 100;
const MAX_HEADERS: usize = 64;
