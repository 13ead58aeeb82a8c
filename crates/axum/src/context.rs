//! Tells the layers below what axum knows: the peer, the matched route, its parameters.

use std::mem;
use std::net::SocketAddr;
use std::sync::{Arc, Once, OnceLock};
use std::task::{Context, Poll};

use axum::extract::{ConnectInfo, FromRequestParts, MatchedPath, RawPathParams};
use futures::FutureExt;
use http::Request;
use seawall_web::order::{self, Layers};
use seawall_web::request::{Known, PathParams, PeerAddr, Route};
use tower_layer::Layer;
use tower_service::Service;

/// Fills the extension [`Known`], which layers of [`seawall_tower`] read, from what axum and its server
/// recorded.
///
/// [`Seawall`](crate::Seawall) applies it; who composes layers by hand puts it outermost, with
/// `Router::layer`. The peer is known when the service was made with
/// `into_make_service_with_connect_info::<SocketAddr>()`, or where somebody has inserted a
/// [`PeerAddr`]; without either, the first request logs a warning, and limits by address count all
/// callers together.
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
        ContextService {
            inner,
            route: Arc::default(),
        }
    }
}

/// The service behind [`ContextLayer`].
#[derive(Clone, Debug)]
pub struct ContextService<S> {
    inner: S,
    /// That of the first request. A router makes a service for each of its routes, so that it is that of
    /// all others as well, unless the routes are nested in several places.
    route: Arc<OnceLock<Route>>,
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

    #[inline]
    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        // What layers further out have left stays.
        let outside = request.extensions_mut().get_mut::<Known>();
        let mut known = outside.map(mem::take).unwrap_or_default();
        if cfg!(debug_assertions) {
            order::look(Layers::CONTEXT, known.pass(Layers::CONTEXT), &mut |rule| {
                tracing::warn!(target: "seawall::order", "{rule}");
            });
        }
        let extensions = request.extensions();
        match extensions.get::<ConnectInfo<SocketAddr>>() {
            Some(&ConnectInfo(address)) => known = known.with_peer(PeerAddr::from(address)),
            None if known.peer().is_some() || extensions.get::<PeerAddr>().is_some() => {}
            None => warn_of_missing_peer(),
        }
        if let Some(matched) = extensions.get::<MatchedPath>() {
            known = known.with_route(self.route(matched.as_str()));
            if matched.as_str().contains('{') {
                let params;
                (request, params) = params_of(request);
                if let Some(params) = params {
                    known = known.with_params(params);
                }
            }
        }
        let extensions = request.extensions_mut();
        match extensions.get_mut::<Known>() {
            Some(place) => *place = known,
            None => drop(extensions.insert(known)),
        }
        self.inner.call(request)
    }
}

impl<S> ContextService<S> {
    /// The route of this template, which is copied only if it is not that of the first request.
    #[inline]
    fn route(&self, template: &str) -> Route {
        let first = self.route.get_or_init(|| Route::new(template));
        if first.as_str() == template {
            first.clone()
        } else {
            Route::new(template)
        }
    }
}

/// Parameters that are not UTF-8 once decoded are left out: the handler's own extractor refuses them.
fn params_of<B>(request: Request<B>) -> (Request<B>, Option<PathParams>) {
    let (mut parts, body) = request.into_parts();
    // Extracting the parameters reads an extension; it never waits.
    let params = RawPathParams::from_request_parts(&mut parts, &()).now_or_never();
    let params = params
        .and_then(Result::ok)
        .map(|params| params.iter().collect());
    (Request::from_parts(parts, body), params)
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
