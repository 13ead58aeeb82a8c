//! Ids, and how much time there is: budgets, deadlines outside, and a change of them.

use std::time::Duration;

use seawall_tower::{BodyLimitLayer, DeadlineLayer, FusedLayer, RequestIdLayer};
use tower::{Layer, service_fn};

use super::handler::handle;
use super::store::Mood;
use super::{Limits, PROMPT, Setup, agree, boxed, from, get, post, see, statuses, with};
use crate::support::Step;

#[tokio::test(start_paused = true)]
async fn ids_and_budgets_of_strangers_and_of_friends() {
    let fields = [
        ("x-request-id", "checkout-7"),
        ("x-request-timeout-ms", "1500"),
        (
            "traceparent",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        ),
    ];
    let requests = || {
        vec![
            with(from("10.0.0.1", "/told"), &fields),
            with(from("10.0.0.1", "/hang"), &fields),
            with(from("203.0.113.9", "/told"), &fields),
            with(from("203.0.113.9", "/hang"), &fields),
            with(from("10.0.0.2", "/told"), &[("x-request-id", "a b")]),
            with(from("10.0.0.3", "/told"), &[("grpc-timeout", "2S")]),
        ]
    };
    let seen = agree(PROMPT, requests).await;
    assert_eq!(statuses(&seen), [200, 504, 200, 504, 200, 200]);
    assert_eq!(
        seen[0].body.as_deref(),
        Ok("Some(RequestId(checkout-7)) true Some(1.5s)")
    );
    assert_eq!(
        seen[2].body.as_deref(),
        Ok("Some(RequestId({id})) true Some(5s)")
    );
}

/// Who has no time left hears of that, whatever else was decided.
#[tokio::test(start_paused = true)]
async fn no_time_left() {
    for limits in [Limits::None, Limits::Address, Limits::Principal] {
        for mood in [Mood::Prompt, Mood::Late] {
            let requests = || {
                let none = [("x-request-timeout-ms", "0")];
                let ask = |path| with(from("10.0.0.1", path), &none);
                vec![ask("/fine"), ask("/fine"), ask("/fine"), ask("/panic")]
            };
            let seen = agree(Setup { mood, limits }, requests).await;
            assert_eq!(statuses(&seen), [504; 4]);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_deadline_outside_is_heeded() {
    let outer = seawall_timeout::Deadline::after(Duration::from_secs(1));
    let requests = || vec![get("/told"), get("/hang"), get("/fine"), get("/fine")];
    let work = agree(PROMPT, requests);
    let seen = seawall_timeout::scope(outer, work).await;
    // The fused service finds no time left where the layers hung.
    assert_eq!(statuses(&seen), [200, 504, 504, 504]);
}

#[tokio::test(start_paused = true)]
async fn an_adjusted_layer_changes_services_that_exist() {
    let layer = FusedLayer::new(
        DeadlineLayer::new(Duration::from_secs(5)),
        BodyLimitLayer::new(8),
    );
    let kept = layer.clone();
    let service = boxed(
        layer
            .request_ids(RequestIdLayer::new())
            .layer(service_fn(handle)),
    );
    let large = || post("/read", vec![Step::Data(b"ten bytes.")]);
    assert_eq!(see(&service, large()).await.status, 413);
    kept.adjust(Duration::from_secs(1), BodyLimitLayer::new(10));
    assert_eq!(see(&service, large()).await.status, 200);
    let late = see(&service, get("/hang")).await;
    assert!(late.body.unwrap().contains("1.0s"));
}
