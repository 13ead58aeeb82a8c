//! Lets through what is proven to come from who it says, and nothing else.

use std::rc::Rc;
use std::task::{Context, Poll};

use actix_web::Error;
use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse};
use seawall_errors::{ApiError, codes};
use seawall_signing::{Refused, Session, Verifier};
use seawall_web::order::Layers;
use seawall_web::request::{RequestHead, SignedHead};

use crate::HttpHead;
use crate::outside::Outside;
use crate::reply::refuse;
use crate::stage::stage;

mod body;
mod future;

pub(crate) use body::VerifiedBytes;
pub use future::VerifyFuture;

/// Reads a request's body through a verifier, and calls the inner service with the verified bytes.
///
/// The head is judged first: what cannot become right (headers that are missing, repeated or
/// malformed, a time that is off, a length beyond the limit) is refused before a byte of the body
/// is read. The body is then taken in as it comes, up to the verifier's `max_body`, and a replay
/// store is asked last.
///
/// Every refusal for a cause in the message is the same 401 `invalid_signature`; 413, 503 and 400
/// are for the length, for keys or store that cannot be had, and for a body that broke off. The
/// inner service sees the request with its extensions as they were and a
/// [`Verification`](seawall_signing::Verification) among them.
///
/// # Where to put it
///
/// Inside of the body limit, whose deadline bounds a body that drips, and outside of whatever parses,
/// decompresses or rewrites. A handler that takes [`Verified`](crate::Verified) reads what was
/// verified even where a middleware in between has put another body in its place; any other extractor
/// reads what it is given.
///
/// # Cancel safety
///
/// Dropping the future before the inner service was called accepts nothing. A message that was
/// claimed by then is a replay when it comes again.
///
/// # Cost
///
/// With a key ring, and the memory store or none, no box: what the verification costs, and for a
/// body of several chunks one buffer. Where keys or store have to be waited for, one box each.
///
/// # Examples
///
/// ```
/// use actix_web::{App, test, web};
/// use seawall_actix::{Verified, VerifyLayer};
/// use seawall_signing::{Secret, Verifier, scheme};
///
/// # #[actix_web::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let verifier = Verifier::new(scheme::github(), Secret::new("It's a Secret to Everybody")?)?;
/// let echo = web::post().to(|body: Verified| async { body.into_inner() });
/// let hooks = web::resource("/hooks").wrap(VerifyLayer::new(verifier)).route(echo);
/// let app = test::init_service(App::new().service(hooks)).await;
///
/// let signed = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
/// let request = |body: &'static str| {
///     let request = test::TestRequest::post().uri("/hooks");
///     request.insert_header(("x-hub-signature-256", signed)).set_payload(body).to_request()
/// };
/// assert_eq!(test::call_service(&app, request("Hello, World!")).await.status(), 200);
/// assert_eq!(test::call_service(&app, request("Hello, world!")).await.status(), 401);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct VerifyLayer {
    gate: Gate,
}

impl VerifyLayer {
    /// Lets through what this verifier accepts.
    #[must_use]
    pub fn new(verifier: Verifier) -> Self {
        Self {
            gate: Gate {
                verifier,
                tenant: None,
            },
        }
    }

    /// Takes the tenant, whose keys and replays are kept apart, from this parameter of the matched
    /// route: a caller chooses whose door to knock at, and still has to have the key to it. Default:
    /// no tenant. A route without the parameter is a mistake in the service and answers 500.
    #[must_use]
    pub fn tenant_from_path(mut self, parameter: &'static str) -> Self {
        self.gate.tenant = Some(parameter);
        self
    }

    fn service<I>(&self, inner: I) -> VerifyService<I> {
        VerifyService {
            inner: Rc::new(inner),
            gate: self.gate.clone(),
        }
    }
}

stage!(VerifyLayer => VerifyService<S>, |S, B| EitherBody<B>);

/// The service behind [`VerifyLayer`].
#[derive(Debug)]
pub struct VerifyService<I> {
    inner: Rc<I>,
    gate: Gate,
}

/// Whose messages pass.
#[derive(Clone, Debug)]
struct Gate {
    verifier: Verifier,
    tenant: Option<&'static str>,
}

impl Gate {
    /// The tenant of a request, where there are tenants.
    fn tenant(&self, head: &HttpHead<'_>) -> Result<Option<Box<str>>, ApiError> {
        let Some(parameter) = self.tenant else {
            return Ok(None);
        };
        match head.path_param(parameter) {
            Some(tenant) => Ok(Some(tenant.into())),
            None => {
                let error = ApiError::new(codes::INTERNAL_ERROR).not_executed();
                Err(error.note(format!(
                    "signatures are verified by `{parameter}`, which the route does not have"
                )))
            }
        }
    }

    fn begin_now(
        &self,
        tenant: Option<&str>,
        head: &HttpHead<'_>,
    ) -> Option<Result<Session, Refused>> {
        let attempt = self.verifier.attempt();
        let attempt = match tenant {
            Some(tenant) => attempt.tenant(tenant),
            None => attempt,
        };
        attempt.begin_now(&SignedHead(head))
    }

    async fn begin(&self, tenant: Option<&str>, head: &HttpHead<'_>) -> Result<Session, Refused> {
        let attempt = self.verifier.attempt();
        let attempt = match tenant {
            Some(tenant) => attempt.tenant(tenant),
            None => attempt,
        };
        attempt.begin(&SignedHead(head)).await
    }
}

impl<I, B> Service<ServiceRequest> for VerifyService<I>
where
    I: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Future = VerifyFuture<I, B>;

    fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&self, request: ServiceRequest) -> Self::Future {
        Outside::pass(&request, Layers::VERIFY);
        let head = HttpHead::of(&request);
        let tenant = match self.gate.tenant(&head) {
            Ok(tenant) => tenant,
            Err(error) => {
                drop(head);
                return VerifyFuture::refused(refuse(request, error));
            }
        };
        let begun = self.gate.begin_now(tenant.as_deref(), &head);
        drop(head);
        let inner = Rc::clone(&self.inner);
        match begun {
            Some(begun) => VerifyFuture::begun(inner, request, begun),
            None => VerifyFuture::waiting(inner, request, self.gate.clone(), tenant),
        }
    }
}
