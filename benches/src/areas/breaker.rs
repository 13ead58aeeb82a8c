//! What a healthy call pays for its circuit breaker, and what a rejected one costs.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use failsafe::CircuitBreaker as _;
use seawall_breaker::{CircuitBreaker, Ratio};
use seawall_tower::CircuitBreakerLayer;
use tower::{Layer, Service, service_fn};

use crate::{
    area::{Area, Case},
    work::{Work, repeat, threads},
};

/// The cases.
#[must_use]
pub fn area() -> Area {
    Area::new("breaker")
        .case(
            Case::new("closed-consecutive", || one(consecutive()))
                .peer("failsafe", || one(failsafe_consecutive())),
        )
        .case(
            Case::new("closed-count-100", || one(count_100()))
                .peer("recloser", || one(recloser_100())),
        )
        .case(
            Case::new("closed-time-10", || one(time_10()))
                .peer("failsafe", || one(failsafe_over_time())),
        )
        .case(
            Case::new("closed-consecutive-2-threads", || two(consecutive()))
                .peer("failsafe", || two(failsafe_consecutive())),
        )
        .case(
            Case::new("closed-count-100-2-threads", || two(count_100()))
                .peer("recloser", || two(recloser_100())),
        )
        .case(
            Case::new("open", open)
                .peer("failsafe", failsafe_open)
                .peer("recloser", recloser_open),
        )
        .case(Case::new("layer-closed", layer).peer("tower-resilience", resilience_layer))
}

/// One healthy call, made by a closure that the optimiser cannot look through.
trait Healthy: Send + Sync + 'static {
    fn call(&self) -> bool;
}

impl Healthy for CircuitBreaker {
    #[inline(always)]
    fn call(&self) -> bool {
        Self::call(self, healthy).is_ok()
    }
}

impl Healthy for recloser::Recloser {
    #[inline(always)]
    fn call(&self) -> bool {
        Self::call(self, healthy).is_ok()
    }
}

/// failsafe's breakers, whose types have no short names.
struct Failsafe<B>(B);

impl<B: failsafe::CircuitBreaker + Send + Sync + 'static> Healthy for Failsafe<B> {
    #[inline(always)]
    fn call(&self) -> bool {
        self.0.call(healthy).is_ok()
    }
}

#[derive(Debug)]
struct Failed;

fn healthy() -> Result<u64, Failed> {
    Ok(black_box(1))
}

fn one(breaker: impl Healthy) -> Work {
    repeat(move || breaker.call())
}

fn two(breaker: impl Healthy) -> Work {
    threads(2, move |_| breaker.call())
}

fn consecutive() -> CircuitBreaker {
    CircuitBreaker::consecutive(5)
        .build()
        .expect("five failures are a rule")
}

fn count_100() -> CircuitBreaker {
    CircuitBreaker::count_window(100)
        .failure_rate(half())
        .build()
        .expect("a window of 100 is a rule")
}

fn time_10() -> CircuitBreaker {
    CircuitBreaker::time_window(Duration::from_secs(30))
        .buckets(10)
        .failure_rate(half())
        .build()
        .expect("a window of 30 s in 10 buckets is a rule")
}

fn half() -> Ratio {
    Ratio::new(0.5).expect("a half is a ratio")
}

fn failsafe_consecutive() -> impl Healthy {
    let policy = failsafe::failure_policy::consecutive_failures(5, for_ever());
    Failsafe(failsafe::Config::new().failure_policy(policy).build())
}

fn failsafe_over_time() -> impl Healthy {
    let policy = failsafe::failure_policy::success_rate_over_time_window(
        0.5,
        10,
        Duration::from_secs(30),
        for_ever(),
    );
    Failsafe(failsafe::Config::new().failure_policy(policy).build())
}

fn for_ever() -> failsafe::backoff::Constant {
    failsafe::backoff::constant(HOUR)
}

fn recloser_100() -> recloser::Recloser {
    recloser::Recloser::custom()
        .error_rate(0.5)
        .closed_len(100)
        .open_wait(HOUR)
        .build()
}

const HOUR: Duration = Duration::from_secs(3600);

/// Rejected, with the time until a retry has a chance.
fn open() -> Work {
    let breaker = CircuitBreaker::consecutive(5)
        .reset_timeout(HOUR)
        .build()
        .expect("five failures are a rule");
    breaker.trip_now();
    repeat(move || match breaker.try_acquire() {
        Ok(_) => None,
        Err(rejected) => rejected.retry_after(),
    })
}

fn failsafe_open() -> Work {
    let policy = failsafe::failure_policy::consecutive_failures(5, for_ever());
    let breaker = failsafe::Config::new().failure_policy(policy).build();
    for _ in 0..6 {
        let _ = breaker.call(|| Err::<u64, _>(Failed));
    }
    assert!(!breaker.is_call_permitted(), "the peer is open");
    repeat(move || breaker.call(healthy).is_err())
}

fn recloser_open() -> Work {
    let breaker = recloser::Recloser::custom()
        .error_rate(0.5)
        .closed_len(10)
        .open_wait(HOUR)
        .build();
    for _ in 0..30 {
        let _ = breaker.call(|| Err::<u64, _>(Failed));
    }
    assert!(breaker.call(healthy).is_err(), "the peer is open");
    repeat(move || breaker.call(healthy).is_err())
}

/// The whole way of a call through a layer: ready, call, and the future to its end.
fn layer() -> Work {
    let breaker = std::sync::Arc::new(consecutive());
    let by_result = seawall_breaker::ByResult;
    let mut service = CircuitBreakerLayer::new(breaker)
        .classify(by_result)
        .layer(service_fn(answer));
    repeat(move || through(&mut service))
}

fn resilience_layer() -> Work {
    let layer = tower_resilience_circuitbreaker::CircuitBreakerLayer::standard()
        .build()
        .expect("the peer's standard settings are valid");
    let mut service = layer.layer(service_fn(answer));
    repeat(move || through(&mut service))
}

fn answer(request: u64) -> Ready<Result<u64, Infallible>> {
    ready(Ok(black_box(request)))
}

fn through<S: Service<u64, Response = u64>>(service: &mut S) -> bool {
    let mut cx = Context::from_waker(Waker::noop());
    let Poll::Ready(Ok(())) = service.poll_ready(&mut cx) else {
        return false;
    };
    let call = pin!(service.call(1));
    matches!(call.poll(&mut cx), Poll::Ready(Ok(1)))
}
