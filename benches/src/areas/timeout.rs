//! What a request pays for its bounds and for the parts of its page while nothing is slow.

use std::convert::Infallible;
use std::future::{Ready, poll_fn, ready};
use std::hint::black_box;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures::FutureExt;
use http::{Request, Response};
use seawall_degrade::{Degrade, optional, or_else};
use seawall_timeout::{Deadline, enter, within};
use seawall_tower::DeadlineLayer;
use tokio::runtime::{Builder, Runtime};
use tower::timeout::TimeoutLayer;
use tower::{Layer, Service, service_fn};

use crate::{
    area::{Area, Case},
    clock,
    work::{Work, timed},
};

const LIMIT: Duration = Duration::from_secs(5);

/// The cases.
#[must_use]
pub fn area() -> Area {
    Area::new("timeout")
        .case(
            Case::new("within-ready", || {
                inside(|| taken(now(within(LIMIT, value()))))
            })
            .peer("tokio", || {
                inside(|| taken(now(tokio::time::timeout(LIMIT, value()))))
            }),
        )
        .case(
            Case::new("within-ready-ambient", || {
                ambient(|| taken(now(within(LIMIT, value()))))
            })
            .peer("tokio", || {
                ambient(|| taken(now(tokio::time::timeout(LIMIT, value()))))
            }),
        )
        .case(
            Case::new("within-pending-once", || {
                inside(|| taken(later(within(LIMIT, pending_once()))))
            })
            .peer("tokio", || {
                inside(|| taken(later(tokio::time::timeout(LIMIT, pending_once()))))
            }),
        )
        .case(
            Case::new("deadline-layer", || {
                layered(DeadlineLayer::new(LIMIT).layer(service_fn(answer)))
            })
            .peer("tower", || {
                layered(TimeoutLayer::new(LIMIT).layer(service_fn(answer)))
            })
            .over("no-op", || layered(service_fn(answer))),
        )
        .case(
            Case::new("degrade-three", degrade)
                .peer("join-by-hand", join_by_hand)
                .peer("guarded-by-hand", guarded_by_hand),
        )
}

/// Inside of a runtime, whose timer the waits need.
fn inside<T>(mut op: impl FnMut() -> T + 'static) -> Work {
    let runtime = runtime();
    timed(move |operations| {
        let _inside = runtime.enter();
        let start = clock::thread_time();
        for _ in 0..operations {
            black_box(op());
        }
        clock::thread_time() - start
    })
}

/// The same, within a deadline that the task has already.
fn ambient<T>(mut op: impl FnMut() -> T + 'static) -> Work {
    let runtime = runtime();
    timed(move |operations| {
        let _inside = runtime.enter();
        enter(Deadline::after(100 * LIMIT), || {
            let start = clock::thread_time();
            for _ in 0..operations {
                black_box(op());
            }
            clock::thread_time() - start
        })
    })
}

fn runtime() -> Runtime {
    Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime without I/O needs nothing")
}

fn value() -> Ready<u64> {
    ready(black_box(1))
}

/// Ready when it is polled for the second time.
fn pending_once() -> impl Future<Output = u64> {
    let mut polled = false;
    poll_fn(move |_| {
        if std::mem::replace(&mut polled, true) {
            Poll::Ready(black_box(1))
        } else {
            Poll::Pending
        }
    })
}

/// The output of a future that is ready at once. Inline, as an `await` is: a call would move the future.
#[inline(always)]
fn now<F: Future>(future: F) -> Option<F::Output> {
    let mut cx = Context::from_waker(Waker::noop());
    match pin!(future).poll(&mut cx) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

/// The output of a future that is ready when it is polled for the second time.
#[inline(always)]
fn later<F: Future>(future: F) -> Option<F::Output> {
    let mut cx = Context::from_waker(Waker::noop());
    let mut future = pin!(future);
    if future.as_mut().poll(&mut cx).is_ready() {
        return None;
    }
    match future.poll(&mut cx) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

/// What a caller does with the outcome: goes on with the value, if there is one.
#[inline(always)]
fn taken<E>(output: Option<Result<u64, E>>) -> Option<u64> {
    output?.ok()
}

fn answer(request: Request<()>) -> Ready<Result<Response<()>, Infallible>> {
    black_box(request);
    ready(Ok(Response::new(())))
}

fn layered<S>(mut service: S) -> Work
where
    S: Service<Request<()>> + 'static,
{
    inside(move || {
        let mut cx = Context::from_waker(Waker::noop());
        if service.poll_ready(&mut cx).is_pending() {
            return false;
        }
        now(service.call(Request::new(()))).is_some_and(|answered| answered.is_ok())
    })
}

type Part = Result<u64, Infallible>;

fn part() -> Ready<Part> {
    ready(Ok(black_box(1)))
}

fn degrade() -> Work {
    let degrade = Degrade::new();
    inside(move || {
        let parts = (
            optional("user", part()),
            or_else("notifications", part(), 0),
            or_else("recommendations", part(), 0),
        );
        now(degrade.join(parts)).map(|joined| joined.is_ok_and(|page| !page.is_partial()))
    })
}

fn join_by_hand() -> Work {
    inside(|| {
        now(async {
            let (user, notifications, recommendations) = futures::join!(part(), part(), part());
            let mut errors = Vec::new();
            let user = user.map_err(|_| errors.push("user")).ok();
            let notifications = notifications.unwrap_or_else(|_| {
                errors.push("notifications");
                0
            });
            let recommendations = recommendations.unwrap_or_else(|_| {
                errors.push("recommendations");
                0
            });
            black_box((user, notifications, recommendations));
            errors.is_empty()
        })
    })
}

/// The same with what a join does for each part besides: a limit, and a panic that stays its own.
fn guarded_by_hand() -> Work {
    async fn guarded(part: impl Future<Output = Part>) -> Option<u64> {
        let part = AssertUnwindSafe(part).catch_unwind();
        tokio::time::timeout(LIMIT, part).await.ok()?.ok()?.ok()
    }
    inside(|| {
        now(async {
            let (user, notifications, recommendations) =
                futures::join!(guarded(part()), guarded(part()), guarded(part()));
            let mut errors = Vec::new();
            if user.is_none() {
                errors.push("user");
            }
            let notifications = notifications.unwrap_or_else(|| {
                errors.push("notifications");
                0
            });
            let recommendations = recommendations.unwrap_or_else(|| {
                errors.push("recommendations");
                0
            });
            black_box((user, notifications, recommendations));
            errors.is_empty()
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_operation_ends_as_its_case_says() {
        let runtime = runtime();
        let _inside = runtime.enter();
        assert_eq!(now(within(LIMIT, value())), Some(Ok(1)));
        assert_eq!(later(within(LIMIT, pending_once())), Some(Ok(1)));
        assert_eq!(
            later(tokio::time::timeout(LIMIT, pending_once())),
            Some(Ok(1))
        );
    }
}
