//! Checks that run when a probe wants to know.

use seawall_health::{Fault, Health, Heartbeat, Probe, State};
use tokio::time::{Instant, sleep, timeout};

use crate::switch::{Dependency, Mode, SECOND, status};

fn health(dependency: &Dependency) -> Health {
    let check = dependency.check("database").on_demand(2 * SECOND);
    Health::builder().check(check).build().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_result_is_good_for_its_time() {
    let dependency = Dependency::default();
    let health = health(&dependency);
    for (seconds, runs) in [(0, 1), (1, 1), (1, 1), (1, 2), (2, 2), (100, 3)] {
        sleep(seconds * SECOND).await;
        assert_eq!(status(&health, Probe::Ready).await, 200);
        assert_eq!(dependency.runs(), runs);
    }
}

#[tokio::test(start_paused = true)]
async fn only_the_probes_that_need_it_run_it() {
    let dependency = Dependency::default();
    let health = health(&dependency);
    health.start();
    sleep(10 * SECOND).await;
    status(&health, Probe::Live).await;
    status(&health, Probe::Startup).await;
    let _ = health.report();
    assert_eq!(dependency.runs(), 0);
    status(&health, Probe::Health).await;
    assert_eq!(dependency.runs(), 1);
}

#[tokio::test(start_paused = true)]
async fn probes_at_a_time_share_a_run() {
    let dependency = Dependency::default();
    dependency.set(Mode::Slow);
    let health = health(&dependency);
    let start = Instant::now();
    let probes: Vec<_> = (0..50)
        .map(|_| {
            let health = health.clone();
            tokio::spawn(async move { status(&health, Probe::Ready).await })
        })
        .collect();
    for probe in probes {
        assert_eq!(probe.await.unwrap(), 200);
    }
    assert_eq!((dependency.runs(), dependency.most()), (1, 1));
    assert!(start.elapsed() < SECOND / 2);
}

#[tokio::test(start_paused = true)]
async fn a_time_of_nothing_asks_anew_each_time_but_shares_too() {
    let dependency = Dependency::default();
    dependency.set(Mode::Slow);
    let check = dependency
        .check("database")
        .on_demand(std::time::Duration::ZERO);
    let health = Health::builder().check(check).build().unwrap();
    for runs in [1, 2] {
        let (a, b) = tokio::join!(
            status(&health, Probe::Ready),
            status(&health, Probe::Health)
        );
        assert_eq!((a, b, dependency.runs()), (200, 200, runs));
        sleep(SECOND / 100).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_check_that_hangs_costs_probes_its_limit_once_in_a_while() {
    let dependency = Dependency::default();
    dependency.set(Mode::Hangs);
    let health = health(&dependency);
    let start = Instant::now();
    let (a, b) = tokio::join!(status(&health, Probe::Ready), status(&health, Probe::Ready));
    assert_eq!((a, b), (503, 503));
    assert!(
        start.elapsed() < SECOND,
        "the second does not wait for a run of its own"
    );
    assert_eq!(
        health.report().checks()[0].state(),
        State::Fail(Fault::Timeout)
    );
    assert_eq!(status(&health, Probe::Ready).await, 503);
    assert!(start.elapsed() < SECOND, "the result is good for its time");
    assert_eq!(dependency.runs(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_run_outlives_the_probe_that_started_it_and_is_taken_over() {
    let dependency = Dependency::default();
    dependency.set(Mode::Slow);
    let health = health(&dependency);
    let gone = timeout(SECOND / 10, status(&health, Probe::Ready)).await;
    assert!(gone.is_err());
    assert_eq!(status(&health, Probe::Ready).await, 200);
    assert_eq!((dependency.runs(), dependency.most()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_result_that_was_left_behind_is_as_old_as_it_is() {
    let dependency = Dependency::default();
    dependency.set(Mode::Slow);
    let health = health(&dependency);
    let gone = timeout(SECOND / 10, status(&health, Probe::Ready)).await;
    assert!(gone.is_err());
    // The run ends with nobody there, and passes; then the dependency fails.
    sleep(100 * SECOND).await;
    dependency.set(Mode::Down);
    assert_eq!(status(&health, Probe::Ready).await, 503);
    assert_eq!(dependency.runs(), 2);
}

#[tokio::test(start_paused = true)]
async fn checks_are_run_side_by_side() {
    let parts: [Dependency; 4] = Default::default();
    let mut builder = Health::builder();
    for (index, part) in parts.iter().enumerate() {
        part.set(Mode::Slow);
        builder = builder.check(part.check(&format!("part-{index}")).on_demand(SECOND));
    }
    let health = builder.build().unwrap();
    let start = Instant::now();
    assert_eq!(status(&health, Probe::Ready).await, 200);
    assert!(start.elapsed() < SECOND / 2);
}

#[tokio::test(start_paused = true)]
async fn a_startup_check_is_run_until_it_has_passed() {
    let dependency = Dependency::default();
    dependency.set(Mode::Down);
    let check = dependency.check("warm").on_demand(SECOND).startup();
    let health = Health::builder().check(check).build().unwrap();
    assert_eq!(status(&health, Probe::Startup).await, 503);
    dependency.set(Mode::Up);
    sleep(2 * SECOND).await;
    for _ in 0..3 {
        assert_eq!(status(&health, Probe::Startup).await, 200);
        assert_eq!(status(&health, Probe::Ready).await, 200);
        sleep(2 * SECOND).await;
    }
    assert_eq!(dependency.runs(), 2);
}

/// Nobody probes; the heartbeat notices all the same.
#[tokio::test(start_paused = true)]
async fn a_stale_result_shows_without_a_probe() {
    let dependency = Dependency::default();
    let check = dependency
        .check("database")
        .on_demand(SECOND)
        .stale_after(10 * SECOND);
    let health = Health::builder()
        .check(check)
        .heartbeat(Heartbeat::new(SECOND, 5 * SECOND))
        .build()
        .unwrap();
    assert_eq!(status(&health, Probe::Ready).await, 200);
    let mut watch = health.watch();
    let start = Instant::now();
    watch.wait_for(|report| !report.is_ready()).await.unwrap();
    assert_eq!(start.elapsed().as_secs(), 11);
    assert_eq!(
        health.report().checks()[0].state(),
        State::Fail(Fault::Stale)
    );
    assert_eq!(
        status(&health, Probe::Ready).await,
        200,
        "a probe asks anew"
    );
}
