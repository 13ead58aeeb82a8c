//! What a duplicate is answered.

use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use seawall_idempotency::{BodyForm, InFlight, Policy, Presence};
use seawall_tower::idempotency::Rule;
use seawall_web::request::Scope;
use tokio::time;

use super::*;

#[tokio::test]
async fn a_duplicate_has_the_same_bytes_and_a_mark() {
    let count = counter();
    let service = guarded(layer(Policy::at_most_once()), counting(&count));
    let first = ask(&service, post("k", "17")).await;
    let again = ask(&service, post("\"k\"", "17")).await;
    assert_eq!((first.status.as_u16(), first.body.as_str()), (201, "1: 17"));
    assert_eq!((again.status, &again.body), (first.status, &first.body));
    assert_eq!(again.header("location"), "/payments/1");
    assert!(!is_replay(&first) && is_replay(&again));
    assert_ne!(first.header("x-request-id"), again.header("x-request-id"));
    assert_eq!(count.load(SeqCst), 1);
    assert_eq!(ask(&service, post("another", "17")).await.body, "2: 17");
}

#[tokio::test]
async fn headers_come_back_byte_by_byte_but_those_of_one_answer() {
    let work = service_fn(|_: Asked| async {
        let value = |bytes: &[u8]| http::HeaderValue::from_bytes(bytes).unwrap();
        let answer = Response::builder()
            .header("x-tag", "b")
            .header("x-tag", "a, b")
            .header("x-odd", value(b"caf\xe9"))
            .header("set-cookie", "session=1")
            .header("date", "Tue, 24 Nov 2026 12:00:00 GMT")
            .header("connection", "x-hop")
            .header("x-hop", "1")
            .header("idempotent-replayed", "true");
        Ok::<_, Infallible>(answer.body(Plain::from("{}")).unwrap())
    });
    let service = guarded(layer(Policy::at_most_once()), work);
    let first = ask(&service, post("k", "")).await;
    let again = ask(&service, post("k", "")).await;
    assert!(!is_replay(&first), "the mark is ours to make");
    assert!(is_replay(&again));
    let tags: Vec<_> = again.headers.get_all("x-tag").iter().collect();
    assert_eq!(tags, ["b", "a, b"]);
    assert_eq!(again.headers["x-odd"].as_bytes(), b"caf\xe9");
    for (name, first_has_it) in [("set-cookie", true), ("date", true), ("x-hop", true)] {
        assert_eq!(first.headers.contains_key(name), first_has_it, "{name}");
        assert!(!again.headers.contains_key(name), "{name}");
    }
}

#[tokio::test]
async fn another_payload_is_refused_and_the_first_still_replays() {
    let count = counter();
    let service = guarded(layer(Policy::at_most_once()), counting(&count));
    let first = ask(&service, post("k", "17")).await;
    for other in [
        post("k", "18"),
        post("k", ""),
        at("POST", "/payments?dry", "k", "17"),
    ] {
        let refused = ask(&service, other).await;
        assert_eq!(refused.status, 422);
        assert_eq!(refused.code(), "idempotency_key_reused");
    }
    let mut typed = post("k", "17");
    typed
        .headers_mut()
        .insert("content-type", "text/plain".parse().unwrap());
    assert_eq!(ask(&service, typed).await.status, 422);
    assert_eq!(ask(&service, post("k", "17")).await.body, first.body);
    assert_eq!(count.load(SeqCst), 1);
}

#[tokio::test]
async fn a_form_says_which_bodies_are_the_same() {
    let count = counter();
    let rule = Rule::new(front(Policy::at_most_once())).body_form(BodyForm::json());
    let layer = IdempotencyLayer::new(rule, Scope::single_tenant());
    let service = guarded(layer, counting(&count));
    let first = ask(&service, post("k", r#"{"a":1,"b":2}"#)).await;
    let again = ask(&service, post("k", r#"{ "b": 2, "a": 1.0 }"#)).await;
    assert_eq!(first.body, again.body);
    assert_eq!(ask(&service, post("k", r#"{"a":1}"#)).await.status, 422);
}

#[tokio::test]
async fn keys_that_are_none_are_refused_before_anything_is_done() {
    let count = counter();
    let service = guarded(layer(Policy::at_most_once()), counting(&count));
    for key in ["\"open", "a,b", "\"\"", "sp ace"] {
        let refused = ask(&service, post(key, "")).await;
        assert_eq!(
            (refused.status.as_u16(), refused.code().as_str()),
            (400, "idempotency_key_invalid")
        );
    }
    let mut twice = post("k", "");
    twice
        .headers_mut()
        .append("idempotency-key", "k".parse().unwrap());
    assert_eq!(ask(&service, twice).await.code(), "idempotency_key_invalid");
    let mut empty = post("k", "");
    empty
        .headers_mut()
        .insert("idempotency-key", http::HeaderValue::from_static(""));
    assert_eq!(ask(&service, empty).await.code(), "idempotency_key_invalid");
    let (longest, longer) = ("k".repeat(255), "k".repeat(256));
    assert_eq!(
        ask(&service, post(&longer, "")).await.code(),
        "idempotency_key_invalid"
    );
    assert_eq!(count.load(SeqCst), 0);
    assert_eq!(ask(&service, post(&longest, "")).await.status, 201);
}

#[tokio::test]
async fn a_key_whose_time_is_over_is_a_new_one() {
    let (count, clock) = (counter(), Arc::new(seawall_idempotency::ManualClock::new()));
    let store = MemoryStore::builder()
        .clock(Arc::clone(&clock))
        .build()
        .unwrap();
    let policy = Policy::at_most_once().retention(Duration::from_secs(24 * 60 * 60));
    let front = Idempotency::new(store, policy).unwrap();
    let layer = IdempotencyLayer::new(front, Scope::single_tenant());
    let service = guarded(layer, counting(&count));
    for (hours, body) in [(0, "1: 17"), (23, "1: 17"), (24, "2: 17"), (47, "2: 17")] {
        clock.set(Duration::from_secs(hours * 60 * 60));
        assert_eq!(ask(&service, post("k", "17")).await.body, body, "{hours} h");
    }
}

#[tokio::test]
async fn a_key_is_needed_where_the_rule_says_so() {
    let count = counter();
    let all = front(Policy::at_most_once());
    let strict = all
        .with_policy(Policy::at_most_once().presence(Presence::Required))
        .unwrap();
    let layer =
        IdempotencyLayer::new(all, Scope::single_tenant()).route("POST", "/payments", strict);
    let service = guarded(layer, counting(&count));
    let refused = ask(&service, post("", "")).await;
    assert_eq!(refused.status, 400);
    assert_eq!(refused.code(), "idempotency_key_missing");
    assert_eq!(refused.json()["details"][0]["field"], "idempotency-key");
    for elsewhere in [at("POST", "/other", "", ""), at("PUT", "/payments", "", "")] {
        assert_eq!(ask(&service, elsewhere).await.status, 201);
    }
}

#[tokio::test]
async fn safe_methods_pass_with_or_without_a_key() {
    let count = counter();
    let service = guarded(layer(Policy::at_most_once()), counting(&count));
    for n in 1..=2 {
        for key in ["k", "", "\"broken"] {
            let passed = ask(&service, at("GET", "/payments", key, "")).await;
            assert!(!is_replay(&passed) && passed.status == 201, "{n} {key}");
        }
    }
    assert_eq!(count.load(SeqCst), 6);
}

#[tokio::test(start_paused = true)]
async fn a_duplicate_in_flight_is_refused_or_waits() {
    for (policy, waits) in [
        (Policy::at_most_once().lease(Duration::from_secs(20)), false),
        (
            Policy::at_most_once().in_flight(InFlight::Wait {
                most: Duration::from_secs(9),
            }),
            true,
        ),
    ] {
        let count = counter();
        let work = counting(&count);
        let slow = service_fn(move |request: Asked| {
            let work = work.clone();
            async move {
                time::sleep(Duration::from_secs(5)).await;
                work.oneshot(request).await
            }
        });
        let service = guarded(layer(policy), slow);
        let first = tokio::spawn({
            let service = service.clone();
            async move { ask(&service, post("k", "17")).await }
        });
        time::sleep(Duration::from_secs(1)).await;
        let second = ask(&service, post("k", "17")).await;
        let other = ask(&service, post("k", "18")).await;
        let first = first.await.unwrap();
        assert_eq!(first.status, 201);
        assert_eq!(other.status, 422, "a mismatch is told at once");
        if waits {
            assert_eq!(second.body, first.body);
            assert!(is_replay(&second));
        } else {
            assert_eq!(second.status, 409);
            assert_eq!(second.code(), "idempotency_in_progress");
            assert_eq!(second.header("retry-after"), "19");
        }
        assert_eq!(count.load(SeqCst), 1);
    }
}

#[tokio::test]
async fn of_many_at_once_one_is_carried_out() {
    let count = counter();
    let policy = Policy::at_most_once().in_flight(InFlight::Wait {
        most: Duration::from_secs(20),
    });
    let service = guarded(layer(policy), counting(&count));
    let all: Vec<_> = (0..64)
        .map(|_| {
            let service = service.clone();
            tokio::spawn(async move { ask(&service, post("k", "17")).await })
        })
        .collect();
    let mut fresh = 0;
    for one in all {
        let read = one.await.unwrap();
        assert_eq!((read.status.as_u16(), read.body.as_str()), (201, "1: 17"));
        fresh += usize::from(!is_replay(&read));
    }
    assert_eq!((fresh, count.load(SeqCst)), (1, 1));
}
