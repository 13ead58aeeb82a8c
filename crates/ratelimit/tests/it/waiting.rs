//! Waiting in line, on a paused clock.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use seawall_ratelimit::{
    Clock, Limiter, MemoryStore, Patience, Quota, TokioClock, WaitError, quota,
};
use tokio::task::yield_now;
use tokio::time::advance;

use crate::{n, s};

fn limiter_of(quota: Quota) -> Limiter<MemoryStore> {
    Limiter::new(
        MemoryStore::builder().clock(TokioClock::new()).build(),
        quota,
    )
}

#[tokio::test(start_paused = true)]
async fn waits_for_exactly_the_time_that_is_needed() {
    let limiter = limiter_of(quota!("2/second"));
    let clock = TokioClock::new();
    for _ in 0..4 {
        limiter
            .until_ready("a", Patience::at_most(s(5)))
            .await
            .unwrap();
    }
    // Two at once, then one each half second; timers are good to a millisecond.
    let waited = clock.now().mono();
    assert!((Duration::from_millis(1_000)..Duration::from_millis(1_005)).contains(&waited));
}

#[tokio::test(start_paused = true)]
async fn who_came_first_goes_first() {
    let limiter = limiter_of(quota!("1/second"));
    let _ = limiter.check("a").await.unwrap();
    let order = Arc::new(Mutex::new(Vec::new()));
    let mut tasks = Vec::new();
    for i in 0..5 {
        let (limiter, order) = (limiter.clone(), Arc::clone(&order));
        tasks.push(tokio::spawn(async move {
            limiter
                .until_ready("a", Patience::at_most(s(60)).jitter(s(1)))
                .await
                .unwrap();
            order.lock().unwrap().push(i);
        }));
        yield_now().await;
    }
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(*order.lock().unwrap(), [0, 1, 2, 3, 4]);
}

#[tokio::test(start_paused = true)]
async fn who_leaves_the_line_charges_nothing() {
    let limiter = limiter_of(quota!("1/second"));
    let _ = limiter.check("a").await.unwrap();
    let wait = |limiter: Limiter<MemoryStore>| {
        tokio::spawn(async move { limiter.until_ready("a", Patience::at_most(s(60))).await })
    };
    let (first, second, third) = (
        wait(limiter.clone()),
        wait(limiter.clone()),
        wait(limiter.clone()),
    );
    yield_now().await;
    first.abort();
    second.abort();
    let clock = TokioClock::new();
    third.await.unwrap().unwrap();
    let waited = clock.now().mono();
    assert!(
        waited < Duration::from_millis(1_010),
        "{waited:?}: nobody is before it any more"
    );
}

#[tokio::test(start_paused = true)]
async fn another_key_does_not_stand_in_the_same_line() {
    let limiter = limiter_of(quota!("1/minute"));
    let _ = limiter.check("slow").await.unwrap();
    let waiting = limiter.clone();
    let slow = tokio::spawn(async move {
        waiting
            .until_ready("slow", Patience::at_most(s(600)))
            .await
            .map(drop)
    });
    yield_now().await;
    let clock = TokioClock::new();
    limiter
        .until_ready("quick", Patience::at_most(s(1)))
        .await
        .unwrap();
    assert_eq!(clock.now().mono(), Duration::ZERO);
    slow.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn gives_up_at_once_when_waiting_would_be_in_vain() {
    let limiter = limiter_of(quota!("1/minute"));
    let _ = limiter.check("a").await.unwrap();
    let clock = TokioClock::new();
    let error = limiter
        .until_ready("a", Patience::at_most(s(59)))
        .await
        .unwrap_err();
    assert!(matches!(error, WaitError::TimedOut), "{error}");
    assert_eq!(clock.now().mono(), Duration::ZERO);

    let closed = limiter_of(quota!("0/minute"));
    let error = closed
        .until_ready("a", Patience::at_most(s(59)))
        .await
        .unwrap_err();
    assert!(matches!(error, WaitError::Never), "{error}");
}

#[tokio::test(start_paused = true)]
async fn patience_ends_in_the_line_too() {
    let limiter = limiter_of(quota!("1/second"));
    let _ = limiter.check_n("a", n(1)).await.unwrap();
    let first = limiter.clone();
    let first = tokio::spawn(async move { first.until_ready("a", Patience::at_most(s(5))).await });
    yield_now().await;
    let second = limiter.clone();
    let second = tokio::spawn(async move {
        second
            .until_ready("a", Patience::at_most(Duration::from_millis(500)))
            .await
            .map(drop)
    });
    advance(Duration::from_millis(501)).await;
    let error = second.await.unwrap().unwrap_err();
    assert!(matches!(error, WaitError::TimedOut), "{error}");
    first.await.unwrap().unwrap();
}
