//! What an adapter or the user's middleware has found out about a request, as extension values.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use crate::order::Layers;

/// The address at the other end of the connection.
///
/// The framework's adapter inserts it; who runs their own server inserts it themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PeerAddr(IpAddr);

impl PeerAddr {
    /// The peer as an address, with an IPv4-mapped IPv6 address written as IPv4.
    #[must_use]
    pub fn new(address: IpAddr) -> Self {
        Self(address.to_canonical())
    }

    /// The address.
    #[must_use]
    pub fn ip(self) -> IpAddr {
        self.0
    }
}

impl From<SocketAddr> for PeerAddr {
    fn from(address: SocketAddr) -> Self {
        Self::new(address.ip())
    }
}

/// The template of the matched route, such as `/api/users/{user_id}`.
///
/// A closed vocabulary: fit for metric labels and log fields, which a path is not.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Route(Arc<str>);

impl Route {
    /// A route by its template.
    #[must_use]
    pub fn new(template: impl Into<Arc<str>>) -> Self {
        Self(template.into())
    }

    /// The template.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The parameters of the matched route, percent-decoded, in the order of the template.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PathParams(Arc<[(Box<str>, Box<str>)]>);

impl PathParams {
    /// The value of the parameter of this name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(key, _)| &**key == name)
            .map(|(_, value)| &**value)
    }
}

impl<K: Into<Box<str>>, V: Into<Box<str>>> FromIterator<(K, V)> for PathParams {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        Self(
            pairs
                .into_iter()
                .map(|(key, value)| (key.into(), value.into()))
                .collect(),
        )
    }
}

/// Peer, route, parameters, and which layers have seen the request, as one extension value: what a
/// framework's adapter leaves.
///
/// One, since a map of extensions that grows costs more than finding them out does. Readers look for
/// [`PeerAddr`], [`Route`] and [`PathParams`] of their own first: what somebody inserted by hand
/// counts for more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    peer: Option<PeerAddr>,
    route: Option<Route>,
    params: Option<PathParams>,
    layers: Layers,
}

impl Known {
    /// Nothing is known yet.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            peer: None,
            route: None,
            params: None,
            layers: Layers::NONE,
        }
    }

    /// Sets the peer.
    #[must_use]
    pub fn with_peer(mut self, peer: PeerAddr) -> Self {
        self.peer = Some(peer);
        self
    }

    /// Sets the route.
    #[must_use]
    pub fn with_route(mut self, route: Route) -> Self {
        self.route = Some(route);
        self
    }

    /// Sets the parameters of the route.
    #[must_use]
    pub fn with_params(mut self, params: PathParams) -> Self {
        self.params = Some(params);
        self
    }

    /// Adds to the layers that the request has passed, and gives those that it had passed before.
    #[inline]
    pub const fn pass(&mut self, layers: Layers) -> Layers {
        let before = self.layers;
        self.layers = before.with(layers);
        before
    }

    /// The layers that the request has passed.
    #[must_use]
    pub const fn layers(&self) -> Layers {
        self.layers
    }

    /// The address at the other end of the connection.
    #[must_use]
    pub const fn peer(&self) -> Option<PeerAddr> {
        self.peer
    }

    /// The matched route.
    #[must_use]
    pub const fn route(&self) -> Option<&Route> {
        self.route.as_ref()
    }

    /// The parameters of the matched route.
    #[must_use]
    pub const fn params(&self) -> Option<&PathParams> {
        self.params.as_ref()
    }
}

/// Who the caller was authenticated as.
///
/// The user's authentication middleware inserts it. Keys of limits and of idempotency records
/// build on it, so it must be the same text for the same caller each time, and nothing that the
/// caller can choose freely.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Principal(Arc<str>);

impl Principal {
    /// A principal by its identifier.
    #[must_use]
    pub fn new(id: impl Into<Arc<str>>) -> Self {
        Self(id.into())
    }

    /// The identifier.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Hides the identifier: a principal may be an e-mail address or an account number, and request
/// extensions end up in debug logs.
impl std::fmt::Debug for Principal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Principal(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mapped_peer_is_written_as_ipv4() {
        let peer = PeerAddr::new("::ffff:10.1.2.3".parse().unwrap());
        assert_eq!(peer.ip(), "10.1.2.3".parse::<IpAddr>().unwrap());
    }

    #[test]
    fn parameters_are_found_by_name() {
        let params: PathParams = [("user_id", "7"), ("tab", "a b")].into_iter().collect();
        assert_eq!(params.find("tab"), Some("a b"));
        assert_eq!(params.find("nothing"), None);
    }

    #[test]
    fn a_principal_does_not_show_in_debug_output() {
        assert_eq!(
            format!("{:?}", Principal::new("alice@example.com")),
            "Principal(..)"
        );
    }
}
