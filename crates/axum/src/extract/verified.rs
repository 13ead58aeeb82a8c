//! What was signed, once that is proven.

use std::ops::Deref;

use axum::extract::{FromRequest, Request};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use seawall_errors::{ApiError, codes};
use seawall_signing::Verification;

use crate::Error;

/// A part of a request that [`VerifyLayer`](seawall_tower::VerifyLayer) has verified: what the
/// extractor `E` makes of it, and the proof.
///
/// The layer stands on the route and reads the body, so `E` runs after the verification and sees
/// verified bytes: nothing is parsed that a stranger sent. On a route without the layer every
/// request is answered with 500, and none passes. No public constructor: whoever holds one has a
/// message that was verified.
///
/// # Examples
///
/// ```
/// use axum::{Router, routing::post};
/// use seawall_axum::{Json, Verified};
/// use seawall_signing::{Secret, Verifier, scheme};
/// use seawall_tower::VerifyLayer;
///
/// async fn push(event: Verified<Json<serde_json::Value>>) -> String {
///     let Json(event) = event.into_inner();
///     event["ref"].to_string()
/// }
///
/// let verifier = Verifier::new(scheme::github(), Secret::new("It's a Secret to Everybody")?)?;
/// let app: Router = Router::new().route("/hooks", post(push).layer(VerifyLayer::new(verifier)));
/// # let _ = app;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// It cannot be made otherwise:
///
/// ```compile_fail
/// fn forge(verification: seawall_signing::Verification) {
///     let forged = seawall_axum::Verified { inner: "bytes", verification };
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Verified<E = Bytes> {
    inner: E,
    verification: Verification,
}

impl<E> Verified<E> {
    /// What was verified.
    #[must_use]
    pub fn into_inner(self) -> E {
        self.inner
    }

    /// Which key fitted, whose message it is, when it was signed.
    #[must_use]
    pub fn verification(&self) -> &Verification {
        &self.verification
    }
}

impl<E> Deref for Verified<E> {
    type Target = E;

    fn deref(&self) -> &E {
        &self.inner
    }
}

impl<E, S> FromRequest<S> for Verified<E>
where
    E: FromRequest<S>,
    S: Send + Sync,
{
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let Some(verification) = request.extensions().get::<Verification>().cloned() else {
            let error = ApiError::new(codes::INTERNAL_ERROR)
                .note("a handler takes `Verified` on a route without `VerifyLayer`");
            return Err(Error::from(error.not_executed()).into_response());
        };
        let inner = E::from_request(request, state)
            .await
            .map_err(IntoResponse::into_response)?;
        Ok(Self {
            inner,
            verification,
        })
    }
}
