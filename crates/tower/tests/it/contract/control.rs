//! Layers that break the contract, each in one way, and the laws that notice.

use std::future::{Ready, ready};
use std::mem;
use std::task::{Context, Poll};

use futures::future::Either;
use http::{Request, Response};
use tower::{Layer, Service};

use super::{laws, plain, probe::OK};
use crate::support::{Plain, Script, answer};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Faulty {
    CallsAClone,
    LosesTheService,
    IsAlwaysReady,
}

impl<S> Layer<S> for Faulty {
    type Service = FaultyService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        FaultyService {
            inner,
            fault: *self,
        }
    }
}

#[derive(Clone, Debug)]
struct FaultyService<S> {
    inner: S,
    fault: Faulty,
}

impl<S, B> Service<Request<B>> for FaultyService<S>
where
    S: Service<Request<B>, Response = Response<Plain>> + Clone,
{
    type Response = Response<Plain>;
    type Error = S::Error;
    type Future = Either<S::Future, Ready<Result<Response<Plain>, S::Error>>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        if self.fault == Faulty::IsAlwaysReady {
            return Poll::Ready(Ok(()));
        }
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let mut clone = self.inner.clone();
        match self.fault {
            Faulty::CallsAClone => Either::Left(clone.call(request)),
            Faulty::IsAlwaysReady => Either::Left(self.inner.call(request)),
            Faulty::LosesTheService => {
                mem::forget(mem::replace(&mut self.inner, clone));
                Either::Right(ready(Ok(answer(503, ""))))
            }
        }
    }
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "poll_ready must be called first")]
async fn a_clone_that_is_called_is_noticed() {
    laws::the_ready_service_is_called::<Script, _>(Faulty::CallsAClone, plain).await;
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "waits for ever")]
async fn a_lost_permit_is_noticed() {
    let refused = || plain(OK);
    laws::a_refusal_gives_the_permit_back(Faulty::LosesTheService, plain, refused, 503).await;
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "is_pending")]
async fn invented_readiness_is_noticed() {
    laws::readiness_is_passed_on::<Script, _>(Faulty::IsAlwaysReady).await;
}
