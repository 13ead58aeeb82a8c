//! What was signed, once that is proven.

use std::fmt;
use std::ops::Deref;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use actix_web::dev::Payload;
use actix_web::{Error, FromRequest, HttpMessage, HttpRequest};
use bytes::Bytes;
use pin_project::pin_project;
use seawall_errors::{ApiError, codes};
use seawall_signing::Verification;

use crate::verify::VerifiedBytes;

/// A part of a request that [`VerifyLayer`](crate::VerifyLayer) has verified: what the extractor `E` makes of
/// it, and the proof.
///
/// The middleware stands around the route and reads the body. `E` runs after the verification and
/// reads the bytes that were verified, whatever a middleware in between has made of the body: nothing
/// is parsed that a stranger sent. On a route without the middleware every request is answered with
/// 500, and none passes. No public constructor: whoever holds one has a message that was verified.
///
/// # Examples
///
/// ```
/// use actix_web::{App, web};
/// use seawall_actix::{Json, Verified, VerifyLayer};
/// use seawall_signing::{Secret, Verifier, scheme};
///
/// async fn push(event: Verified<Json<serde_json::Value>>) -> String {
///     let Json(event) = event.into_inner();
///     event["ref"].to_string()
/// }
///
/// let verifier = Verifier::new(scheme::github(), Secret::new("It's a Secret to Everybody")?)?;
/// let hooks = web::resource("/hooks").wrap(VerifyLayer::new(verifier)).route(web::post().to(push));
/// # let _ = App::new().service(hooks);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// It cannot be made otherwise:
///
/// ```compile_fail
/// fn forge(verification: seawall_signing::Verification) {
///     let forged = seawall_actix::Verified { inner: "bytes", verification };
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

impl<E: FromRequest> FromRequest for Verified<E> {
    type Error = Error;
    type Future = VerifiedFuture<E>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let extensions = request.extensions();
        let proven = extensions
            .get::<Verification>()
            .zip(extensions.get::<VerifiedBytes>());
        let proven = proven.map(|(verification, bytes)| (verification.clone(), bytes.to_payload()));
        drop(extensions);
        VerifiedFuture {
            state: match proven {
                Some((verification, bytes)) => {
                    *payload = bytes;
                    State::Proven {
                        inner: E::from_request(request, payload),
                        verification: Some(verification),
                    }
                }
                None => State::Missing,
            },
        }
    }
}

/// The future of [`Verified`].
#[pin_project]
#[must_use = "futures do nothing unless polled"]
pub struct VerifiedFuture<E: FromRequest> {
    #[pin]
    state: State<E::Future>,
}

#[allow(
    clippy::large_enum_variant,
    reason = "the large state is the one of every request that is verified"
)]
#[pin_project(project = StateProjection)]
enum State<F> {
    Proven {
        #[pin]
        inner: F,
        /// Taken with what was extracted.
        verification: Option<Verification>,
    },
    Missing,
}

impl<E: FromRequest> Future for VerifiedFuture<E> {
    type Output = Result<Verified<E>, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(match self.project().state.project() {
            StateProjection::Proven {
                inner,
                verification,
            } => {
                let inner = ready!(inner.poll(cx)).map_err(Into::into)?;
                let verification = verification
                    .take()
                    .expect("a future is not polled after it was ready");
                Ok(Verified {
                    inner,
                    verification,
                })
            }
            StateProjection::Missing => {
                let error = ApiError::new(codes::INTERNAL_ERROR)
                    .note("a handler takes `Verified` on a route without `VerifyLayer`");
                Err(crate::Error::from(error.not_executed()).into())
            }
        })
    }
}

impl<E: FromRequest> fmt::Debug for VerifiedFuture<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedFuture").finish_non_exhaustive()
    }
}
