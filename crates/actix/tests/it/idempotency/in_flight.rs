//! Copies that come while the first is being worked on, and callers who leave meanwhile.

use std::time::Duration;

use actix_web::dev::Service;
use actix_web::test::init_service;
use seawall_actix::IdempotencyLayer;
use seawall_actix::idempotency::Rule;
use seawall_idempotency::Policy;
use seawall_web::request::Scope;

use super::{Works, app, front, is_replay, keyed, once, wait};
use crate::served::{Served, status};
use crate::support::send;

#[actix_web::test]
async fn of_many_at_once_one_is_carried_out() {
    let (works, gate) = Works::held_back();
    let app = init_service(app(&once(wait()), &works)).await;
    let all = (0..32).map(|_| app.call(keyed("k", "17").to_request()));
    let all: Vec<_> = all.map(actix_web::rt::spawn).collect();
    tokio::task::yield_now().await;
    gate.notify_one();
    let mut fresh = 0;
    for one in all {
        let response = one.await.unwrap().unwrap();
        fresh += usize::from(!response.headers().contains_key("idempotent-replayed"));
        assert_eq!(actix_web::test::read_body(response).await, "1: 17");
    }
    assert_eq!((fresh, works.done()), (1, 1));
}

#[actix_web::test]
async fn a_duplicate_in_flight_is_refused() {
    let (works, gate) = Works::held_back();
    let layer = once(Policy::at_most_once().lease(Duration::from_secs(20)));
    let app = init_service(app(&layer, &works)).await;
    let first = actix_web::rt::spawn(app.call(keyed("k", "17").to_request()));
    while layer.tasks().is_empty() {
        tokio::task::yield_now().await;
    }
    let second = send(&app, keyed("k", "17")).await;
    assert_eq!(
        (second.status.as_u16(), second.code().as_str()),
        (409, "idempotency_in_progress")
    );
    assert_eq!(second.header("retry-after"), "20");
    gate.notify_one();
    assert_eq!(first.await.unwrap().unwrap().status(), 201);
    assert_eq!(works.done(), 1);
}

#[actix_web::test]
async fn the_work_of_a_caller_who_left_goes_on_and_its_answer_is_there() {
    let (works, gate) = Works::held_back();
    let layer = once(Policy::at_most_once());
    let tasks = layer.tasks();
    let app = init_service(app(&layer, &works)).await;
    let left = actix_web::rt::spawn(app.call(keyed("k", "17").to_request()));
    while tasks.is_empty() {
        tokio::task::yield_now().await;
    }
    left.abort();
    assert!(left.await.err().unwrap().is_cancelled());
    assert_eq!(tasks.len(), 1, "the task is there, its caller is not");
    gate.notify_one();
    tasks.ended().await;
    let again = send(&app, keyed("k", "17")).await;
    assert_eq!((again.body.as_str(), is_replay(&again)), ("1: 17", true));
    assert_eq!(works.done(), 1);
}

#[actix_web::test]
async fn inline_work_stops_with_its_caller_and_the_policy_decides() {
    for (policy, second) in [
        (Policy::at_most_once(), 409),
        (Policy::at_least_once(), 201),
    ] {
        let (works, gate) = Works::held_back();
        let rule = Rule::new(front(policy)).inline();
        let layer = IdempotencyLayer::new(rule, Scope::single_tenant());
        let app = init_service(app(&layer, &works)).await;
        let left = actix_web::rt::spawn(app.call(keyed("k", "17").to_request()));
        for _ in 0..8 {
            tokio::task::yield_now().await;
        }
        assert!(layer.tasks().is_empty());
        left.abort();
        assert!(left.await.err().unwrap().is_cancelled());
        gate.notify_one();
        assert_eq!(send(&app, keyed("k", "17")).await.status, second);
        assert_eq!(works.done(), usize::from(second == 201));
    }
}

/// Over a socket: the client hangs up while the work goes on, and comes again on another connection.

#[actix_web::test]
async fn a_client_that_hangs_up_finds_the_answer_when_it_comes_again() {
    let (works, gate) = Works::held_back();
    let layer = once(Policy::at_most_once());
    let tasks = layer.tasks();
    let served = Served::start(2, {
        let works = works.clone();
        move || app(&layer, &works)
    });
    let request = "POST /payments HTTP/1.1\r\nhost: x\r\nidempotency-key: k\r\n\
                   content-type: text/plain\r\ncontent-length: 2\r\n\r\n17";
    let mut first = served.connect().await;
    first.send(request).await;
    while tasks.is_empty() {
        tokio::task::yield_now().await;
    }
    drop(first);
    let mut second = served.connect().await;
    second.send(request).await;
    assert_eq!(status(&second.answer().await.unwrap()), 409);
    gate.notify_one();
    tasks.ended().await;
    second.send(request).await;
    let again = second.answer().await.unwrap();
    assert_eq!(status(&again), 201);
    assert!(again.contains("idempotent-replayed: true") && again.ends_with("\r\n\r\n1: 17"));
    assert_eq!(works.done(), 1);
    served.stop().await;
}

/// Over sockets, into several workers: one of them does the work.

#[actix_web::test]
async fn duplicates_in_several_workers_are_carried_out_once() {
    let works = Works::new();
    let layer = once(wait());
    let served = Served::start(4, {
        let works = works.clone();
        move || app(&layer, &works)
    });
    let mut wires = Vec::new();
    for _ in 0..16 {
        wires.push(served.connect().await);
    }
    let request = "POST /payments HTTP/1.1\r\nhost: x\r\nidempotency-key: k\r\n\
                   content-length: 2\r\n\r\n17";
    for wire in &mut wires {
        wire.send(request).await;
    }
    let mut fresh = 0;
    for wire in &mut wires {
        let answer = wire.answer().await.unwrap();
        assert!(
            status(&answer) == 201 && answer.ends_with("1: 17"),
            "{answer}"
        );
        fresh += usize::from(!answer.contains("idempotent-replayed"));
    }
    assert_eq!((fresh, works.done()), (1, 1));
    served.stop().await;
}

#[actix_web::test]
async fn no_more_than_so_many_are_worked_on_at_once() {
    let (works, gate) = Works::held_back();
    let layer = once(Policy::at_most_once()).max_in_flight(1);
    let app = init_service(app(&layer, &works)).await;
    let first = actix_web::rt::spawn(app.call(keyed("a", "").to_request()));
    while layer.tasks().is_empty() {
        tokio::task::yield_now().await;
    }
    let refused = send(&app, keyed("b", "")).await;
    assert_eq!(
        (refused.status.as_u16(), refused.code().as_str()),
        (503, "overloaded")
    );
    gate.notify_one();
    assert_eq!(first.await.unwrap().unwrap().status(), 201);
    layer.tasks().ended().await;
    gate.notify_one();
    assert_eq!(send(&app, keyed("b", "")).await.status, 201);
}
