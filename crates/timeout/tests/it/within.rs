use std::cell::Cell;
use std::future::{pending, poll_fn, ready};
use std::task::Poll;
use std::time::Duration;

use seawall_timeout::{Cause, Class, Deadline, DeadlineExt, Limit, scope, total, within};
use tokio::time::{Instant, advance, sleep};

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn ends_when_the_limit_is_reached_and_not_before() {
    let start = Instant::now();
    let elapsed = within(5 * SECOND, pending::<()>()).await.unwrap_err();
    assert_eq!(start.elapsed().as_secs(), 5);
    assert_eq!(elapsed.limit(), 5 * SECOND);
    assert_eq!(elapsed.cause(), Cause::Own);
    assert!(elapsed.ran());
}

#[tokio::test(start_paused = true)]
async fn gives_the_output_of_what_ends_in_time() {
    let slow = async {
        sleep(4 * SECOND).await;
        7
    };
    assert_eq!(within(5 * SECOND, slow).await, Ok(7));
}

/// No runtime, hence no timer to touch: a panic would tell.
#[test]
fn a_ready_future_needs_no_runtime() {
    let output = futures::executor::block_on(within(SECOND, ready(7)));
    assert_eq!(output, Ok(7));
}

#[tokio::test(start_paused = true)]
async fn what_arrives_too_late_is_never_polled() {
    let polls = Cell::new(0);
    let work = || {
        poll_fn(|_| {
            polls.set(polls.get() + 1);
            Poll::Ready(())
        })
    };
    let deadline = Deadline::after(SECOND);
    advance(SECOND).await;

    for elapsed in [
        within(deadline, work()).await,
        within(Duration::ZERO, work()).await,
        total(deadline, work()).await,
        scope(deadline, within(10 * SECOND, work())).await,
        scope(deadline, total(10 * SECOND, work())).await,
    ] {
        assert!(!elapsed.unwrap_err().ran());
    }
    assert_eq!(polls.get(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_step_is_cut_by_the_deadline_of_the_whole() {
    let start = Instant::now();
    let elapsed = total(5 * SECOND, async {
        sleep(3 * SECOND).await;
        within(4 * SECOND, pending::<()>()).await
    })
    .await;
    assert_eq!(start.elapsed().as_secs(), 5);
    // Inner and outer fire in the same poll, and the inner is asked first.
    let inner = elapsed.unwrap().unwrap_err();
    assert_eq!(inner.cause(), Cause::Inherited);
    assert_eq!(inner.to_string(), "timed out after 5.0s");
}

/// A future which always has more to do uses the task's whole budget at each poll; a timer that pays
/// from the same budget would never fire.
#[tokio::test(start_paused = true)]
async fn a_future_which_uses_up_the_budget_is_still_cut() {
    let (send, mut receive) = tokio::sync::mpsc::unbounded_channel();
    let greedy = async {
        loop {
            send.send(()).unwrap();
            receive.recv().await;
        }
    };
    let clock = async {
        loop {
            advance(SECOND / 10).await;
        }
    };
    let raced = async {
        tokio::select! {
            biased;
            elapsed = greedy.within(SECOND) => elapsed,
            () = clock => Ok(()),
        }
    };
    assert!(raced.await.is_err());
}

#[tokio::test(start_paused = true)]
async fn the_earliest_of_all_limits_is_named() {
    let check = async |limit: Limit, around: Option<Duration>, expected: (Duration, Cause)| {
        let step = within(limit, pending::<()>());
        let elapsed = match around {
            None => step.await,
            Some(around) => scope(Deadline::after(around), step).await,
        };
        let elapsed = elapsed.unwrap_err();
        assert_eq!((elapsed.limit(), elapsed.cause()), expected);
    };
    let by = |seconds: u32| Deadline::after(seconds * SECOND);
    let span = Limit::from(2 * SECOND);
    check(span, None, (2 * SECOND, Cause::Own)).await;
    check(span.and(by(1)), None, (SECOND, Cause::Own)).await;
    check(span.and(by(3)), None, (2 * SECOND, Cause::Own)).await;
    check(by(4).into(), Some(5 * SECOND), (4 * SECOND, Cause::Own)).await;
    check(
        by(4).into(),
        Some(3 * SECOND),
        (3 * SECOND, Cause::Inherited),
    )
    .await;
    check(by(4).into(), Some(4 * SECOND), (4 * SECOND, Cause::Own)).await;
    check(
        span.and(by(3)).and(by(1)),
        Some(SECOND / 2),
        (SECOND / 2, Cause::Inherited),
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_class_is_named_only_where_its_own_limit_was_exceeded() {
    let class = Class::new("report", 2 * SECOND);
    let own = within(class, pending::<()>()).await.unwrap_err();
    assert_eq!((own.class(), own.limit()), (Some("report"), 2 * SECOND));
    let both = Limit::from(class).and(Deadline::after(SECOND));
    let deadline = within(both, pending::<()>()).await.unwrap_err();
    assert_eq!((deadline.class(), deadline.limit()), (None, SECOND));
    let step = within(class, pending::<()>());
    let inherited = scope(Deadline::after(SECOND), step).await.unwrap_err();
    assert_eq!(inherited.class(), None);
}

#[tokio::test(start_paused = true)]
async fn the_longest_limits_do_not_overflow() {
    let limit = Limit::from(Duration::MAX).and(Deadline::after(Duration::MAX));
    let work = async {
        sleep(SECOND).await;
        7
    };
    assert_eq!(total(limit, within(Duration::MAX, work)).await, Ok(Ok(7)));
}

#[tokio::test(start_paused = true)]
async fn what_is_dropped_takes_its_work_along() {
    let (held, freed) = tokio::sync::oneshot::channel::<()>();
    let step = within(SECOND, async move {
        let _held = held;
        pending::<()>().await;
    });
    assert!(step.await.is_err());
    assert!(freed.await.is_err(), "the work still lives");
}
