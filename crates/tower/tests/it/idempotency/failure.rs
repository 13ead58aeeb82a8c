//! Work that fails, and stores that do.

use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use seawall_errors::{ApiError, Detail, codes};
use seawall_idempotency::{
    Caps, Claim, Completion, Keep, OnOutage, Outcome, Reserve, Reserved, Settled, Store,
    StoreFailure, Token,
};
use seawall_tower::respond;

use super::*;
use crate::support::Log;

/// Answers with these statuses in turn, the last of them for ever.
fn answering(statuses: &'static [u16], count: &Arc<AtomicUsize>) -> Guarded {
    answering_by(Policy::at_most_once(), statuses, count)
}

fn answering_by(policy: Policy, statuses: &'static [u16], count: &Arc<AtomicUsize>) -> Guarded {
    let count = Arc::clone(count);
    let work = service_fn(move |_: Asked| {
        let nth = count.fetch_add(1, SeqCst);
        let status = statuses[nth.min(statuses.len() - 1)];
        async move { Ok(crate::support::answer(status, "text")) }
    });
    guarded(layer(policy), work)
}

#[tokio::test]
async fn which_answers_are_kept() {
    for (status, again, runs) in [
        (200, 200, 1),
        (303, 303, 1),
        (404, 404, 1),
        (422, 422, 1),
        (401, 200, 2),
        (429, 200, 2),
        (500, 409, 1),
        (503, 409, 1),
    ] {
        let count = counter();
        let statuses: &'static [u16] = Vec::leak(vec![status, 200]);
        let service = answering(statuses, &count);
        assert_eq!(ask(&service, post("k", "")).await.status, status);
        let second = ask(&service, post("k", "")).await;
        assert_eq!(
            (second.status.as_u16(), count.load(SeqCst)),
            (again, runs),
            "{status}"
        );
        if again == 409 {
            assert_eq!(second.code(), "outcome_unknown");
        }
    }
}

#[tokio::test]
async fn a_policy_may_take_another_attempt_or_replay_a_failure() {
    let count = counter();
    let service = answering_by(Policy::at_least_once(), &[500, 201], &count);
    assert_eq!(ask(&service, post("k", "")).await.status, 500);
    assert_eq!(ask(&service, post("k", "")).await.status, 201);
    assert!(is_replay(&ask(&service, post("k", "")).await));
    let count = counter();
    let service = answering_by(Policy::replaying_failures(), &[500, 201], &count);
    assert_eq!(ask(&service, post("k", "")).await.status, 500);
    let again = ask(&service, post("k", "")).await;
    assert!(is_replay(&again) && again.status == 500 && again.code() == "internal_error");
    let count = counter();
    let policy = Policy::at_most_once().keep_status(404, Keep::Release);
    let service = answering_by(policy, &[404, 201], &count);
    assert_eq!(ask(&service, post("k", "")).await.status, 404);
    assert_eq!(ask(&service, post("k", "changed")).await.status, 201);
}

#[tokio::test]
async fn an_error_is_answered_anew_with_an_id_and_a_form_of_its_own() {
    let count = counter();
    let runs = Arc::clone(&count);
    let work = service_fn(move |_: Asked| {
        runs.fetch_add(1, SeqCst);
        let error = ApiError::new(codes::CONFLICT)
            .message("The cart is closed")
            .detail(Detail::new("closed", "Closed").field("cart"))
            .header("x-cart", "7")
            .note("cart 7 of alice");
        async { Ok(respond::<Plain>(error).map(|_| Plain::from("rendered below"))) }
    });
    let service = guarded(layer(Policy::at_most_once()), work);
    let first = ask(&service, post("k", "")).await;
    let log = Log::default();
    let logging = log.start();
    let again = ask(&service, post("k", "")).await;
    drop(logging);
    assert_eq!(first.status, 409);
    assert_eq!((again.status, again.code()), (first.status, first.code()));
    assert_eq!(again.header("x-cart"), "7");
    assert!(is_replay(&again) && !is_replay(&first));
    let (mut one, mut other) = (first.json(), again.json());
    assert_eq!(other["request_id"], again.header("x-request-id"));
    assert_ne!(one["request_id"], other["request_id"]);
    for body in [&mut one, &mut other] {
        body.as_object_mut().unwrap().remove("request_id");
    }
    assert_eq!(one, other);
    assert!(!log.text().contains("alice"), "it was told when it arose");
    let mut problem = post("k", "");
    let accept = "application/problem+json".parse().unwrap();
    problem.headers_mut().insert("accept", accept);
    let problem = ask(&service, problem).await;
    assert_eq!(problem.header("content-type"), "application/problem+json");
    assert_eq!(problem.json()["errors"][0]["code"], "closed");
    assert_eq!(count.load(SeqCst), 1);
}

#[tokio::test]
async fn an_error_is_whole_without_an_errors_layer_too() {
    let work = service_fn(|_: Asked| async {
        Ok::<_, Infallible>(respond::<Plain>(ApiError::new(codes::GONE)))
    });
    let service = layer(Policy::at_most_once()).layer(work);
    let first = send(service.clone(), post("k", "")).await;
    let again = send(service.clone(), post("k", "")).await;
    assert_eq!((first.status, first.code()), (again.status, again.code()));
    assert_eq!((first.code().as_str(), is_replay(&again)), ("gone", true));
    let other = send(service, post("k", "x")).await;
    assert_eq!(other.code(), "idempotency_key_reused");
}

#[tokio::test]
async fn what_was_not_executed_may_come_again_changed() {
    let count = counter();
    let runs = Arc::clone(&count);
    let work = service_fn(move |_: Asked| {
        let nth = runs.fetch_add(1, SeqCst);
        let error = ApiError::new(codes::VALIDATION_ERROR).not_executed();
        async move {
            Ok(match nth {
                0 => respond::<Plain>(error).map(|_| Plain::default()),
                _ => crate::support::answer(201, "done"),
            })
        }
    });
    let service = guarded(layer(Policy::at_most_once()), work);
    assert_eq!(ask(&service, post("k", "wrong")).await.status, 422);
    assert_eq!(ask(&service, post("k", "right")).await.status, 201);
}

#[tokio::test]
async fn a_panic_is_settled_and_goes_on_to_the_caller() {
    for (policy, second) in [
        (Policy::at_most_once(), 409),
        (Policy::at_least_once(), 201),
    ] {
        let count = counter();
        let (runs, work) = (Arc::clone(&count), counting(&counter()));
        let work = service_fn(move |request: Asked| {
            assert!(runs.fetch_add(1, SeqCst) > 0, "the first panics");
            work.clone().oneshot(request)
        });
        let service = guarded(layer(policy), work);
        let first = ask(&service, post("k", "")).await;
        assert_eq!(
            (first.status.as_u16(), first.code().as_str()),
            (500, "internal_error")
        );
        assert_eq!(ask(&service, post("k", "")).await.status, second);
    }
}

#[tokio::test]
async fn a_service_that_fails_is_settled_too() {
    let count = counter();
    let runs = Arc::clone(&count);
    let work = service_fn(move |_: Asked| {
        let nth = runs.fetch_add(1, SeqCst);
        async move {
            match nth {
                0 => Err("broken"),
                _ => Ok(crate::support::answer(201, "done")),
            }
        }
    });
    let service = layer(Policy::at_least_once()).layer(work);
    let first = service.clone().oneshot(post("k", "")).await;
    assert_eq!(first.unwrap_err(), "broken");
    let second = service.oneshot(post("k", "")).await.unwrap();
    assert_eq!(second.status(), 201);
    assert_eq!(count.load(SeqCst), 2);
}

#[tokio::test]
async fn a_claim_completed_by_the_work_is_what_is_answered() {
    let store = Arc::new(MemoryStore::new());
    let front = Idempotency::new(Arc::clone(&store), Policy::at_most_once()).unwrap();
    let work = service_fn(move |request: Asked| {
        let claim = request.extensions().get::<Claim>().unwrap().clone();
        let store = Arc::clone(&store);
        async move {
            // As `complete_in` does within a transaction.
            let paid = Outcome::new("paid").status(201);
            let completion = claim.completion(&paid).unwrap();
            assert_eq!(store.complete(&completion).await, Ok(Settled::Done));
            Ok(crate::support::answer(500, "what went wrong afterwards"))
        }
    });
    let service = guarded(IdempotencyLayer::new(front, Scope::single_tenant()), work);
    for is_second in [false, true] {
        let read = ask(&service, post("k", "")).await;
        assert_eq!((read.status.as_u16(), read.body.as_str()), (201, "paid"));
        assert_eq!(is_replay(&read), is_second, "the first was no repetition");
    }
}

/// A store that is away, or says no.
#[derive(Debug)]
struct Away(fn() -> StoreFailure);

#[derive(Debug)]
struct Failed(StoreFailure);

impl std::fmt::Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("connect 10.0.0.7: refused")
    }
}

impl std::error::Error for Failed {}

impl From<Failed> for StoreFailure {
    fn from(failed: Failed) -> Self {
        failed.0
    }
}

impl Store for Away {
    type Error = Failed;

    async fn reserve(&self, _: Reserve) -> Result<Reserved, Failed> {
        Err(Failed((self.0)()))
    }

    async fn complete(&self, _: &Completion) -> Result<Settled, Failed> {
        Err(Failed((self.0)()))
    }

    async fn release(&self, _: Token) -> Result<Settled, Failed> {
        Err(Failed((self.0)()))
    }

    async fn renew(&self, _: Token, _: Duration) -> Result<Settled, Failed> {
        Err(Failed((self.0)()))
    }

    async fn sweep(&self, _: usize) -> Result<usize, Failed> {
        Err(Failed((self.0)()))
    }

    fn caps(&self) -> Caps {
        MemoryStore::new().caps()
    }
}

#[tokio::test]
async fn without_its_store_a_request_fails_or_runs_as_the_policy_says() {
    let unavailable = || StoreFailure::unavailable("connect 10.0.0.7: refused");
    let refused = || StoreFailure::refused("no such table");
    for (failure, outage, status) in [
        (unavailable as fn() -> _, OnOutage::Closed, 503),
        (unavailable, OnOutage::Open, 201),
        (refused, OnOutage::Open, 503),
    ] {
        let count = counter();
        let policy = Policy::at_most_once().on_outage(outage);
        let front = Idempotency::new(Away(failure), policy).unwrap();
        let layer = IdempotencyLayer::new(front, Scope::single_tenant());
        let service = guarded(layer, counting(&count));
        let read = ask(&service, post("k", "17")).await;
        assert_eq!(read.status, status);
        if status == 503 {
            assert_eq!(read.code(), "service_unavailable");
            assert!(!read.body.contains("10.0.0.7") && !read.body.contains("table"));
        }
        assert_eq!(count.load(SeqCst), usize::from(status == 201));
    }
}

#[tokio::test]
async fn a_full_store_refuses_new_keys_and_keeps_the_old() {
    let count = counter();
    let store = MemoryStore::builder().entries(1).build().unwrap();
    let front = Idempotency::new(store, Policy::at_most_once()).unwrap();
    let layer = IdempotencyLayer::new(front, Scope::single_tenant());
    let service = guarded(layer, counting(&count));
    assert_eq!(ask(&service, post("old", "")).await.status, 201);
    assert_eq!(ask(&service, post("new", "")).await.status, 503);
    assert!(is_replay(&ask(&service, post("old", "")).await));
}
