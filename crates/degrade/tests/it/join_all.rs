use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use seawall_degrade::{ComponentError, Degrade};
use tokio::time::{Instant, sleep};

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn values_and_gaps_are_in_the_given_order() {
    // Later members are done earlier.
    let members = (0..6_u32).map(|id| {
        let work = async move {
            sleep(SECOND / (id + 1)).await;
            match id % 3 {
                0 => Err(format!("{id} is down")),
                1 => panic!("{id} panics"),
                _ => Ok(id * 10),
            }
        };
        (id, work)
    });
    let answer = Degrade::new().join_all("parts", members).await;
    assert_eq!(answer.data(), &[(2, 20), (5, 50)]);
    let missing: Vec<_> = answer
        .errors()
        .iter()
        .map(ComponentError::component)
        .collect();
    assert_eq!(missing, ["parts.0", "parts.1", "parts.3", "parts.4"]);
}

#[tokio::test(start_paused = true)]
async fn no_more_members_run_than_allowed() {
    let start = Instant::now();
    let (running, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let members = (0..10).map(|id| {
        let work = async {
            let now = running.fetch_add(1, Ordering::Relaxed) + 1;
            most.fetch_max(now, Ordering::Relaxed);
            sleep(SECOND).await;
            running.fetch_sub(1, Ordering::Relaxed);
            Ok::<_, String>(())
        };
        (id, work)
    });
    let settings = Degrade::new().concurrency(NonZeroUsize::new(4).unwrap());
    let answer = settings.join_all("parts", members).await;
    assert_eq!(answer.data().len(), 10);
    assert_eq!(most.load(Ordering::Relaxed), 4);
    assert_eq!(start.elapsed().as_secs(), 3);
}

#[tokio::test(start_paused = true)]
async fn the_deadline_of_the_whole_ends_the_running_and_starts_no_more() {
    let started = AtomicUsize::new(0);
    let members = (0..5).map(|id| {
        let work = async {
            started.fetch_add(1, Ordering::Relaxed);
            sleep(SECOND).await;
            Ok::<_, String>(())
        };
        (id, work)
    });
    let settings = Degrade::new()
        .concurrency(NonZeroUsize::new(2).unwrap())
        .overall(SECOND + SECOND / 2);
    let answer = settings.join_all("parts", members).await;
    assert_eq!(answer.data(), &[(0, ()), (1, ())]);
    assert_eq!(answer.errors().len(), 3);
    assert_eq!(started.load(Ordering::Relaxed), 4);
}

/// Also of ready ones, of which only so many are done in one poll.
#[tokio::test(start_paused = true)]
async fn any_number_of_members_is_done() {
    for count in [0, 1, 127, 128, 129, 1000] {
        let members = (0..count).map(|id| (id, async move { Ok::<_, String>(id) }));
        let answer = Degrade::new().join_all("parts", members).await;
        let expected: Vec<_> = (0..count).map(|id| (id, id)).collect();
        assert_eq!(answer.into_data(), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn ready_members_leave_the_thread_to_others() {
    let others = AtomicUsize::new(0);
    let other = async {
        loop {
            others.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
        }
    };
    let members = (0..1000).map(|id| (id, async { Ok::<_, String>(()) }));
    tokio::select! {
        biased;
        _ = Degrade::new().join_all("parts", members) => {}
        () = other => {}
    }
    assert!(others.into_inner() >= 5);
}
