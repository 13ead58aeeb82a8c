use std::cell::Cell;
use std::future::{pending, poll_fn, ready};
use std::task::Poll;
use std::time::Duration;

use seawall_timeout::{Cause, Deadline, DeadlineExt, current, enter, scope, total, within};
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

#[tokio::test(start_paused = true)]
async fn an_inner_scope_cannot_buy_time() {
    let outer = Deadline::after(SECOND);
    let inner = scope(Deadline::after(5 * SECOND), async { current() });
    assert_eq!(scope(outer, inner).await, Some(outer));
}

#[tokio::test(start_paused = true)]
async fn a_scope_ends_with_each_poll() {
    let deadline = Deadline::after(SECOND);
    let mut twice = Box::pin(scope(deadline, async {
        assert_eq!(current(), Some(deadline));
        tokio::task::yield_now().await;
        assert_eq!(current(), Some(deadline));
    }));
    assert!(futures::poll!(&mut twice).is_pending());
    assert_eq!(current(), None);
    twice.await;
    assert_eq!(current(), None);
}

#[tokio::test(start_paused = true)]
async fn a_panicking_poll_leaves_the_scope() {
    let deadline = Deadline::after(SECOND);
    let panicked = std::panic::catch_unwind(|| enter(deadline, || panic!("on purpose")));
    assert!(panicked.is_err());
    assert_eq!(current(), None);
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
