//! The right to do the work, from the idempotency layer.

use std::ops::Deref;

use axum::extract::FromRequestParts;
use http::request::Parts;
use seawall_errors::{ApiError, codes};
use seawall_idempotency::Claim;

use crate::Error;

/// The [`Claim`] of a request whose key was reserved by an
/// [`IdempotencyLayer`](seawall_tower::IdempotencyLayer): for a key to the next hop, and for the
/// completion that goes into a transaction of the handler's own.
///
/// Without one the request is answered with 500: the route lacks the layer, or its policy does not
/// require a key and there was none. A handler for which a key is optional takes
/// `Option<Claimed>`.
///
/// # Examples
///
/// ```
/// use axum::{Router, routing::post};
/// use seawall_axum::Claimed;
/// use seawall_idempotency::{Idempotency, MemoryStore, Policy, Presence};
/// use seawall_tower::IdempotencyLayer;
/// use seawall_web::request::Scope;
///
/// async fn pay(claim: Claimed) -> String {
///     claim.downstream_key("charge")
/// }
///
/// let policy = Policy::at_least_once().presence(Presence::Required);
/// let once = IdempotencyLayer::new(
///     Idempotency::new(MemoryStore::new(), policy)?,
///     Scope::single_tenant(),
/// );
/// let app: Router = Router::new().route("/payments", post(pay).route_layer(once));
/// # let _ = app;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Claimed(Claim);

impl Claimed {
    /// The claim.
    #[must_use]
    pub fn into_inner(self) -> Claim {
        self.0
    }
}

impl Deref for Claimed {
    type Target = Claim;

    fn deref(&self) -> &Claim {
        &self.0
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Claimed {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        let Some(claim) = parts.extensions.get::<Claim>() else {
            let error = ApiError::new(codes::INTERNAL_ERROR).not_executed();
            return Err(Error::from(error.note(
                "a handler takes `Claimed` where no idempotency layer has reserved a key",
            )));
        };
        Ok(Self(claim.clone()))
    }
}

impl<S: Send + Sync> axum::extract::OptionalFromRequestParts<S> for Claimed {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Self::Rejection> {
        Ok(parts.extensions.get::<Claim>().cloned().map(Self))
    }
}
