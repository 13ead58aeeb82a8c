//! Checks that run in the background.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};

use seawall_health::{Check, Fault, Health, Probe, State};
use tokio::time::{advance, sleep};

use crate::switch::{Dependency, Mode, SECOND, status};

/// Starts a service with one check and lets its first run pass.
async fn started(check: Check) -> Health {
    let health = Health::builder().check(check).build().unwrap();
    health.start();
    sleep(SECOND / 10).await;
    health
}

fn state(health: &Health) -> State {
    health.report().checks()[0].state()
}

#[tokio::test(start_paused = true)]
async fn a_check_is_asked_at_its_interval_and_never_by_a_probe() {
    let dependency = Dependency::default();
    let health = started(dependency.check("database")).await;
    for seconds in 1..5 {
        for _ in 0..100 {
            assert_eq!(status(&health, Probe::Ready).await, 200);
        }
        assert_eq!(dependency.runs(), seconds);
        sleep(SECOND).await;
    }
}

#[tokio::test(start_paused = true)]
async fn jitter_spreads_the_runs() {
    let dependency = Dependency::default();
    let _health = started(dependency.check("database").jitter(1.0)).await;
    sleep(1000 * SECOND).await;
    // A thousand intervals of none to two seconds: seven standard deviations either way.
    assert!(
        (800..1300).contains(&dependency.runs()),
        "{}",
        dependency.runs()
    );
}

#[tokio::test(start_paused = true)]
async fn so_many_runs_in_a_row_change_the_state() {
    let dependency = Dependency::default();
    let health = started(dependency.check("database").fail_after(3).recover_after(2)).await;
    let mut states = String::new();
    for mode in [
        Mode::Down,
        Mode::Down,
        Mode::Up,
        Mode::Down,
        Mode::Down,
        Mode::Down,
        Mode::Up,
        Mode::Up,
    ] {
        dependency.set(mode);
        sleep(SECOND).await;
        states.push(if state(&health) == State::Pass {
            'P'
        } else {
            'F'
        });
    }
    assert_eq!(states, "PPPPPFFP");
}

#[tokio::test(start_paused = true)]
async fn a_check_that_hangs_times_out_and_does_not_pile_up() {
    let dependency = Dependency::default();
    dependency.set(Mode::Hangs);
    let health = started(dependency.check("database")).await;
    sleep(20 * SECOND).await;
    assert_eq!(state(&health), State::Fail(Fault::Timeout));
    assert_eq!(dependency.most(), 1);
    dependency.set(Mode::Up);
    sleep(SECOND).await;
    assert_eq!(state(&health), State::Pass);
}

#[tokio::test(start_paused = true)]
async fn a_check_that_hangs_is_stale_before_it_has_failed_often_enough() {
    let dependency = Dependency::default();
    let health = started(dependency.check("database").fail_after(1000)).await;
    dependency.set(Mode::Hangs);
    sleep(20 * SECOND).await;
    assert_eq!(status(&health, Probe::Ready).await, 503);
    assert_eq!(status(&health, Probe::Live).await, 200);
    assert_eq!(state(&health), State::Fail(Fault::Stale));
    dependency.set(Mode::Up);
    sleep(2 * SECOND).await;
    assert_eq!(status(&health, Probe::Ready).await, 200);
}

#[tokio::test(start_paused = true)]
async fn a_slow_check_within_its_limit_passes() {
    let dependency = Dependency::default();
    dependency.set(Mode::Slow);
    let health = started(dependency.check("database")).await;
    assert_eq!(state(&health), State::Pending);
    sleep(SECOND).await;
    assert_eq!(state(&health), State::Pass);
}

#[tokio::test(start_paused = true)]
async fn a_panic_stays_in_its_check() {
    let dependency = Dependency::default();
    dependency.set(Mode::Panics);
    let health = started(dependency.check("database")).await;
    assert_eq!(state(&health), State::Fail(Fault::Panic));
    dependency.set(Mode::Up);
    sleep(SECOND).await;
    assert_eq!(state(&health), State::Pass);
}

#[tokio::test(start_paused = true)]
async fn checks_run_side_by_side() {
    let (hangs, answers) = (Dependency::default(), Dependency::default());
    hangs.set(Mode::Hangs);
    let health = Health::builder()
        .check(hangs.check("hangs").optional())
        .check(answers.check("answers"))
        .build()
        .unwrap();
    health.start();
    sleep(SECOND / 10).await;
    assert!(health.report().is_ready());
}

#[tokio::test(start_paused = true)]
async fn a_startup_check_is_not_asked_again_once_it_has_passed() {
    let dependency = Dependency::default();
    dependency.set(Mode::Down);
    let health = started(dependency.check("warm").startup()).await;
    sleep(2 * SECOND).await;
    assert!(!health.report().is_started());
    dependency.set(Mode::Up);
    sleep(100 * SECOND).await;
    assert_eq!(dependency.runs(), 4);
    assert_eq!(state(&health), State::Pass, "a pass for good does not age");
}

#[tokio::test(start_paused = true)]
async fn a_critical_startup_check_is_asked_for_ever() {
    let dependency = Dependency::default();
    let health = started(dependency.check("database").critical().startup()).await;
    assert!(health.report().is_started());
    dependency.set(Mode::Down);
    sleep(SECOND).await;
    let report = health.report();
    assert!(report.is_started() && !report.is_ready());
}

#[tokio::test(start_paused = true)]
async fn the_last_clone_takes_the_background_along() {
    let dependency = Dependency::default();
    let health = started(dependency.check("database")).await;
    let clone = health.clone();
    drop(health);
    sleep(2 * SECOND).await;
    assert_eq!(dependency.runs(), 3);
    drop(clone);
    tokio::task::yield_now().await;
    let alive = tokio::runtime::Handle::current()
        .metrics()
        .num_alive_tasks();
    assert_eq!(alive, 0, "neither the check nor the heart sleeps on");
    sleep(10 * SECOND).await;
    assert_eq!(dependency.runs(), 3);
}

#[tokio::test(start_paused = true)]
async fn starting_twice_starts_once() {
    let dependency = Dependency::default();
    let health = started(dependency.check("database")).await;
    health.start();
    health.clone().start();
    sleep(3 * SECOND).await;
    assert_eq!(dependency.runs(), 4);
}

/// A thread cannot be cancelled: one run, a timeout at each interval, and no second thread.
#[tokio::test(start_paused = true)]
async fn a_blocking_check_that_does_not_come_back_occupies_one_thread() {
    let gate = Arc::new((Mutex::new(false), Condvar::new()));
    let runs = Arc::new(AtomicUsize::new(0));
    let back = Arc::new(AtomicBool::new(false));
    let check = {
        let (gate, runs, back) = (Arc::clone(&gate), Arc::clone(&runs), Arc::clone(&back));
        Check::blocking("disk", move || {
            runs.fetch_add(1, Ordering::SeqCst);
            let (open, opened) = &*gate;
            let open = opened
                .wait_while(open.lock().unwrap(), |open| !*open)
                .unwrap();
            drop(open);
            back.store(true, Ordering::SeqCst);
            Ok::<_, std::io::Error>(())
        })
    };
    let check = check
        .every(SECOND)
        .timeout(SECOND / 2)
        .jitter(0.0)
        .fail_after(3)
        .recover_after(1);
    let health = Health::builder().check(check).build().unwrap();
    health.start();
    // Time does not advance by itself while a thread is busy; step it.
    let step = async |seconds: u32| {
        for _ in 0..4 * seconds {
            advance(SECOND / 4).await;
            for _ in 0..10 {
                tokio::task::yield_now().await;
            }
        }
    };
    while runs.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    step(1).await;
    assert_eq!(state(&health), State::Pending);
    step(9).await;
    assert_eq!(state(&health), State::Fail(Fault::Timeout));
    assert_eq!(runs.load(Ordering::SeqCst), 1);

    *gate.0.lock().unwrap() = true;
    gate.1.notify_all();
    while !back.load(Ordering::SeqCst) || state(&health) != State::Pass {
        step(1).await;
    }
    assert!(runs.load(Ordering::SeqCst) > 1);
}
