use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use seawall_timeout::body::{IdleLimit, Limits};
use seawall_timeout::{Cause, Elapsed};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};

const SECOND: Duration = Duration::from_secs(1);

/// Reads a body whose parts come after these waits (in seconds, the last for ever), computing for
/// `think` after each; tells how many parts came, how it ended and when.
async fn read(limits: Limits, waits: &[u32], think: Duration) -> (u32, Option<Elapsed>, Duration) {
    let start = Instant::now();
    let (send, mut body) = mpsc::channel(8);
    let waits = waits.to_vec();
    let client = tokio::spawn(async move {
        for wait in waits {
            sleep(wait * SECOND).await;
            if send.send(()).await.is_err() {
                return;
            }
        }
        std::future::pending::<()>().await;
    });
    let mut limit = pin!(IdleLimit::new(limits));
    let mut parts = 0;
    let end = loop {
        let part = poll_fn(|cx| {
            let part = body.poll_recv(cx);
            limit.as_mut().poll(cx, part)
        });
        match tokio::time::timeout(1000 * SECOND, part).await {
            Err(_) => break None,
            Ok(Err(elapsed)) => break Some(elapsed),
            Ok(Ok(_)) => parts += 1,
        }
        sleep(think).await;
    };
    client.abort();
    (parts, end, start.elapsed())
}

fn check(
    got: (u32, Option<Elapsed>, Duration),
    parts: u32,
    end: Option<(Cause, u32)>,
    seconds: u64,
) {
    let (got_parts, got_end, at) = got;
    let got_end = got_end.map(|elapsed| (elapsed.cause(), elapsed.limit()));
    assert_eq!(got_end, end.map(|(cause, limit)| (cause, limit * SECOND)));
    assert_eq!((got_parts, at.as_secs()), (parts, seconds));
}

#[tokio::test(start_paused = true)]
async fn a_gap_that_is_too_long_ends_the_body() {
    let limits = Limits::new().idle(10 * SECOND);
    check(
        read(limits, &[], Duration::ZERO).await,
        0,
        Some((Cause::Idle, 10)),
        10,
    );
    check(
        read(limits, &[9, 9, 9], Duration::ZERO).await,
        3,
        Some((Cause::Idle, 10)),
        37,
    );
    check(
        read(limits, &[9, 11], Duration::ZERO).await,
        1,
        Some((Cause::Idle, 10)),
        19,
    );
}

#[tokio::test(start_paused = true)]
async fn a_drip_is_ended_by_the_limit_of_the_whole() {
    let limits = Limits::new().idle(10 * SECOND).whole(25 * SECOND);
    check(
        read(limits, &[9; 20], Duration::ZERO).await,
        2,
        Some((Cause::Body, 25)),
        25,
    );
    check(
        read(limits, &[9, 9, 1], Duration::ZERO).await,
        3,
        Some((Cause::Body, 25)),
        25,
    );
}

/// The parts wait for the reader here, not the reader for the parts.
#[tokio::test(start_paused = true)]
async fn a_slow_reader_is_not_held_against_the_client() {
    let limits = Limits::new().idle(10 * SECOND);
    check(
        read(limits, &[1, 1, 1], 30 * SECOND).await,
        3,
        Some((Cause::Idle, 10)),
        101,
    );
}

#[tokio::test(start_paused = true)]
async fn without_limits_nothing_ends_a_body() {
    check(
        read(Limits::new(), &[100], Duration::ZERO).await,
        1,
        None,
        1100,
    );
}

#[tokio::test(start_paused = true)]
async fn an_ended_body_stays_ended() {
    let mut limit = pin!(IdleLimit::new(Limits::new().idle(SECOND)));
    let mut next = async |part: Poll<()>| poll_fn(|cx| limit.as_mut().poll(cx, part)).await;
    let elapsed = next(Poll::Pending).await.unwrap_err();
    assert_eq!(next(Poll::Pending).await, Err(elapsed));
    assert_eq!(next(Poll::Ready(())).await, Err(elapsed));
}

/// No runtime, hence no timer to touch: a panic would tell.
#[test]
fn parts_that_are_there_need_no_runtime() {
    let limits = Limits::new().idle(SECOND).whole(SECOND);
    let mut limit = pin!(IdleLimit::new(limits));
    let part = poll_fn(|cx| limit.as_mut().poll(cx, Poll::Ready(7)));
    assert_eq!(futures::executor::block_on(part), Ok(7));
}
