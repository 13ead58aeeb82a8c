//! The orderly end, step by step.

use std::future::pending;
use std::time::Duration;

use seawall_health::{Drain, Health, Probe, Stop};
use tokio::time::{Instant, sleep};

use crate::switch::{SECOND, status};

fn drain() -> (Health, Drain) {
    let health = Health::builder().build().unwrap();
    let drain = Drain::new(&health).pause(5 * SECOND).maximum(30 * SECOND);
    (health, drain)
}

/// Sends signals at these seconds, with a request in flight that takes so long; tells when the
/// listener closed, when all was done, and how many requests were cut.
async fn run(signals: &[(u32, Stop)], request: Duration) -> (u64, u64, usize) {
    let (_, drain) = drain();
    let start = Instant::now();
    let sent = async {
        for &(at, stop) in signals {
            tokio::time::sleep_until(start + at * SECOND).await;
            drain.signal(stop);
        }
        pending::<()>().await;
    };
    let in_flight = drain.enter();
    let answered = async {
        sleep(request).await;
        drop(in_flight);
        pending::<()>().await;
    };
    let ended = async {
        drain.closing().await;
        let closed = start.elapsed().as_secs();
        let left = drain.done().await.left();
        (closed, start.elapsed().as_secs(), left)
    };
    tokio::select! {
        () = sent => unreachable!(),
        () = answered => unreachable!(),
        ended = ended => ended,
    }
}

#[tokio::test(start_paused = true)]
async fn readiness_fails_first_and_the_listener_closes_after_the_pause() {
    let (health, drain) = drain();
    let closing = drain.closing();
    tokio::pin!(closing);
    assert!(futures::poll!(&mut closing).is_pending());
    assert_eq!(status(&health, Probe::Ready).await, 200);

    let start = Instant::now();
    drain.signal(Stop::Graceful);
    assert_eq!(status(&health, Probe::Ready).await, 503);
    assert_eq!(status(&health, Probe::Live).await, 200);
    assert!(futures::poll!(&mut closing).is_pending());
    closing.await;
    assert_eq!(start.elapsed().as_secs(), 5);
    drain.closing().await;
    assert_eq!(start.elapsed().as_secs(), 5, "closed is closed");
}

#[tokio::test(start_paused = true)]
async fn an_answer_can_ask_whether_the_server_closes() {
    let (_health, drain) = drain();
    let early = drain.enter();
    assert!(!drain.is_closing() && !early.is_closing());
    drain.signal(Stop::Graceful);
    assert!(!drain.is_closing() && !early.is_closing(), "in the pause");
    drain.closing().await;
    assert!(drain.is_closing() && early.is_closing());
    assert!(drain.enter().is_closing());
}

#[tokio::test(start_paused = true)]
async fn what_is_in_flight_ends() {
    assert_eq!(run(&[(1, Stop::Graceful)], 2 * SECOND).await, (6, 6, 0));
    assert_eq!(run(&[(1, Stop::Graceful)], 20 * SECOND).await, (6, 20, 0));
}

#[tokio::test(start_paused = true)]
async fn what_takes_longer_than_the_maximum_is_cut() {
    assert_eq!(run(&[(1, Stop::Graceful)], 35 * SECOND).await, (6, 35, 0));
    assert_eq!(run(&[(1, Stop::Graceful)], 99 * SECOND).await, (6, 36, 1));
}

#[tokio::test(start_paused = true)]
async fn a_second_signal_cuts_the_pause_and_a_third_the_wait() {
    let second = [(1, Stop::Graceful), (3, Stop::Graceful)];
    assert_eq!(run(&second, 20 * SECOND).await, (3, 20, 0));
    let third = [(1, Stop::Graceful), (3, Stop::Graceful), (7, Stop::Prompt)];
    assert_eq!(run(&third, 20 * SECOND).await, (3, 7, 1));
}

#[tokio::test(start_paused = true)]
async fn a_prompt_stop_skips_the_pause_and_not_the_requests() {
    assert_eq!(run(&[(1, Stop::Prompt)], 20 * SECOND).await, (1, 20, 0));
}

#[tokio::test(start_paused = true)]
async fn every_request_is_waited_for() {
    let (_, drain) = drain();
    let requests: Vec<_> = (1..=10_u32)
        .map(|seconds| {
            let request = drain.enter();
            tokio::spawn(async move {
                sleep(seconds * SECOND).await;
                drop(request);
            })
        })
        .collect();
    assert_eq!(drain.in_flight(), 10);
    let start = Instant::now();
    let drained = drain.run(async { Stop::Prompt }).await;
    assert!(drained.is_clean());
    assert_eq!(start.elapsed().as_secs(), 10);
    for request in requests {
        assert!(request.is_finished());
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_may_count_for_itself() {
    let (_, drain) = drain();
    let start = Instant::now();
    drain.signal(Stop::Graceful);
    let connections = async { sleep(9 * SECOND).await };
    assert!(drain.done_with(connections).await.is_clean());
    assert_eq!(
        start.elapsed().as_secs(),
        14,
        "its connections are asked from the closing on"
    );
}

#[tokio::test(start_paused = true)]
async fn shutdown_may_be_any_future() {
    let (health, drain) = drain();
    let shutdown = async {
        sleep(SECOND).await;
        assert!(health.report().is_ready());
    };
    assert!(drain.run(shutdown).await.is_clean());
}
