//! `RequestHead` over the types of actix.

use std::borrow::Cow;
use std::cell::{OnceCell, Ref};
use std::fmt;
use std::net::IpAddr;
use std::ops::ControlFlow;

use actix_web::dev::{Extensions, ServiceRequest};
use actix_web::http::header;
use actix_web::{HttpMessage, HttpRequest};
use percent_encoding::percent_decode_str;
use seawall_web::request::{PeerAddr, Principal, RequestHead, Route};

/// The head of an actix request, borrowed.
///
/// Peer and route are those that actix knows, unless the extensions [`PeerAddr`] and [`Route`] say
/// otherwise; the principal is the extension [`Principal`]. The route and its parameters are known
/// in every middleware, also in those that stand outside of routing.
///
/// It holds a borrow of the request's extensions: drop it before you write to them.
pub struct HttpHead<'a> {
    request: &'a HttpRequest,
    extensions: Ref<'a, Extensions>,
    /// Looked up when somebody asks.
    pattern: OnceCell<Option<String>>,
}

impl<'a> HttpHead<'a> {
    /// The head of a request in a middleware.
    #[must_use]
    pub fn of(request: &'a ServiceRequest) -> Self {
        Self::of_request(request.request())
    }

    /// The head of a request in a handler or an extractor.
    #[must_use]
    pub fn of_request(request: &'a HttpRequest) -> Self {
        Self {
            request,
            extensions: request.extensions(),
            pattern: OnceCell::new(),
        }
    }
}

impl RequestHead for HttpHead<'_> {
    fn method(&self) -> &str {
        self.request.method().as_str()
    }

    fn path(&self) -> &str {
        self.request.path()
    }

    fn query(&self) -> Option<&str> {
        self.request.uri().query()
    }

    fn scheme(&self) -> Option<&str> {
        // Not from `connection_info`, which believes forwarding headers of anybody.
        let tls = self.request.app_config().secure();
        self.request.uri().scheme_str().or(tls.then_some("https"))
    }

    fn authority(&self) -> Option<&str> {
        if let Some(authority) = self.request.uri().authority() {
            return Some(authority.as_str());
        }
        // Two `Host` lines are a smuggling attempt (RFC 9112, section 3.2): neither is believed.
        let mut hosts = self.request.headers().get_all(header::HOST);
        let host = hosts.next()?;
        if hosts.next().is_some() {
            return None;
        }
        host.to_str().ok()
    }

    fn header(&self, name: &str) -> Option<&[u8]> {
        let value = self.request.headers().get(name);
        value.map(header::HeaderValue::as_bytes)
    }

    fn each_header(&self, name: &str, visit: &mut dyn FnMut(&[u8]) -> ControlFlow<()>) {
        let _ = self
            .request
            .headers()
            .get_all(name)
            .try_for_each(|value| visit(value.as_bytes()));
    }

    fn peer(&self) -> Option<IpAddr> {
        let recorded = self.extensions.get::<PeerAddr>().copied();
        recorded
            .or_else(|| self.request.peer_addr().map(PeerAddr::from))
            .map(PeerAddr::ip)
    }

    fn route(&self) -> Option<&str> {
        if let Some(route) = self.extensions.get::<Route>() {
            return Some(route.as_str());
        }
        self.pattern
            .get_or_init(|| self.request.match_pattern())
            .as_deref()
    }

    fn path_param(&self, name: &str) -> Option<Cow<'_, str>> {
        // Outside of routing, actix has not cut the path up yet.
        match self.request.match_info().get(name) {
            // Actix leaves three characters encoded, and replaces what is not UTF-8.
            Some(value) if value.contains(char::REPLACEMENT_CHARACTER) => None,
            Some(value) => decode(value),
            None => decode(parameter(self.route()?, self.path(), name)?),
        }
    }

    fn principal(&self) -> Option<&str> {
        self.extensions.get::<Principal>().map(Principal::as_str)
    }
}

impl fmt::Debug for HttpHead<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpHead")
            .field("method", self.request.method())
            .field("uri", self.request.uri())
            .finish_non_exhaustive()
    }
}

fn decode(text: &str) -> Option<Cow<'_, str>> {
    percent_decode_str(text).decode_utf8().ok()
}

/// Finds a parameter of a template in a path that matches it: `{name}`, `{name:pattern}` where the
/// pattern spans one segment, and `{name}*` or `{name:.*}` at the end. One that shares its segment
/// with other text is known to routing only.
fn parameter<'a>(template: &str, path: &'a str, name: &str) -> Option<&'a str> {
    let mut rest = path;
    let mut segments = template.split('/').peekable();
    while let Some(segment) = segments.next() {
        let (this, after) = match rest.split_once('/') {
            Some((this, after)) => (this, Some(after)),
            None => (rest, None),
        };
        let is_last = segments.peek().is_none();
        let named = segment
            .strip_prefix('{')
            .and_then(|inner| inner.strip_suffix('}').or(inner.strip_suffix("}*")))
            .map(|inner| inner.split_once(':').unwrap_or((inner, "")));
        match named {
            Some((found, pattern)) if found == name => {
                let is_tail = is_last && (segment.ends_with('*') || pattern == ".*");
                if is_tail {
                    return Some(rest);
                }
                // A pattern that spans segments has no place here that could be told.
                return (is_last == after.is_none()).then_some(this);
            }
            _ if is_last => return None,
            _ => rest = after?,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn the_authority_of_the_target_wins_over_host() {
        let request = TestRequest::with_uri("http://a.example/x")
            .insert_header(("host", "b.example"))
            .to_http_request();
        assert_eq!(
            HttpHead::of_request(&request).authority(),
            Some("a.example")
        );
    }

    #[test]
    fn two_hosts_are_none() {
        let request = TestRequest::with_uri("/x")
            .append_header(("host", "a"))
            .append_header(("host", "b"))
            .to_http_request();
        assert_eq!(HttpHead::of_request(&request).authority(), None);
    }

    #[test]
    fn what_nobody_recorded_is_unknown() {
        let request = TestRequest::with_uri("/x").to_http_request();
        let head = HttpHead::of_request(&request);
        assert!(head.peer().is_none() && head.route().is_none() && head.principal().is_none());
        assert!(head.path_param("id").is_none() && head.scheme().is_none());
    }

    #[track_caller]
    fn check(template: &str, path: &str, name: &str, expected: Option<&str>) {
        assert_eq!(parameter(template, path, name), expected, "{template}");
    }

    #[test]
    fn parameters_are_found_before_routing() {
        check("/users/{id}", "/users/7", "id", Some("7"));
        check("/users/{id}", "/users/7", "name", None);
        check(
            "/users/{id}/posts/{post}",
            "/users/7/posts/9",
            "id",
            Some("7"),
        );
        check(
            "/users/{id}/posts/{post}",
            "/users/7/posts/9",
            "post",
            Some("9"),
        );
        check("/users/{id:\\d+}", "/users/7", "id", Some("7"));
        check("/files/{tail}*", "/files/a/b", "tail", Some("a/b"));
        check("/files/{tail:.*}", "/files/a/b", "tail", Some("a/b"));
        check("/users/{id:.+}", "/users/a/b", "id", None);
        check("/v{version}/x", "/v2/x", "version", None);
    }
}
