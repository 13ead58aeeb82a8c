//! One request with a key, from its reservation to its settlement.

use std::panic::resume_unwind;
use std::rc::Rc;
use std::sync::Arc;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Payload, Service, ServiceRequest, ServiceResponse};
use actix_web::{Error, HttpMessage, HttpRequest, HttpResponse};
use bytes::Bytes;
use seawall_errors::ApiError;
use seawall_idempotency::{Begun, Fingerprint, Finished, Held, Store, StoreFailure};
use seawall_web::answer::idempotency as answer;
use seawall_web::idempotency::Asked;
use tokio::sync::OwnedSemaphorePermit;

use super::Setup;
use super::body::AnswerBody;
use super::capture::{Captured, Extent, capture};
use super::kept::{self, Kept, Telling};
use crate::HttpHead;
use crate::reply::{Rendering, failure, refusal};

/// A request whose body is still to be read, and the service that will be called for it.
pub(super) struct Job<R, I> {
    pub(super) asked: Asked<R>,
    pub(super) setup: Arc<Setup<R>>,
    permit: OwnedSemaphorePermit,
    inner: Rc<I>,
    request: ServiceRequest,
}

pub(super) type Answer<B> = ServiceResponse<AnswerBody<B>>;

impl<R: Store, I> Job<R, I> {
    pub(super) fn new(
        asked: Asked<R>,
        setup: Arc<Setup<R>>,
        permit: OwnedSemaphorePermit,
        inner: Rc<I>,
        request: ServiceRequest,
    ) -> Self {
        Self {
            asked,
            setup,
            permit,
            inner,
            request,
        }
    }

    pub(super) fn refuse<B>(self, error: ApiError) -> Answer<B> {
        let response = refusal(self.request.request(), error);
        self.answer(response)
    }

    fn answer<B>(self, response: HttpResponse) -> Answer<B> {
        let response = response.map_body(|_, body| AnswerBody::own(body));
        self.request.into_response(response)
    }

    /// What is asked for: a hash of the body, so it is taken once.
    pub(super) fn fingerprint(&self, body: &Bytes) -> Fingerprint {
        self.asked.fingerprint(&HttpHead::of(&self.request), body)
    }

    /// What the store says, where it answers at once.
    pub(super) fn begin_now(
        &self,
        fingerprint: Fingerprint,
    ) -> Option<Result<Begun<R>, StoreFailure>> {
        let operation = self.asked.operation(self.request.method().as_str());
        self.asked.front().begin_now(operation, fingerprint)
    }

    /// Carries it out, or answers without.
    ///
    /// # Cancel safety
    ///
    /// Dropped during the work, the outcome is unknown.
    pub(super) async fn run<B>(
        self,
        fingerprint: Fingerprint,
        body: Bytes,
    ) -> Result<Answer<B>, Error>
    where
        I: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
        B: MessageBody,
    {
        let operation = self.asked.operation(self.request.method().as_str());
        let begun = self.asked.front().begin(operation, fingerprint).await;
        match self.without_work(begun) {
            Ok((job, held)) => job.execute(held, body).await,
            Err(answer) => Ok(*answer),
        }
    }

    /// Answers where there is no work to do.
    pub(super) fn without_work<B>(
        self,
        begun: Result<Begun<R>, StoreFailure>,
    ) -> Result<(Self, Held<R>), Box<Answer<B>>> {
        let answer = match begun {
            Ok(Begun::Claimed(held)) => return Ok((self, held)),
            Err(failure) => self.refuse(answer::store_failed(failure)),
            Ok(Begun::Replay(outcome)) => {
                let rendering = Rendering::of_request(&self.request);
                self.answer(Kept::new(outcome, Telling::Again, rendering).response())
            }
            Ok(Begun::Refused(refused)) => self.refuse(answer::refused(&refused)),
            // No such answer is known; nothing was done.
            Ok(_) => self.refuse(answer::too_many()),
        };
        Err(Box::new(answer))
    }

    pub(super) async fn execute<B>(self, mut held: Held<R>, body: Bytes) -> Result<Answer<B>, Error>
    where
        I: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
        B: MessageBody,
    {
        let Self {
            asked,
            setup,
            permit: _permit,
            inner,
            mut request,
        } = self;
        let rendering = Rendering::of_request(&request);
        let largest = asked.front().policy().largest_outcome();
        request.extensions_mut().insert(held.claim().clone());
        request.set_payload(if body.is_empty() {
            Payload::None
        } else {
            Payload::from(body)
        });
        let work = async move {
            let (request, response) = inner.call(request).await?.into_parts();
            let (mut head, body) = response.into_parts();
            kept::unmark(head.headers_mut());
            let body = capture(head.headers(), body, largest, setup.capture_within).await;
            Ok((request, head, body))
        };
        match held.execute(work).await {
            Ok(Ok((request, head, body))) => Ok(settle(held, request, head, body, rendering).await),
            Ok(Err(error)) => Err(settle_failure(held, error, rendering).await),
            Err(panic) => {
                let _ = held.fail().await;
                resume_unwind(panic)
            }
        }
    }
}

async fn settle<R: Store, B>(
    held: Held<R>,
    request: HttpRequest,
    head: HttpResponse<()>,
    body: Captured<B>,
    rendering: Rendering,
) -> Answer<B> {
    let response = match finish(held, &head, &body.read).await {
        Finished::Completed(own) => Kept::new(own, Telling::First, rendering).response(),
        Finished::Superseded(stored) => Kept::new(stored, Telling::Again, rendering).response(),
        Finished::Refused(refused) => rendering.reply(answer::refused(&refused)),
        _ => return ServiceResponse::new(request, head.set_body(body.into_body())),
    };
    ServiceResponse::new(request, response.map_body(|_, body| AnswerBody::own(body)))
}

/// A middleware further inside has failed. Actix makes an answer of that, so it is settled as one; but
/// the request has gone, so it stays an error.
async fn settle_failure<R: Store>(held: Held<R>, error: Error, rendering: Rendering) -> Error {
    let (mut head, body) = error.error_response().into_parts();
    kept::unmark(head.headers_mut());
    let body: Extent<BoxBody> = match body.try_into_bytes() {
        Ok(bytes) => Extent::Whole(bytes),
        Err(body) => Extent::Part(Bytes::new(), Box::pin(body)),
    };
    match finish(held, &head, &body).await {
        Finished::Completed(own) => Kept::new(own, Telling::First, rendering).into(),
        Finished::Superseded(stored) => Kept::new(stored, Telling::Again, rendering).into(),
        Finished::Refused(refused) => failure(answer::refused(&refused)),
        _ => error,
    }
}

async fn finish<R: Store, B>(held: Held<R>, head: &HttpResponse<()>, body: &Extent<B>) -> Finished {
    if kept::had_no_effect(head) {
        held.claim().had_no_effect();
    }
    match body {
        // What the client would have been told is not known, and neither is what was done.
        Extent::Broken(..) => held.fail().await,
        _ => held.finish(&kept::outcome(head, body)).await,
    }
}
