//! One request with a key, from its reservation to its settlement.

use std::panic::resume_unwind;
use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response};
use http_body::Body;
use seawall_errors::ApiError;
use seawall_idempotency::{Begun, Fingerprint, Finished, Held, Store, StoreFailure};
use seawall_web::answer::idempotency as answer;
use seawall_web::idempotency::Asked;
use tokio::sync::OwnedSemaphorePermit;
use tower_service::Service;

use super::Setup;
use super::body::{AnswerBody, BufferedBody};
use super::capture::{Captured, capture};
use super::kept;
use crate::HttpHead;
use crate::reply::{Rendering, refuse};

/// A request whose body is still to be read, and the service that will be called for it.
pub(super) struct Job<S, I> {
    pub(super) asked: Asked<S>,
    pub(super) setup: Arc<Setup<S>>,
    permit: OwnedSemaphorePermit,
    inner: I,
    parts: Parts,
}

type Answer<B> = Response<AnswerBody<B>>;

impl<S: Store, I> Job<S, I> {
    pub(super) fn new(
        asked: Asked<S>,
        setup: Arc<Setup<S>>,
        permit: OwnedSemaphorePermit,
        inner: I,
        parts: Parts,
    ) -> Self {
        Self {
            asked,
            setup,
            permit,
            inner,
            parts,
        }
    }

    pub(super) fn refuse<B: Body>(self, error: ApiError) -> Answer<B> {
        refuse(&Request::from_parts(self.parts, ()), error).map(AnswerBody::passed)
    }

    /// What is asked for: a hash of the body, so it is taken once.
    pub(super) fn fingerprint(&self, body: &Bytes) -> Fingerprint {
        self.asked
            .fingerprint(&HttpHead::of_parts(&self.parts), body)
    }

    /// What the store says, where it answers at once.
    pub(super) fn begin_now(
        &self,
        fingerprint: Fingerprint,
    ) -> Option<Result<Begun<S>, StoreFailure>> {
        let operation = self.asked.operation(self.parts.method.as_str());
        self.asked.front().begin_now(operation, fingerprint)
    }

    /// Carries it out, or answers without.
    ///
    /// # Cancel safety
    ///
    /// Dropped during the work, the outcome is unknown.
    pub(super) async fn run<ReqB, ResB>(
        self,
        fingerprint: Fingerprint,
        body: Bytes,
    ) -> Result<Answer<ResB>, I::Error>
    where
        I: Service<Request<BufferedBody<ReqB>>, Response = Response<ResB>>,
        ResB: Body<Data = Bytes>,
    {
        let operation = self.asked.operation(self.parts.method.as_str());
        let begun = self.asked.front().begin(operation, fingerprint).await;
        match self.without_work(begun) {
            Ok((job, held)) => job.execute(held, body).await,
            Err(answer) => Ok(*answer),
        }
    }

    /// Answers where there is no work to do.
    pub(super) fn without_work<B: Body>(
        self,
        begun: Result<Begun<S>, StoreFailure>,
    ) -> Result<(Self, Held<S>), Box<Answer<B>>> {
        let answer = match begun {
            Ok(Begun::Claimed(held)) => return Ok((self, held)),
            Err(failure) => self.refuse(answer::store_failed(failure)),
            Ok(Begun::Replay(outcome)) => {
                kept::replay(&outcome, Rendering::of(&self.parts.extensions))
            }
            Ok(Begun::Refused(refused)) => self.refuse(answer::refused(&refused)),
            // No such answer is known; nothing was done.
            Ok(_) => self.refuse(answer::too_many()),
        };
        Err(Box::new(answer))
    }

    pub(super) async fn execute<ReqB, ResB>(
        self,
        mut held: Held<S>,
        body: Bytes,
    ) -> Result<Answer<ResB>, I::Error>
    where
        I: Service<Request<BufferedBody<ReqB>>, Response = Response<ResB>>,
        ResB: Body<Data = Bytes>,
    {
        let Self {
            asked,
            setup,
            permit: _permit,
            mut inner,
            mut parts,
        } = self;
        let rendering = Rendering::of(&parts.extensions);
        let largest = asked.front().policy().largest_outcome();
        parts.extensions.insert(held.claim().clone());
        let request = Request::from_parts(parts, BufferedBody::read(body));
        let work = async move {
            let (mut parts, body) = inner.call(request).await?.into_parts();
            kept::unmark(&mut parts);
            let body = capture(&parts.headers, body, largest, setup.capture_within).await;
            Ok((parts, body))
        };
        match held.execute(work).await {
            Ok(Ok((parts, body))) => {
                let answered = Response::from_parts(parts, body);
                Ok(settle(held, answered, rendering).await)
            }
            Ok(Err(error)) => match held.fail().await {
                Finished::Completed(own) => Ok(kept::answer(&own, rendering)),
                Finished::Superseded(stored) => Ok(kept::replay(&stored, rendering)),
                _ => Err(error),
            },
            Err(panic) => {
                let _ = held.fail().await;
                resume_unwind(panic)
            }
        }
    }
}

async fn settle<S: Store, B: Body>(
    held: Held<S>,
    answered: Response<Captured<B>>,
    rendering: Rendering,
) -> Answer<B> {
    let (parts, body) = answered.into_parts();
    if kept::attached(&parts).is_some_and(|error| !error.was_executed()) {
        held.claim().had_no_effect();
    }
    let finished = match body {
        // What the client would have been told is not known, and neither is what was done.
        Captured::Broken(..) => held.fail().await,
        _ => held.finish(&kept::outcome(&parts, &body)).await,
    };
    match finished {
        Finished::Completed(own) => kept::answer(&own, rendering),
        Finished::Superseded(stored) => kept::replay(&stored, rendering),
        Finished::Refused(refused) => rendering
            .reply(answer::refused(&refused))
            .map(AnswerBody::passed),
        _ => Response::from_parts(parts, body.into_body()),
    }
}
