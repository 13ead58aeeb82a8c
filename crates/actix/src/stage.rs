//! What middlewares are made of here: a function from a service to a service, whatever the service.

use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::Error;
use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse};
use pin_project::pin_project;

/// One stage of a [`Seawall`](crate::Seawall): a middleware that can be put around any service.
///
/// Every middleware of this crate is one, next to being a `Transform` of actix. Sealed: middlewares of
/// others go between those of this crate by `wrap`.
pub trait Stage: Clone + 'static + sealed::Sealed {
    /// The body of an answer, when that of the services below is `B`.
    type Body<B: MessageBody + 'static>: MessageBody + 'static;

    /// The service that this stage makes of another.
    type Service<S, B>: Service<ServiceRequest, Response = ServiceResponse<Self::Body<B>>, Error = Error>
        + 'static
    where
        S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
        B: MessageBody + 'static;

    /// Puts this stage around a service.
    fn around<S, B>(&self, inner: S) -> Self::Service<S, B>
    where
        S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
        B: MessageBody + 'static;
}

pub(crate) mod sealed {
    /// Keeps the list of stages ours.
    #[expect(
        unnameable_types,
        reason = "that nobody else can name it is its purpose"
    )]
    pub trait Sealed {}
}

/// No stage at all.
impl Stage for () {
    type Body<B: MessageBody + 'static> = B;
    type Service<S, B>
        = S
    where
        S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
        B: MessageBody + 'static;

    fn around<S, B>(&self, inner: S) -> S
    where
        S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
        B: MessageBody + 'static,
    {
        inner
    }
}

impl sealed::Sealed for () {}

/// The first around the second.
impl<O: Stage, I: Stage> Stage for (O, I) {
    type Body<B: MessageBody + 'static> = O::Body<I::Body<B>>;
    type Service<S, B>
        = O::Service<I::Service<S, B>, I::Body<B>>
    where
        S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
        B: MessageBody + 'static;

    fn around<S, B>(&self, inner: S) -> Self::Service<S, B>
    where
        S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
        B: MessageBody + 'static,
    {
        self.0.around(self.1.around(inner))
    }
}

impl<O: Stage, I: Stage> sealed::Sealed for (O, I) {}

/// A stage that may be missing.
impl<T: Stage> Stage for Option<T> {
    type Body<B: MessageBody + 'static> = EitherBody<T::Body<B>, B>;
    type Service<S, B>
        = OptionalService<T::Service<S, B>, S>
    where
        S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
        B: MessageBody + 'static;

    fn around<S, B>(&self, inner: S) -> Self::Service<S, B>
    where
        S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
        B: MessageBody + 'static,
    {
        match self {
            Some(stage) => OptionalService::Present(stage.around(inner)),
            None => OptionalService::Absent(inner),
        }
    }
}

impl<T: Stage> sealed::Sealed for Option<T> {}

/// The service behind a stage that may be missing.
#[derive(Debug)]
#[non_exhaustive]
pub enum OptionalService<P, A> {
    /// The stage is there.
    Present(P),
    /// It is not.
    Absent(A),
}

impl<P, A, B1, B2> Service<ServiceRequest> for OptionalService<P, A>
where
    P: Service<ServiceRequest, Response = ServiceResponse<B1>, Error = Error>,
    A: Service<ServiceRequest, Response = ServiceResponse<B2>, Error = Error>,
{
    type Response = ServiceResponse<EitherBody<B1, B2>>;
    type Error = Error;
    type Future = OptionalFuture<P::Future, A::Future>;

    fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        match self {
            Self::Present(present) => present.poll_ready(cx),
            Self::Absent(absent) => absent.poll_ready(cx),
        }
    }

    fn call(&self, request: ServiceRequest) -> Self::Future {
        match self {
            Self::Present(present) => OptionalFuture::Present(present.call(request)),
            Self::Absent(absent) => OptionalFuture::Absent(absent.call(request)),
        }
    }
}

/// The future of [`OptionalService`].
#[derive(Debug)]
#[pin_project(project = OptionalProjection)]
#[must_use = "futures do nothing unless polled"]
#[non_exhaustive]
pub enum OptionalFuture<P, A> {
    /// The stage is there.
    Present(#[pin] P),
    /// It is not.
    Absent(#[pin] A),
}

impl<P, A, B1, B2> Future for OptionalFuture<P, A>
where
    P: Future<Output = Result<ServiceResponse<B1>, Error>>,
    A: Future<Output = Result<ServiceResponse<B2>, Error>>,
{
    type Output = Result<ServiceResponse<EitherBody<B1, B2>>, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project() {
            OptionalProjection::Present(present) => present
                .poll(cx)
                .map_ok(|response| response.map_body(|_, body| EitherBody::left(body))),
            OptionalProjection::Absent(absent) => absent
                .poll(cx)
                .map_ok(|response| response.map_body(|_, body| EitherBody::right(body))),
        }
    }
}

/// Makes a layer a stage, and a middleware of actix:
/// `stage!(RequestIdLayer => RequestIdService, body B => B)` for one with
/// `fn service<S>(&self, inner: S) -> RequestIdService<S>`. What it is generic over comes first:
/// `stage!(@[T: Store] …)`.
macro_rules! stage {
    ($(@[$($param:ident: $bound:path),*])? $layer:ty => $service:ty, |$s:ident, $b:ident| $body:ty) => {
        impl<$($($param: $bound),*)?> $crate::stage::sealed::Sealed for $layer {}

        impl<$($($param: $bound),*)?> $crate::Stage for $layer {
            type Body<$b: actix_web::body::MessageBody + 'static> = $body;
            type Service<$s, $b>
                = $service
            where
                $s: actix_web::dev::Service<
                        actix_web::dev::ServiceRequest,
                        Response = actix_web::dev::ServiceResponse<$b>,
                        Error = actix_web::Error,
                    > + 'static,
                $b: actix_web::body::MessageBody + 'static;

            fn around<$s, $b>(&self, inner: $s) -> $service
            where
                $s: actix_web::dev::Service<
                        actix_web::dev::ServiceRequest,
                        Response = actix_web::dev::ServiceResponse<$b>,
                        Error = actix_web::Error,
                    > + 'static,
                $b: actix_web::body::MessageBody + 'static,
            {
                self.service(inner)
            }
        }

        impl<$s, $b $($(, $param: $bound)*)?>
            actix_web::dev::Transform<$s, actix_web::dev::ServiceRequest> for $layer
        where
            $s: actix_web::dev::Service<
                    actix_web::dev::ServiceRequest,
                    Response = actix_web::dev::ServiceResponse<$b>,
                    Error = actix_web::Error,
                > + 'static,
            $b: actix_web::body::MessageBody + 'static,
        {
            type Response = actix_web::dev::ServiceResponse<$body>;
            type Error = actix_web::Error;
            type Transform = $service;
            type InitError = ();
            type Future = std::future::Ready<Result<$service, ()>>;

            fn new_transform(&self, service: $s) -> Self::Future {
                std::future::ready(Ok(self.service(service)))
            }
        }
    };
}

pub(crate) use stage;
