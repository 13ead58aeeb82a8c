//! What probes are answered, byte for byte.

use seawall_health::{Access, Builder, Details, Health, Heartbeat, Probe, Status};
use tokio::time::{advance, sleep};

use crate::switch::{Dependency, Mode, SECOND, full, probe, status};

/// A service with one check of each kind.
fn shop() -> ([Dependency; 3], Builder) {
    let parts: [Dependency; 3] = Default::default();
    let [database, tips, warm] = &parts;
    let builder = Health::builder()
        .service("shop", "1.2.3")
        .check(database.check("database").critical())
        .check(tips.check("tips").optional())
        .check(warm.check("warm").startup());
    (parts, builder)
}

async fn statuses(health: &Health) -> [u16; 4] {
    let mut statuses = [0; 4];
    for (status, probe) in statuses.iter_mut().zip(Probe::ALL) {
        *status = crate::switch::status(health, probe).await;
    }
    statuses
}

#[tokio::test(start_paused = true)]
async fn without_checks_a_service_is_ready() {
    let health = Health::builder().build().unwrap();
    assert_eq!(statuses(&health).await, [200; 4]);
}

#[tokio::test(start_paused = true)]
async fn before_the_first_result_a_service_is_not_ready() {
    let (_, builder) = shop();
    let health = builder.build().unwrap();
    assert_eq!(statuses(&health).await, [200, 503, 503, 503]);
    sleep(SECOND / 10).await;
    assert_eq!(statuses(&health).await, [200, 200, 200, 200]);
}

#[tokio::test(start_paused = true)]
async fn each_kind_of_check_weighs_what_it_should() {
    let ([database, tips, warm], builder) = shop();
    warm.set(Mode::Down);
    let health = builder.build().unwrap();
    health.start();
    sleep(SECOND / 10).await;
    assert_eq!(
        statuses(&health).await,
        [200, 503, 503, 503],
        "it has not started"
    );

    warm.set(Mode::Up);
    sleep(SECOND).await;
    assert_eq!(statuses(&health).await, [200; 4]);
    assert_eq!(health.report().status(), Status::Pass);

    tips.set(Mode::Down);
    sleep(SECOND).await;
    assert_eq!(
        statuses(&health).await,
        [200; 4],
        "something optional is missing"
    );
    assert_eq!(health.report().status(), Status::Warn);

    database.set(Mode::Down);
    warm.set(Mode::Down);
    sleep(SECOND).await;
    assert_eq!(
        statuses(&health).await,
        [200, 503, 200, 503],
        "startup is latched"
    );

    database.set(Mode::Up);
    sleep(SECOND).await;
    assert_eq!(statuses(&health).await, [200; 4]);
}

#[tokio::test(start_paused = true)]
async fn draining_fails_readiness_and_nothing_else() {
    let (_, builder) = shop();
    let health = builder.build().unwrap();
    health.start();
    sleep(SECOND / 10).await;
    health.begin_drain();
    assert_eq!(statuses(&health).await, [200, 503, 200, 200]);
    assert_eq!(health.report().status(), Status::Warn);
    let answer = probe(&health, Probe::Ready).await;
    let retry = answer
        .headers()
        .iter()
        .find(|(name, _)| *name == "retry-after");
    assert_eq!(retry, None, "it will not be back");
}

#[tokio::test(start_paused = true)]
async fn a_broken_process_is_not_live() {
    let health = Health::builder().build().unwrap();
    health.mark_broken();
    assert_eq!(statuses(&health).await, [503, 503, 200, 503]);
}

/// The runtime which carried the heartbeat and the checks is gone; probes come on another one.
#[test]
fn a_stalled_runtime_is_not_live_and_its_results_are_stale() {
    let runtime = || {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.enable_time().start_paused(true).build().unwrap()
    };
    let health = Health::builder()
        .check(Dependency::default().check("database"))
        .heartbeat(Heartbeat::new(SECOND, 10 * SECOND))
        .build()
        .unwrap();
    runtime().block_on(async {
        health.start();
        sleep(SECOND / 10).await;
        assert_eq!(statuses(&health).await, [200; 4]);
    });
    runtime().block_on(async {
        // Three intervals and timeouts, and a little for what passed between the two runtimes.
        advance(6 * SECOND).await;
        assert_eq!(
            full(&health, Probe::Live).await,
            r#"{"status":"pass"}"#,
            "the heart may miss a few beats",
        );
        assert!(
            full(&health, Probe::Ready)
                .await
                .contains(r#""output":"stale""#)
        );
        assert_eq!(statuses(&health).await, [200, 503, 200, 503]);
        advance(6 * SECOND).await;
        assert_eq!(statuses(&health).await, [503, 503, 200, 503]);
        assert_eq!(
            full(&health, Probe::Live).await,
            r#"{"status":"fail","notes":["stalled"]}"#,
        );
    });
}

#[tokio::test(start_paused = true)]
async fn answers_say_as_much_as_allowed() {
    let answers = async |details: Details, access: Access| {
        let ([database, tips, _], builder) = shop();
        database.set(Mode::Down);
        tips.set(Mode::Hangs);
        let health = builder.details(details).build().unwrap();
        health.start();
        sleep(3 * SECOND / 4).await;
        let answer = health.answer(Probe::Health, "GET", access).await;
        assert_eq!(answer.content_type(), "application/health+json");
        String::from_utf8(answer.into_body()).unwrap()
    };
    assert_eq!(
        answers(Details::Hidden, Access::Public).await,
        r#"{"status":"fail"}"#,
    );
    let names = r#"{"status":"fail","checks":{"database":[{"status":"fail"}],"tips":[{"status":"warn"}],"warm":[{"status":"pass"}]}}"#;
    assert_eq!(answers(Details::Names, Access::Public).await, names);
    let full = r#"{"status":"fail","serviceId":"shop","version":"1.2.3","checks":{"database":[{"status":"fail","role":"critical","output":"refused","ageMs":749}],"tips":[{"status":"warn","role":"optional","output":"timeout","ageMs":248}],"warm":[{"status":"pass","role":"startup","ageMs":749}]}}"#;
    let ageless = |text: String| {
        let mut parts = text.split(r#","ageMs":"#);
        let first = parts.next().unwrap().to_owned();
        parts.fold(first, |text, part| {
            text + part.trim_start_matches(|c: char| c.is_ascii_digit())
        })
    };
    let full = ageless(full.to_owned());
    assert_eq!(ageless(answers(Details::Full, Access::Public).await), full);
    assert_eq!(
        ageless(answers(Details::Hidden, Access::Authorized).await),
        full
    );
}

#[tokio::test(start_paused = true)]
async fn notes_tell_what_no_check_does() {
    let (_, builder) = shop();
    let health = builder.details(Details::Names).build().unwrap();
    health.begin_drain();
    let body = |answer: seawall_health::Answer| String::from_utf8(answer.into_body()).unwrap();
    assert_eq!(
        body(probe(&health, Probe::Startup).await),
        r#"{"status":"fail","notes":["starting","draining"],"checks":{"warm":[{"status":"fail"}]}}"#,
    );
    assert_eq!(
        body(probe(&health, Probe::Live).await),
        r#"{"status":"pass"}"#
    );
}

#[tokio::test(start_paused = true)]
async fn no_cache_keeps_an_answer_and_a_failure_says_when_to_ask_again() {
    let dependency = Dependency::default();
    dependency.set(Mode::Down);
    let check = dependency.check("database").every(SECOND * 3 / 2);
    let health = Health::builder().check(check).build().unwrap();
    let headers = |answer: seawall_health::Answer| {
        let headers = answer.headers().iter();
        headers
            .map(|(name, value)| format!("{name}: {value}"))
            .collect::<Vec<_>>()
    };
    let always = ["cache-control: no-store", "x-content-type-options: nosniff"];
    assert_eq!(headers(probe(&health, Probe::Live).await), always);
    assert_eq!(
        headers(probe(&health, Probe::Ready).await),
        [always[0], always[1], "retry-after: 2"],
    );
}

#[tokio::test(start_paused = true)]
async fn only_get_and_head_are_answered() {
    let health = Health::builder().build().unwrap();
    for method in ["POST", "OPTIONS", "get", ""] {
        let answer = health.answer(Probe::Live, method, Access::Public).await;
        assert_eq!(answer.status(), 405);
        assert!(answer.headers().contains(&("allow", "GET,HEAD".to_owned())));
    }
    let head = health.answer(Probe::Live, "HEAD", Access::Public).await;
    assert_eq!((head.status(), head.body()), (200, &b""[..]));
}

#[test]
fn a_probe_outside_a_runtime_is_answered_from_what_is_known() {
    let health = Health::builder()
        .check(Dependency::default().check("database"))
        .build()
        .unwrap();
    assert_eq!(
        futures::executor::block_on(status(&health, Probe::Ready)),
        503
    );
    assert_eq!(
        futures::executor::block_on(status(&health, Probe::Live)),
        200
    );
}

#[test]
fn the_paths_are_the_usual_ones() {
    for probe in Probe::ALL {
        assert_eq!(Probe::of_path(probe.path()), Some(probe));
    }
    assert_eq!(Probe::of_path("/readyz"), Some(Probe::Ready));
    assert_eq!(Probe::of_path("/ready"), None);
}
