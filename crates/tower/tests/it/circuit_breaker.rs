//! The breaker around a client: what counts, what is never called, what a dropped call does.

use std::convert::Infallible;
use std::future::{pending, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Poll;

use http::{Request, Response};
use seawall_breaker::{CircuitBreaker, DropPolicy, Error, Outcome, State};
use seawall_tower::CircuitBreakerLayer;
use tower::{Layer, Service, ServiceExt, service_fn};

fn breaker(failures: u32) -> Arc<CircuitBreaker> {
    Arc::new(CircuitBreaker::consecutive(failures).build().unwrap())
}

fn status(status: u16) -> Response<()> {
    Response::builder().status(status).body(()).unwrap()
}

#[tokio::test]
async fn while_open_the_service_is_not_called() {
    let calls = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&calls);
    let upstream = service_fn(move |_: Request<()>| {
        counter.fetch_add(1, Ordering::Relaxed);
        ready(Ok::<_, Infallible>(status(500)))
    });
    let mut client = CircuitBreakerLayer::new(breaker(3)).layer(upstream);
    for _ in 0..10 {
        let _ = client.ready().await.unwrap().call(Request::new(())).await;
    }
    assert_eq!(calls.load(Ordering::Relaxed), 3);
}

#[tokio::test]
async fn one_breaker_sees_the_calls_of_every_clone() {
    let layer = CircuitBreakerLayer::new(breaker(2));
    let upstream = || service_fn(|_: Request<()>| ready(Ok::<_, Infallible>(status(503))));
    for _ in 0..2 {
        let _ = layer.layer(upstream()).oneshot(Request::new(())).await;
    }
    let third = layer
        .clone()
        .layer(upstream())
        .oneshot(Request::new(()))
        .await;
    assert!(matches!(third, Err(Error::Rejected(_))));
}

#[tokio::test]
async fn a_service_that_fails_to_be_ready_counts() {
    #[derive(Clone)]
    struct Down;
    impl Service<Request<()>> for Down {
        type Response = Response<()>;
        type Error = &'static str;
        type Future = std::future::Ready<Result<Response<()>, &'static str>>;
        fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> Poll<Result<(), &'static str>> {
            Poll::Ready(Err("refused"))
        }
        fn call(&mut self, _: Request<()>) -> Self::Future {
            unreachable!("it is never ready")
        }
    }
    let breaker = breaker(2);
    let mut client = CircuitBreakerLayer::new(Arc::clone(&breaker)).layer(Down);
    for _ in 0..2 {
        assert!(matches!(
            client.ready().await.map(|_| ()),
            Err(Error::Inner("refused"))
        ));
    }
    assert_eq!(breaker.state(), State::Open);
}

#[tokio::test]
async fn any_service_and_any_rule_will_do() {
    let breaker = breaker(1);
    let rule = |result: &Result<u32, Infallible>| match result {
        Ok(0) => Outcome::Failure,
        _ => Outcome::Success,
    };
    let layer = CircuitBreakerLayer::new(Arc::clone(&breaker)).classify(rule);
    let mut client = layer.layer(service_fn(|number: u32| ready(Ok::<_, Infallible>(number))));
    assert_eq!(client.ready().await.unwrap().call(7).await.unwrap(), 7);
    assert_eq!(breaker.state(), State::Closed);
    client.ready().await.unwrap().call(0).await.unwrap();
    assert_eq!(breaker.state(), State::Open);
}

#[tokio::test]
async fn a_dropped_call_counts_as_the_policy_says() {
    for (policy, state) in [
        (DropPolicy::Neutral, State::Closed),
        (DropPolicy::Failure, State::Open),
    ] {
        let breaker = Arc::new(
            CircuitBreaker::consecutive(1)
                .on_drop(policy)
                .build()
                .unwrap(),
        );
        let upstream = service_fn(|_: Request<()>| pending::<Result<Response<()>, Infallible>>());
        let mut client = CircuitBreakerLayer::new(Arc::clone(&breaker)).layer(upstream);
        let mut call = Box::pin(client.ready().await.unwrap().call(Request::new(())));
        assert!(futures_poll_once(call.as_mut()).await.is_none());
        drop(call);
        assert_eq!(breaker.state(), state);
    }
}

async fn futures_poll_once<F: Future + Unpin>(mut future: F) -> Option<F::Output> {
    std::future::poll_fn(|cx| match std::pin::Pin::new(&mut future).poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}
