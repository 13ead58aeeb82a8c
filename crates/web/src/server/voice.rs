//! Refusals below every layer, in the words of all the others.
//!
//! A request whose head cannot be read never becomes a request: the parser answers it, with a status
//! and nothing else. A caller should not have to know that, so its answer is put into the shape of all
//! other errors.

use seawall_errors::{ApiError, ErrorCode, RenderContext, Rendered, Renderer, RequestId, codes};

/// What a parser of HTTP/1 refused with, on its own: a client error without a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal<'a> {
    status: u16,
    /// The rest of its status line.
    reason: &'a str,
    /// The value of its `date`.
    date: Option<&'a str>,
}

impl<'a> Refusal<'a> {
    /// The refusal, if these bytes, written as one, are one and nothing else.
    #[must_use]
    pub fn read(bytes: &'a [u8]) -> Option<Self> {
        // Cheap for everything else, which is nearly everything.
        let rest = bytes.strip_prefix(b"HTTP/1.1 4")?;
        if rest.len() > LONGEST {
            return None;
        }
        let text = std::str::from_utf8(bytes).ok()?;
        let head = text.strip_suffix("\r\n\r\n")?;
        let mut lines = head.split("\r\n");
        let (status, reason) = lines.next()?.strip_prefix("HTTP/1.1 ")?.split_once(' ')?;
        let status = status.parse().ok()?;
        let (mut empty, mut date) = (false, None);
        for line in lines {
            let (name, value) = line.split_once(": ")?;
            if name.eq_ignore_ascii_case("content-length") {
                empty = value == "0";
            } else if name.eq_ignore_ascii_case("date") {
                date = Some(value);
            } else if !name.eq_ignore_ascii_case("connection") {
                return None;
            }
        }
        empty.then_some(Self {
            status,
            reason,
            date,
        })
    }

    /// The same refusal with the body of every error, closing, as bytes to send.
    #[must_use]
    pub fn rendered(self) -> Vec<u8> {
        let code = match self.status {
            400 => codes::MALFORMED_REQUEST,
            other => codes::for_status(other),
        };
        closing(code, self.status, self.reason, self.date)
    }
}

/// The parsers' refusals are shorter.
const LONGEST: usize = 256;

/// The answer to a first head that does not come, as bytes to send.
#[must_use]
pub fn too_slow() -> Vec<u8> {
    closing(codes::REQUEST_TIMEOUT, 408, "Request Timeout", None)
}

/// The answer to a head that could be read and is larger than it may be, `x-request-id` included.
///
/// It is told whether the request's method is `HEAD`, and its `accept`.
#[must_use]
pub fn head_too_large(is_head: bool, accept: Option<&[u8]>) -> Rendered {
    let id = RequestId::generate();
    let mut context = RenderContext::new().request_id(id.as_str()).head(is_head);
    if let Some(accept) = accept {
        context = context.accept(accept);
    }
    let error = ApiError::new(codes::HEADERS_TOO_LARGE).not_executed();
    let mut rendered = Renderer::new().render(&error, &context);
    let id = id.to_string().into();
    rendered.headers.push(("x-request-id", id));
    rendered
}

/// The last answer on a connection.
fn closing(code: ErrorCode, status: u16, reason: &str, date: Option<&str>) -> Vec<u8> {
    let id = RequestId::generate();
    let context = RenderContext::new().request_id(id.as_str());
    let rendered = Renderer::new().render(&ApiError::new(code).not_executed(), &context);
    let mut bytes = format!("HTTP/1.1 {status} {reason}\r\n");
    for (name, value) in &rendered.headers {
        bytes.push_str(&format!("{name}: {value}\r\n"));
    }
    let length = rendered.body.len();
    bytes.push_str(&format!(
        "x-request-id: {id}\r\ncontent-length: {length}\r\nconnection: close\r\n"
    ));
    if let Some(date) = date {
        bytes.push_str(&format!("date: {date}\r\n"));
    }
    bytes.push_str("\r\n");
    let mut bytes = bytes.into_bytes();
    bytes.extend(rendered.body);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    const HYPERS: &str = "HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\
        date: Thu, 01 Jan 1970 00:00:00 GMT\r\n\r\n";

    const ACTIXS: &str = "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\
        date: Thu, 01 Jan 1970 00:00:00 GMT\r\n\r\n";

    #[test]
    fn the_parsers_refusal_is_recognised() {
        for parsers in [HYPERS, ACTIXS] {
            let refusal = Refusal::read(parsers.as_bytes()).unwrap();
            assert_eq!((refusal.status, refusal.reason), (400, "Bad Request"));
            assert_eq!(refusal.date, Some("Thu, 01 Jan 1970 00:00:00 GMT"));
        }
    }

    #[test]
    fn everything_else_is_not() {
        for other in [
            "",
            "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
            "HTTP/1.1 400 Bad Request\r\ncontent-length: 2\r\n\r\n",
            "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\nGET",
            "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nset-cookie: a\r\n\r\n",
            "HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n",
            "HTTP/1.1 4",
        ] {
            assert_eq!(Refusal::read(other.as_bytes()), None, "{other}");
        }
        assert_eq!(Refusal::read(&[0xff; 40]), None);
    }

    fn said(bytes: Vec<u8>, code: &str, lines: &[&str]) {
        let text = String::from_utf8(bytes).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!(body["error"], code);
        let id = format!("x-request-id: {}", body["request_id"].as_str().unwrap());
        let usual = [
            "content-type: application/json",
            "cache-control: no-store",
            "connection: close",
            &id,
        ];
        for line in lines.iter().chain(&usual) {
            assert!(head.split("\r\n").any(|found| found == *line), "{head}");
        }
    }

    #[test]
    fn the_words_are_those_of_every_error() {
        let date = "date: Thu, 01 Jan 1970 00:00:00 GMT";
        let bytes = Refusal::read(ACTIXS.as_bytes()).unwrap().rendered();
        said(
            bytes,
            "malformed_request",
            &["HTTP/1.1 400 Bad Request", date],
        );
        let line = "HTTP/1.1 408 Request Timeout";
        said(too_slow(), "request_timeout", &[line]);
    }
}
