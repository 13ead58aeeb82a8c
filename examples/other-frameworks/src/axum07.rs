//! What axum 0.7 knows about a request, told to the layers.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, MatchedPath};
use http::Request;
use seawall_web::request::{PeerAddr, Route};

/// Takes up the peer and the matched route. For a `tower::util::MapRequestLayer` outside of all
/// layers, on a router that is served with `into_make_service_with_connect_info::<SocketAddr>()`.
///
/// The route is known to layers of `Router::layer`, which run after a route was matched.
pub fn introduce<B>(mut request: Request<B>) -> Request<B> {
    let extensions = request.extensions_mut();
    if let Some(ConnectInfo(peer)) = extensions.get::<ConnectInfo<SocketAddr>>() {
        let peer = PeerAddr::new(peer.ip());
        extensions.insert(peer);
    }
    if let Some(path) = extensions.get::<MatchedPath>() {
        let route = Route::new(path.as_str());
        extensions.insert(route);
    }
    request
}
