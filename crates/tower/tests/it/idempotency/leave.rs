//! Callers who leave, deadlines that pass, and processes that end.

use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use futures::FutureExt as _;
use seawall_errors::RequestId;
use seawall_idempotency::Policy;
use seawall_tower::idempotency::Rule;
use seawall_tower::{DeadlineLayer, Origin};
use tokio::sync::Notify;
use tokio::time;
use tracing::Instrument as _;

use super::*;
use crate::support::Log;

/// Work that waits to be let on, and then counts.
fn held_back(
    count: &Arc<AtomicUsize>,
    gate: &Arc<Notify>,
) -> impl Service<
    Asked,
    Response = Response<Plain>,
    Error = Infallible,
    Future: Future<Output = Result<Response<Plain>, Infallible>> + Send + 'static,
> + Clone
+ Send
+ Sync
+ 'static {
    let (work, gate) = (counting(count), Arc::clone(gate));
    service_fn(move |request: Asked| {
        let (work, gate) = (work.clone(), Arc::clone(&gate));
        async move {
            gate.notified().await;
            work.oneshot(request).await
        }
    })
}

#[tokio::test]
async fn the_work_of_a_caller_who_left_goes_on_and_its_answer_is_there() {
    let (count, gate) = (counter(), Arc::new(Notify::new()));
    let layer = layer(Policy::at_most_once());
    let tasks = layer.tasks();
    let service = guarded(layer, held_back(&count, &gate));
    {
        let mut left = Box::pin(ask(&service, post("k", "17")));
        assert!((&mut left).now_or_never().is_none());
    }
    assert_eq!(tasks.len(), 1, "the task is there, its caller is not");
    tokio::task::yield_now().await;
    assert_eq!(ask(&service, post("k", "17")).await.status, 409);
    gate.notify_one();
    tasks.ended().await;
    let again = ask(&service, post("k", "17")).await;
    assert_eq!(again.body, "1: 17");
    assert!(is_replay(&again));
    assert_eq!(count.load(SeqCst), 1);
}

#[tokio::test]
async fn who_leaves_while_sending_leaves_nothing_behind() {
    let count = counter();
    let layer = layer(Policy::at_most_once());
    let tasks = layer.tasks();
    let runs = Arc::clone(&count);
    let service = layer.layer(service_fn(
        move |_: Request<BufferedBody<crate::support::Script>>| {
            runs.fetch_add(1, SeqCst);
            async { Ok::<_, Infallible>(crate::support::answer(201, "")) }
        },
    ));
    let request = |steps| {
        let request = Request::post("/").header("idempotency-key", "k");
        request.body(crate::support::Script(steps)).unwrap()
    };
    let half = vec![
        crate::support::Step::Data(b"half"),
        crate::support::Step::Hang,
    ];
    assert!(
        service
            .clone()
            .oneshot(request(half))
            .now_or_never()
            .is_none()
    );
    assert_eq!((tasks.len(), count.load(SeqCst)), (0, 0));
    let read = send(service, request(vec![])).await;
    assert_eq!((read.status.as_u16(), is_replay(&read)), (201, false));
}

#[tokio::test]
async fn inline_work_stops_with_its_caller_and_the_policy_decides() {
    for (policy, second) in [
        (Policy::at_most_once(), 409),
        (Policy::at_least_once(), 201),
    ] {
        let (count, gate) = (counter(), Arc::new(Notify::new()));
        let rule = Rule::new(front(policy)).inline();
        let layer = IdempotencyLayer::new(rule, Scope::single_tenant());
        let tasks = layer.tasks();
        let service = guarded(layer, held_back(&count, &gate));
        {
            let mut left = Box::pin(ask(&service, post("k", "17")));
            assert!((&mut left).now_or_never().is_none());
            assert!(tasks.is_empty());
        }
        gate.notify_one();
        assert_eq!(ask(&service, post("k", "17")).await.status, second);
        assert_eq!(count.load(SeqCst), usize::from(second == 201));
    }
}

#[tokio::test(start_paused = true)]
async fn a_deadline_outside_releases_the_caller_and_not_the_work() {
    let (count, gate) = (counter(), Arc::new(Notify::new()));
    let inner = layer(Policy::at_most_once()).layer(held_back(&count, &gate));
    let service = DeadlineLayer::new(Duration::from_secs(5)).layer(inner);
    let first = send(service.clone(), post("k", "17")).await;
    assert_eq!(
        (first.status.as_u16(), first.code().as_str()),
        (504, "deadline_exceeded")
    );
    gate.notify_one();
    time::sleep(Duration::from_millis(1)).await;
    let again = send(service, post("k", "17")).await;
    assert_eq!((again.body.as_str(), is_replay(&again)), ("1: 17", true));
}

#[tokio::test]
async fn the_task_knows_on_whose_behalf_it_works() {
    let log = Log::default();
    let _logging = log.start();
    let work = service_fn(|_: Asked| async {
        let deadline = seawall_timeout::current().unwrap();
        assert!(deadline.remaining().unwrap() <= Duration::from_secs(7));
        let origin = Origin::current().unwrap();
        tracing::info!("working");
        let id = origin.request_id().unwrap().as_str().to_owned();
        Ok::<_, Infallible>(Response::new(Plain::from(id)))
    });
    let inner = layer(Policy::at_most_once()).layer(work);
    let service = DeadlineLayer::new(Duration::from_secs(7)).layer(inner);
    let id = RequestId::generate();
    let span = tracing::info_span!("request", number = 17);
    let read = Origin::new()
        .with_request_id(id.clone())
        .scope(send(service, post("k", "")))
        .instrument(span)
        .await;
    assert_eq!(read.body, id.as_str());
    assert!(log.text().contains("request{number=17}"), "{}", log.text());
}

#[tokio::test]
async fn no_more_than_so_many_are_worked_on_at_once() {
    let (count, gate) = (counter(), Arc::new(Notify::new()));
    let layer = layer(Policy::at_most_once()).max_in_flight(2);
    let tasks = layer.tasks();
    let service = guarded(layer, held_back(&count, &gate));
    for key in ["a", "b"] {
        // The callers leave, and their work counts all the same.
        assert!(ask(&service, post(key, "")).now_or_never().is_none());
    }
    let refused = ask(&service, post("c", "")).await;
    assert_eq!(
        (refused.status.as_u16(), refused.code().as_str()),
        (503, "overloaded")
    );
    assert_eq!(refused.header("retry-after"), "1");
    assert!(
        ask(&service, post("", "")).now_or_never().is_none(),
        "without a key it passes"
    );
    for _ in 0..2 {
        gate.notify_one();
        tokio::task::yield_now().await;
    }
    gate.notify_waiters();
    tasks.ended().await;
    assert!(tasks.is_empty());
    gate.notify_one();
    assert_eq!(ask(&service, post("c", "")).await.status, 201);
}
