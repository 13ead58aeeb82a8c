//! Who is told what, and in which order.

use std::error::Error;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use seawall_health::{Change, Failure, Fault, Health, Observer, State, Status};
use tokio::time::sleep;

use crate::switch::{Dependency, Mode, SECOND};

type Log = Arc<Mutex<Vec<String>>>;

fn lines(log: &Log) -> Vec<String> {
    std::mem::take(&mut *log.lock().unwrap())
}

#[tokio::test(start_paused = true)]
async fn changes_come_in_the_order_of_the_facts() {
    let dependency = Dependency::default();
    let log: Log = Arc::default();
    let told = Arc::clone(&log);
    let health = Health::builder()
        .check(dependency.check("database").critical().startup())
        .on_change(move |change| told.lock().unwrap().push(format!("{change:?}")))
        .build()
        .unwrap();
    health.start();
    let change = |from, to| {
        format!(
            "{:?}",
            Change::Check {
                name: "database".into(),
                from,
                to
            }
        )
    };
    let whole = |from, to| format!("{:?}", Change::Status { from, to });

    sleep(SECOND / 10).await;
    let started = [
        change(State::Pending, State::Pass),
        "Started".to_owned(),
        whole(Status::Fail, Status::Pass),
        "Ready(true)".to_owned(),
    ];
    assert_eq!(lines(&log), started);

    sleep(SECOND).await;
    assert_eq!(lines(&log), [""; 0], "nothing has changed");

    dependency.set(Mode::Down);
    sleep(SECOND).await;
    let failed = [
        change(State::Pass, State::Fail(Fault::Refused)),
        whole(Status::Pass, Status::Fail),
        "Ready(false)".to_owned(),
    ];
    assert_eq!(lines(&log), failed);

    health.begin_drain();
    health.begin_drain();
    health.mark_broken();
    assert_eq!(lines(&log), ["Draining", "Live(false)"]);
}

#[tokio::test(start_paused = true)]
async fn the_whole_story_of_a_failure_goes_to_the_observer() {
    struct Runs(Log);
    impl Observer for Runs {
        fn ran(&self, check: &str, took: Duration, failure: Option<&Failure>) {
            let story =
                failure.map(|failure| (failure.fault(), failure.source().map(ToString::to_string)));
            self.0
                .lock()
                .unwrap()
                .push(format!("{check} {} {story:?}", took.as_millis() / 100));
        }
    }
    let dependency = Dependency::default();
    let log: Log = Arc::default();
    let health = Health::builder()
        .check(dependency.check("database"))
        .observer(Runs(Arc::clone(&log)))
        .build()
        .unwrap();
    dependency.set(Mode::Slow);
    health.start();
    sleep(SECOND / 2).await;
    for mode in [Mode::Down, Mode::Hangs, Mode::Panics] {
        dependency.set(mode);
        sleep(SECOND).await;
    }
    let expected = [
        r#"database 2 None"#,
        r#"database 0 Some((Refused, Some("connection refused")))"#,
        r#"database 5 Some((Timeout, None))"#,
        r#"database 0 Some((Panic, Some("on purpose")))"#,
    ];
    assert_eq!(lines(&log), expected);
}

/// An observer may change things, and panic; both without a deadlock, and in order.
#[tokio::test(start_paused = true)]
async fn an_observer_may_act_and_may_fail() {
    let dependency = Dependency::default();
    let log: Log = Arc::default();
    let told = Arc::clone(&log);
    let itself: Arc<OnceLock<Health>> = Arc::default();
    let acting = Arc::clone(&itself);
    let health = Health::builder()
        .check(dependency.check("database"))
        .on_change(|_| panic!("on purpose"))
        .on_change(move |change| {
            if *change == Change::Ready(true) {
                let health = acting.get().unwrap();
                health.begin_drain();
                assert!(!health.report().is_ready());
            }
            told.lock().unwrap().push(format!("{change:?}"));
        })
        .build()
        .unwrap();
    itself.set(health.clone()).unwrap();
    health.start();
    sleep(SECOND / 10).await;
    let lines = lines(&log);
    let last: Vec<_> = lines.iter().skip(2).map(String::as_str).collect();
    assert_eq!(
        last,
        [
            "Ready(true)",
            "Draining",
            "Status { from: Pass, to: Warn }",
            "Ready(false)"
        ],
    );
}

#[tokio::test(start_paused = true)]
async fn a_watcher_sees_the_latest_report() {
    let dependency = Dependency::default();
    let health = Health::builder()
        .check(dependency.check("database"))
        .build()
        .unwrap();
    health.start();
    let mut watch = health.watch();
    watch.wait_for(|report| report.is_ready()).await.unwrap();
    dependency.set(Mode::Down);
    watch.wait_for(|report| !report.is_ready()).await.unwrap();
    assert_eq!(*watch.borrow(), health.report());
}
