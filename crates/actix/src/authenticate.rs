//! Runs the user's own check before a request goes on.

use std::fmt;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use actix_web::Error;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse};
use pin_project::pin_project;
use seawall_web::order::Layers;

use crate::outside::Outside;
use crate::stage::stage;

/// Lets a function of yours decide whether a request goes on, and as whose.
///
/// The function takes the request and gives it back, with a
/// [`Principal`](seawall_web::request::Principal) among its extensions if somebody was authenticated;
/// or it fails, and that is the answer. [`Seawall`](crate::Seawall) has a place for it; on a scope or a
/// resource of its own it guards those routes alone.
///
/// Middlewares that others made (`HttpAuthentication`, `from_fn`) can take its place on the routes
/// themselves, inside of [`protect`](crate::Seawall::protect). What stands in the builder behind the
/// authentication is then before it, so give those routes their own layers.
///
/// # Examples
///
/// ```
/// use actix_web::dev::ServiceRequest;
/// use actix_web::{HttpMessage, web};
/// use seawall_actix::AuthenticateLayer;
/// use seawall_errors::{ApiError, codes};
/// use seawall_web::request::Principal;
///
/// async fn admins(request: ServiceRequest) -> seawall_actix::Result<ServiceRequest> {
///     let is_admin = request.extensions().get::<Principal>() == Some(&Principal::new("ada"));
///     if !is_admin {
///         return Err(ApiError::new(codes::FORBIDDEN).into());
///     }
///     Ok(request)
/// }
///
/// let reports = web::resource("/reports")
///     .route(web::get().to(|| async { "all is well" }))
///     .wrap(AuthenticateLayer::new(admins));
/// # let _ = reports;
/// ```
#[derive(Clone)]
pub struct AuthenticateLayer<F> {
    check: F,
}

/// A function that takes a request and gives it back, or fails.
pub trait Check: Clone + 'static {
    /// What it waits for.
    type Future: Future<Output = Result<ServiceRequest, Self::Error>> + 'static;
    /// What it fails with.
    type Error: Into<Error>;

    /// Asks it.
    fn check(&self, request: ServiceRequest) -> Self::Future;
}

impl<F, Fut, E> Check for F
where
    F: Fn(ServiceRequest) -> Fut + Clone + 'static,
    Fut: Future<Output = Result<ServiceRequest, E>> + 'static,
    E: Into<Error>,
{
    type Future = Fut;
    type Error = E;

    fn check(&self, request: ServiceRequest) -> Fut {
        self(request)
    }
}

stage!(@[C: Check] AuthenticateLayer<C> => AuthenticateService<S, C>, |S, B| B);

impl<C: Check> AuthenticateLayer<C> {
    /// Asks this function.
    #[must_use]
    pub fn new(check: C) -> Self {
        Self { check }
    }

    fn service<S>(&self, inner: S) -> AuthenticateService<S, C> {
        AuthenticateService {
            inner: Rc::new(inner),
            check: self.check.clone(),
        }
    }
}

impl<F> fmt::Debug for AuthenticateLayer<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthenticateLayer").finish_non_exhaustive()
    }
}

/// The service behind [`AuthenticateLayer`].
pub struct AuthenticateService<S, C> {
    inner: Rc<S>,
    check: C,
}

impl<S, C> fmt::Debug for AuthenticateService<S, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthenticateService")
            .finish_non_exhaustive()
    }
}

impl<S, C, B> Service<ServiceRequest> for AuthenticateService<S, C>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    C: Check,
{
    type Response = S::Response;
    type Error = Error;
    type Future = AuthenticateFuture<S, C>;

    fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&self, request: ServiceRequest) -> Self::Future {
        Outside::pass(&request, Layers::AUTHENTICATION);
        AuthenticateFuture {
            inner: Rc::clone(&self.inner),
            state: State::Asking(self.check.check(request)),
        }
    }
}

/// The future of [`AuthenticateService`].
#[pin_project]
#[must_use = "futures do nothing unless polled"]
pub struct AuthenticateFuture<S: Service<ServiceRequest>, C: Check> {
    inner: Rc<S>,
    #[pin]
    state: State<C::Future, S::Future>,
}

#[pin_project(project = StateProjection)]
enum State<C, F> {
    Asking(#[pin] C),
    Admitted(#[pin] F),
}

impl<S, C, B> Future for AuthenticateFuture<S, C>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    C: Check,
{
    type Output = Result<ServiceResponse<B>, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            match this.state.as_mut().project() {
                StateProjection::Asking(asking) => {
                    let request = ready!(asking.poll(cx)).map_err(Into::into)?;
                    let admitted = this.inner.call(request);
                    this.state.set(State::Admitted(admitted));
                }
                StateProjection::Admitted(inner) => return inner.poll(cx),
            }
        }
    }
}

impl<S: Service<ServiceRequest>, C: Check> fmt::Debug for AuthenticateFuture<S, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &self.state {
            State::Asking(_) => "Asking",
            State::Admitted(_) => "Admitted",
        };
        f.debug_struct("AuthenticateFuture")
            .field("state", &state)
            .finish_non_exhaustive()
    }
}
