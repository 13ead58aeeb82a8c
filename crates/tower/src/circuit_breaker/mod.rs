//! Stops calling a service that does not answer, on the side of the caller.

use std::sync::Arc;
use std::task::{Context, Poll};

use seawall_breaker::{CircuitBreaker, Classify, Error};
use tower_layer::Layer;
use tower_service::Service;

mod future;
mod http_outcome;

pub use future::CircuitBreakerFuture;
pub use http_outcome::HttpOutcome;

/// Puts a circuit breaker around calls to another service: for clients, not for servers.
///
/// The breaker is yours, in an `Arc`: however often the layer is applied or its service cloned, one
/// breaker sees all the calls. By default responses are classified as HTTP ([`HttpOutcome`]);
/// [`classify`](Self::classify) takes any other rule, for any kind of service.
///
/// A rejected call is an error, `seawall_breaker::Error::Rejected`: this is the one layer here that
/// changes the error type, since a caller has to tell the two apart. Put a timeout inside of it, so
/// that a service which hangs is a failure of the service.
///
/// # Cancel safety
///
/// Dropping the future gives its place among the probes back and counts as the breaker's
/// `DropPolicy` says.
///
/// # Examples
///
/// ```
/// use std::{convert::Infallible, sync::Arc};
/// use http::{Request, Response, StatusCode};
/// use seawall_breaker::{CircuitBreaker, Error, State};
/// use seawall_tower::CircuitBreakerLayer;
/// use tower::{Layer, Service, ServiceExt, service_fn};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let breaker = Arc::new(CircuitBreaker::consecutive(2).name("stock").build()?);
/// let upstream = service_fn(|_: Request<()>| async {
///     let mut response = Response::new(());
///     *response.status_mut() = StatusCode::BAD_GATEWAY;
///     Ok::<_, Infallible>(response)
/// });
/// let mut client = CircuitBreakerLayer::new(Arc::clone(&breaker)).layer(upstream);
///
/// for _ in 0..2 {
///     assert_eq!(client.ready().await?.call(Request::new(())).await?.status(), 502);
/// }
/// let third = client.ready().await?.call(Request::new(())).await;
/// assert!(matches!(third, Err(Error::Rejected(_))));
/// assert_eq!(breaker.state(), State::Open);
/// # Ok(())
/// # }
/// ```
///
/// # Cost
///
/// No box and no lock. While closed, what the breaker itself costs.
#[derive(Clone, Debug)]
pub struct CircuitBreakerLayer<C = HttpOutcome> {
    breaker: Arc<CircuitBreaker>,
    classify: C,
}

impl CircuitBreakerLayer {
    /// Guards calls with this breaker, and judges their responses as HTTP.
    #[must_use]
    pub fn new(breaker: Arc<CircuitBreaker>) -> Self {
        Self {
            breaker,
            classify: HttpOutcome::new(),
        }
    }
}

impl<C> CircuitBreakerLayer<C> {
    /// Judges responses by another rule.
    #[must_use]
    pub fn classify<D>(self, classify: D) -> CircuitBreakerLayer<D> {
        CircuitBreakerLayer {
            breaker: self.breaker,
            classify,
        }
    }
}

impl<S, C: Clone> Layer<S> for CircuitBreakerLayer<C> {
    type Service = CircuitBreakerService<S, C>;

    fn layer(&self, inner: S) -> Self::Service {
        CircuitBreakerService {
            inner,
            breaker: Arc::clone(&self.breaker),
            classify: self.classify.clone(),
        }
    }
}

/// The service behind [`CircuitBreakerLayer`].
#[derive(Clone, Debug)]
pub struct CircuitBreakerService<S, C> {
    inner: S,
    breaker: Arc<CircuitBreaker>,
    classify: C,
}

impl<S, C, Req> Service<Req> for CircuitBreakerService<S, C>
where
    S: Service<Req>,
    C: Classify<S::Response, S::Error> + Clone,
{
    type Response = S::Response;
    type Error = Error<S::Error>;
    type Future = CircuitBreakerFuture<S::Future, C>;

    /// Ready when the inner service is. One that fails to become ready has failed: it counts.
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx).map_err(|error| {
            let result = Err(error);
            if let Ok(permit) = self.breaker.try_acquire() {
                permit.report(self.classify.classify(&result));
            }
            let Err(error) = result else {
                unreachable!("it was made an error above")
            };
            Error::Inner(error)
        })
    }

    fn call(&mut self, request: Req) -> Self::Future {
        match self.breaker.try_acquire_owned() {
            Ok(permit) => {
                let call = self.inner.call(request);
                CircuitBreakerFuture::admitted(permit.watch(self.classify.clone(), call))
            }
            Err(rejected) => CircuitBreakerFuture::rejected(rejected),
        }
    }
}
