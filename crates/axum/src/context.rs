//! Tells the layers below what axum knows: the peer, the matched route, its parameters.

use std::net::SocketAddr;
use std::sync::Once;
use std::task::{Context, Poll};

use axum::extract::{ConnectInfo, FromRequestParts, MatchedPath, RawPathParams};
use futures::FutureExt;
use http::Request;
use seawall_web::request::{PathParams, PeerAddr, Route};
use tower_layer::Layer;
use tower_service::Service;

/// Fills the extensions [`PeerAddr`], [`Route`] and [`PathParams`], which layers of
/// [`seawall_tower`] read, from what axum and its server recorded.
///
/// [`Seawall`](crate::Seawall) applies it; who composes layers by hand puts it outermost, with
/// `Router::layer`. The peer is known when the service was made with
/// `into_make_service_with_connect_info::<SocketAddr>()`; without it, the first request logs a
/// warning, and limits by address count all callers together.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct ContextLayer;

impl ContextLayer {
    /// The layer.
    #[must_use]
    pub fn new() -> Self {
        Self
    }
}

impl<S> Layer<S> for ContextLayer {
    type Service = ContextService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        ContextService { inner }
    }
}

/// The service behind [`ContextLayer`].
#[derive(Clone, Debug)]
pub struct ContextService<S> {
    inner: S,
}

impl<S, B> Service<Request<B>> for ContextService<S>
where
    S: Service<Request<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        self.inner.call(describe(request))
    }
}

fn describe<B>(mut request: Request<B>) -> Request<B> {
    if request.extensions().get::<PeerAddr>().is_none() {
        match request.extensions().get::<ConnectInfo<SocketAddr>>() {
            Some(&ConnectInfo(address)) => {
                request.extensions_mut().insert(PeerAddr::from(address));
            }
            None => warn_of_missing_peer(),
        }
    }
    let Some(matched) = request.extensions().get::<MatchedPath>() else {
        return request;
    };
    let route = Route::new(matched.as_str());
    let has_params = matched.as_str().contains('{');
    request.extensions_mut().insert(route);
    if has_params {
        with_params(request)
    } else {
        request
    }
}

fn with_params<B>(request: Request<B>) -> Request<B> {
    let (mut parts, body) = request.into_parts();
    // Extracting the parameters reads an extension; it never waits. Parameters that are not UTF-8
    // once decoded are left out: the handler's own extractor refuses them.
    let params = RawPathParams::from_request_parts(&mut parts, &()).now_or_never();
    if let Some(Ok(params)) = params {
        let params: PathParams = params.iter().collect();
        parts.extensions.insert(params);
    }
    Request::from_parts(parts, body)
}

fn warn_of_missing_peer() {
    static WARNED: Once = Once::new();
    WARNED.call_once(|| {
        tracing::warn!(
            "the peer's address is not known, so limits by address count all callers together: \
             serve with into_make_service_with_connect_info::<SocketAddr>()"
        );
    });
}
