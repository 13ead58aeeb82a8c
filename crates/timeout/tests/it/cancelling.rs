use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use seawall_timeout::{Cause, Deadline, cancelling, current, scope};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn work_that_ends_in_time_keeps_its_token() {
    let token = cancelling(SECOND, async |token| token).await.unwrap();
    assert!(!token.is_cancelled());
}

#[tokio::test(start_paused = true)]
async fn the_token_is_cancelled_when_the_time_is_up() {
    let mut seen = None;
    let elapsed = cancelling(5 * SECOND, |token: CancellationToken| {
        seen = Some(token);
        pending::<()>()
    })
    .await
    .unwrap_err();
    assert_eq!((elapsed.limit(), elapsed.cause()), (5 * SECOND, Cause::Own));
    assert!(seen.unwrap().is_cancelled());
}

#[tokio::test(start_paused = true)]
async fn the_token_is_cancelled_when_the_caller_goes() {
    let mut seen = None;
    let mut work = Box::pin(cancelling(5 * SECOND, |token: CancellationToken| {
        seen = Some(token);
        pending::<()>()
    }));
    assert!(futures::poll!(&mut work).is_pending());
    drop(work);
    assert!(seen.unwrap().is_cancelled());
}

#[tokio::test(start_paused = true)]
async fn grace_is_for_tidying_up_and_not_for_an_answer() {
    let start = Instant::now();
    let tidied = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&tidied);
    let elapsed = cancelling(5 * SECOND, async move |token| {
        token.cancelled().await;
        // What tidies up has its own time: the deadline that passed is not over it.
        assert_eq!(current().and_then(Deadline::remaining), Some(3 * SECOND));
        sleep(SECOND).await;
        flag.store(true, Ordering::Relaxed);
    })
    .grace(3 * SECOND)
    .await
    .unwrap_err();
    assert_eq!(elapsed.limit(), 5 * SECOND);
    assert!(tidied.load(Ordering::Relaxed));
    assert_eq!(start.elapsed().as_secs(), 6);
}

#[tokio::test(start_paused = true)]
async fn grace_ends() {
    let start = Instant::now();
    let hangs = cancelling(5 * SECOND, |_| pending::<()>()).grace(3 * SECOND);
    assert!(hangs.await.is_err());
    assert_eq!(start.elapsed().as_secs(), 8);
}

#[tokio::test(start_paused = true)]
async fn what_arrives_too_late_is_not_made() {
    let deadline = Deadline::after(Duration::ZERO);
    let mut made = false;
    let late = cancelling(SECOND, |_| {
        made = true;
        async {}
    });
    assert!(!scope(deadline, late).await.unwrap_err().ran());
    assert!(!made);
}

#[tokio::test(start_paused = true)]
async fn a_parent_token_tells_the_work_as_well() {
    let shutdown = CancellationToken::new();
    let work = cancelling(5 * SECOND, async |token| token.cancelled().await).child_of(&shutdown);
    let (outcome, ()) = tokio::join!(work, async { shutdown.cancel() });
    assert_eq!(outcome, Ok(()));
}
