use std::time::Duration;

use seawall_timeout::{Deadline, current, enter, scope, total};

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn an_inner_scope_cannot_buy_time() {
    let outer = Deadline::after(SECOND);
    let inner = scope(Deadline::after(5 * SECOND), async { current() });
    assert_eq!(scope(outer, inner).await, Some(outer));
}

#[tokio::test(start_paused = true)]
async fn after_an_inner_scope_the_outer_one_is_back() {
    let outer = Deadline::after(5 * SECOND);
    scope(outer, async {
        let inner = Deadline::after(SECOND);
        assert_eq!(scope(inner, async { current() }).await, Some(inner));
        assert_eq!(current(), Some(outer));
        assert_eq!(enter(inner, current), Some(inner));
        assert_eq!(current(), Some(outer));
    })
    .await;
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

#[tokio::test(start_paused = true)]
async fn a_total_is_seen_by_everything_inside() {
    let inner = total(5 * SECOND, async {
        current().and_then(Deadline::remaining)
    });
    assert_eq!(inner.await, Ok(Some(5 * SECOND)));
    // What is around is seen instead when it ends earlier, with the limit it was made from.
    let around = Deadline::after(2 * SECOND);
    let inner = scope(around, total(5 * SECOND, async { current() }));
    assert_eq!(inner.await, Ok(Some(around)));
}

#[tokio::test(start_paused = true)]
async fn other_tasks_and_threads_see_it_only_when_they_re_enter() {
    let deadline = Deadline::after(SECOND);
    scope(deadline, async {
        assert_eq!(tokio::spawn(async { current() }).await.unwrap(), None);
        let spawned = tokio::spawn(scope(deadline, async { current() }));
        assert_eq!(spawned.await.unwrap(), Some(deadline));
        let thread = std::thread::spawn(move || (current(), enter(deadline, current)));
        assert_eq!(thread.join().unwrap(), (None, Some(deadline)));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn tasks_side_by_side_keep_their_own() {
    let task = |seconds: u32| {
        let deadline = Deadline::after(seconds * SECOND);
        scope(deadline, async move {
            for _ in 0..3 {
                assert_eq!(current(), Some(deadline));
                tokio::task::yield_now().await;
            }
        })
    };
    tokio::join!(task(1), task(2), async { assert_eq!(current(), None) });
}
