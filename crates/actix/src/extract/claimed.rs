//! The right to do the work, from the idempotency middleware.

use std::future::{Ready, ready};
use std::ops::Deref;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use seawall_errors::{ApiError, codes};
use seawall_idempotency::Claim;

use crate::Error;

/// The [`Claim`] of a request whose key was reserved by an idempotency middleware: for a key to the
/// next hop, and for the completion that goes into a transaction of the handler's own.
///
/// Without one the request is answered with 500: the route lacks the middleware, or its policy does
/// not require a key and there was none. A handler for which a key is optional takes
/// `Option<Claimed>`.
///
/// # Examples
///
/// ```
/// use actix_web::{App, web};
/// use seawall_actix::Claimed;
///
/// async fn pay(claim: Claimed) -> String {
///     claim.downstream_key("charge")
/// }
/// # let _ = App::new().route("/payments", web::post().to(pay));
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

impl FromRequest for Claimed {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let claim = request.extensions().get::<Claim>().cloned();
        ready(claim.map(Self).ok_or_else(|| {
            let error = ApiError::new(codes::INTERNAL_ERROR).not_executed();
            Error::from(error.note(
                "a handler takes `Claimed` where no idempotency middleware has reserved a key",
            ))
        }))
    }
}
