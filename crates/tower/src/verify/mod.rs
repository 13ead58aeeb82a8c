//! Lets through what is proven to come from who it says, and nothing else.

use std::error::Error;
use std::mem;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use seawall_errors::{ApiError, codes};
use seawall_signing::{Refused, Session, Verifier};
use seawall_web::order::Layers;
use seawall_web::request::{RequestHead, SignedHead};
use tower_layer::Layer;
use tower_service::Service;

use crate::outside::Outside;
use crate::reply::refuse;
use crate::{HttpHead, ReplyBody};

mod body;
mod future;

pub use body::VerifiedBody;
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
/// Inside of [`BodyLimitLayer`](crate::BodyLimitLayer), whose deadline bounds a body that drips,
/// and outside of whatever parses, decompresses or rewrites: a layer in between that changes the
/// body hands on bytes which nobody verified.
///
/// # Cancel safety
///
/// Dropping the future before the inner service was called accepts nothing. A message that was
/// claimed by then is a replay when it comes again.
///
/// # Cost
///
/// With a key ring, and the memory store or none, no box: what the verification costs, and for a
/// body of several frames one buffer. Where keys or store have to be waited for, one box each.
///
/// # Examples
///
/// ```
/// use std::convert::Infallible;
/// use bytes::Bytes;
/// use http::{Request, Response};
/// use http_body_util::Full;
/// use seawall_signing::{Secret, Verification, Verifier, scheme};
/// use seawall_tower::VerifyLayer;
/// use seawall_tower::verify::VerifiedBody;
/// use tower::{Layer, ServiceExt, service_fn};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let verifier = Verifier::new(scheme::github(), Secret::new("It's a Secret to Everybody")?)?;
/// let hook = service_fn(|request: Request<VerifiedBody>| async move {
///     assert!(request.extensions().get::<Verification>().is_some());
///     Ok::<_, Infallible>(Response::new(Full::new(request.into_body().into_bytes())))
/// });
/// let service = VerifyLayer::new(verifier).layer(hook);
///
/// let signed = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
/// let request = |body: &'static str| {
///     Request::post("/hooks").header("x-hub-signature-256", signed).body(Full::<Bytes>::from(body))
/// };
/// assert_eq!(service.clone().oneshot(request("Hello, World!")?).await?.status(), 200);
/// assert_eq!(service.oneshot(request("Hello, world!")?).await?.status(), 401);
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
}

impl<I> Layer<I> for VerifyLayer {
    type Service = VerifyService<I>;

    fn layer(&self, inner: I) -> Self::Service {
        VerifyService {
            inner,
            gate: self.gate.clone(),
        }
    }
}

/// The service behind [`VerifyLayer`].
#[derive(Clone, Debug)]
pub struct VerifyService<I> {
    inner: I,
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

impl<I, ReqB, ResB> Service<Request<ReqB>> for VerifyService<I>
where
    I: Service<Request<VerifiedBody>, Response = Response<ResB>> + Clone,
    ReqB: Body<Data = Bytes>,
    ReqB::Error: Into<Box<dyn Error + Send + Sync>>,
{
    type Response = Response<ReplyBody<ResB>>;
    type Error = I::Error;
    type Future = VerifyFuture<I, ReqB, ResB>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<ReqB>) -> Self::Future {
        Outside::pass(request.extensions_mut(), Layers::VERIFY);
        let head = HttpHead::of(&request);
        let tenant = match self.gate.tenant(&head) {
            Ok(tenant) => tenant,
            Err(error) => return VerifyFuture::refused(refuse(&request, error)),
        };
        let begun = self.gate.begin_now(tenant.as_deref(), &head);
        // The service that is ready is the one to call; its clone takes its place.
        let clone = self.inner.clone();
        let ready = mem::replace(&mut self.inner, clone);
        let (parts, body) = request.into_parts();
        match begun {
            Some(begun) => VerifyFuture::begun(ready, parts, body, begun),
            None => VerifyFuture::waiting(ready, parts, body, self.gate.clone(), tenant),
        }
    }
}
