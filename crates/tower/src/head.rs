//! `RequestHead` over the types of `http` 1.

use std::borrow::Cow;
use std::net::IpAddr;
use std::ops::ControlFlow;

use http::request::Parts;
use http::{Extensions, HeaderMap, Method, Request, Uri, header};
use seawall_web::request::{Known, PathParams, PeerAddr, Principal, RequestHead, Route};

/// The head of an `http` request, borrowed.
///
/// Peer, route, path parameters and principal come from the extensions [`PeerAddr`], [`Route`],
/// [`PathParams`] and [`Principal`], the first three else from [`Known`]: tower itself knows neither
/// connections nor routes.
#[derive(Clone, Copy, Debug)]
pub struct HttpHead<'a> {
    method: &'a Method,
    uri: &'a Uri,
    headers: &'a HeaderMap,
    extensions: &'a Extensions,
}

impl<'a> HttpHead<'a> {
    /// The head of a request.
    pub fn of<B>(request: &'a Request<B>) -> Self {
        Self {
            method: request.method(),
            uri: request.uri(),
            headers: request.headers(),
            extensions: request.extensions(),
        }
    }

    /// The head of a request that was taken apart.
    #[must_use]
    pub fn of_parts(parts: &'a Parts) -> Self {
        Self {
            method: &parts.method,
            uri: &parts.uri,
            headers: &parts.headers,
            extensions: &parts.extensions,
        }
    }
}

impl RequestHead for HttpHead<'_> {
    fn method(&self) -> &str {
        self.method.as_str()
    }

    fn path(&self) -> &str {
        self.uri.path()
    }

    fn query(&self) -> Option<&str> {
        self.uri.query()
    }

    fn scheme(&self) -> Option<&str> {
        self.uri.scheme_str()
    }

    fn authority(&self) -> Option<&str> {
        if let Some(authority) = self.uri.authority() {
            return Some(authority.as_str());
        }
        // Two `Host` lines are a smuggling attempt (RFC 9112, section 3.2): neither is believed.
        let mut hosts = self.headers.get_all(header::HOST).iter();
        let host = hosts.next()?;
        if hosts.next().is_some() {
            return None;
        }
        host.to_str().ok()
    }

    fn header(&self, name: &str) -> Option<&[u8]> {
        self.headers.get(name).map(http::HeaderValue::as_bytes)
    }

    fn each_header(&self, name: &str, visit: &mut dyn FnMut(&[u8]) -> ControlFlow<()>) {
        let _ = self
            .headers
            .get_all(name)
            .iter()
            .try_for_each(|value| visit(value.as_bytes()));
    }

    #[inline]
    fn peer(&self) -> Option<IpAddr> {
        let peer = self.extensions.get::<PeerAddr>().copied();
        peer.or_else(|| self.extensions.get::<Known>()?.peer())
            .map(PeerAddr::ip)
    }

    fn route(&self) -> Option<&str> {
        route_of(self.extensions).map(Route::as_str)
    }

    fn path_param(&self, name: &str) -> Option<Cow<'_, str>> {
        let params = self.extensions.get::<PathParams>();
        params
            .or_else(|| self.extensions.get::<Known>()?.params())?
            .find(name)
            .map(Cow::Borrowed)
    }

    fn principal(&self) -> Option<&str> {
        self.extensions.get::<Principal>().map(Principal::as_str)
    }
}

/// The matched route, where somebody has recorded it.
#[inline]
pub(crate) fn route_of(extensions: &Extensions) -> Option<&Route> {
    let route = extensions.get::<Route>();
    route.or_else(|| extensions.get::<Known>()?.route())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_somebody_inserted_by_hand_counts_for_more_than_what_the_adapter_found() {
        let peer = |last| PeerAddr::new([203, 0, 113, last].into());
        let known = Known::new()
            .with_peer(peer(1))
            .with_route(Route::new("/found"))
            .with_params([("id", "found")].into_iter().collect());
        let mut request = Request::new(());
        request.extensions_mut().insert(known);
        let head = HttpHead::of(&request);
        assert_eq!(head.peer(), Some(peer(1).ip()));
        assert_eq!(head.route(), Some("/found"));
        assert_eq!(head.path_param("id").as_deref(), Some("found"));

        let extensions = request.extensions_mut();
        extensions.insert(peer(2));
        extensions.insert(Route::new("/given"));
        extensions.insert(PathParams::from_iter([("id", "given")]));
        let head = HttpHead::of(&request);
        assert_eq!(head.peer(), Some(peer(2).ip()));
        assert_eq!(head.route(), Some("/given"));
        assert_eq!(head.path_param("id").as_deref(), Some("given"));
    }

    #[test]
    fn the_authority_of_the_target_wins_over_host() {
        let request = Request::builder()
            .uri("http://a.example/x")
            .header("host", "b.example")
            .body(())
            .unwrap();
        assert_eq!(HttpHead::of(&request).authority(), Some("a.example"));
    }

    #[test]
    fn two_hosts_are_none() {
        let request = Request::builder()
            .uri("/x")
            .header("host", "a")
            .header("host", "b")
            .body(())
            .unwrap();
        assert_eq!(HttpHead::of(&request).authority(), None);
    }

    #[test]
    fn what_nobody_recorded_is_unknown() {
        let request = Request::new(());
        let head = HttpHead::of(&request);
        assert!(head.peer().is_none() && head.route().is_none() && head.principal().is_none());
        assert!(head.path_param("id").is_none());
    }
}
