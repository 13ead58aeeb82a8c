//! From the fused layers to axum's routes, without a box for bodies that are not there.

use std::task::{Context, Poll};

use axum::body::Body;
use axum::extract::DefaultBodyLimit;
use http::Request;
use seawall_tower::body_limit::LimitedBody;
use tower_layer::Layer;
use tower_service::Service;

/// Innermost of what the builder fuses.
///
/// A route would box every body that is not axum's own. Most requests have none: theirs is handed on as
/// it came. For the others, axum's extractors are told not to keep to their limit of 2 MB, which would
/// win over a larger one of ours.
#[derive(Clone, Copy, Debug)]
pub(crate) struct InwardLayer;

impl<S> Layer<S> for InwardLayer {
    type Service = InwardService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        InwardService { inner }
    }
}

/// The service behind [`InwardLayer`].
#[derive(Clone, Debug)]
pub(crate) struct InwardService<S> {
    inner: S,
}

impl<S> Service<Request<LimitedBody<Body>>> for InwardService<S>
where
    S: Service<Request<Body>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, request: Request<LimitedBody<Body>>) -> Self::Future {
        let mut comes = false;
        let mut request = request.map(|body| {
            body.into_ended().unwrap_or_else(|limited| {
                comes = true;
                Body::new(limited)
            })
        });
        if comes {
            DefaultBodyLimit::disable().apply(&mut request);
        }
        self.inner.call(request)
    }
}
