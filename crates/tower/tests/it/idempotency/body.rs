//! Bodies on both sides: too long, broken off, without end.

use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use http::HeaderMap;
use http_body_util::StreamBody;
use seawall_idempotency::Policy;

use super::*;
use crate::support::{Script, Step};

#[tokio::test]
async fn a_request_that_is_too_long_is_refused_and_reserves_nothing() {
    let work = service_fn(|request: Request<BufferedBody<Script>>| async {
        let sent = request.into_body().collect().await.unwrap().to_bytes();
        Ok::<_, Infallible>(Response::new(Plain::from(sent)))
    });
    let service = layer(Policy::at_most_once()).max_body(8).layer(work);
    let request = |steps: Vec<Step>, length: &str| {
        let request = Request::post("/").header("idempotency-key", "k");
        let request = match length {
            "" => request,
            length => request.header("content-length", length),
        };
        request.body(Script(steps)).unwrap()
    };
    let announced = request(vec![Step::Panic("it is not read".into())], "9");
    assert_eq!(send(service.clone(), announced).await.status, 413);
    let arrives = request(vec![Step::Data(b"12345678"), Step::Data(b"9")], "");
    let refused = send(service.clone(), arrives).await;
    assert_eq!(
        (refused.status.as_u16(), refused.code().as_str()),
        (413, "payload_too_large")
    );
    let broken = request(vec![Step::Data(b"1234"), Step::Fail("reset".into())], "");
    let refused = send(service.clone(), broken).await;
    assert_eq!(
        (refused.status.as_u16(), refused.code().as_str()),
        (400, "malformed_request")
    );
    let whole = request(vec![Step::Data(b"1234"), Step::Data(b"5678")], "8");
    let read = send(service, whole).await;
    assert_eq!(
        (read.status.as_u16(), read.body.as_str()),
        (200, "12345678")
    );
    assert!(!is_replay(&read), "nothing before it took the key");
}

/// Answers with a body that is made anew for each execution.
fn streaming(
    policy: Policy,
    content_type: &'static str,
    steps: fn() -> Vec<Step>,
) -> (
    Arc<AtomicUsize>,
    impl Service<
        Request<Plain>,
        Response = Response<seawall_tower::idempotency::AnswerBody<Script>>,
        Error = Infallible,
        Future: Send,
    > + Clone,
) {
    let count = counter();
    let runs = Arc::clone(&count);
    let work = service_fn(move |_: Asked| {
        runs.fetch_add(1, SeqCst);
        let answer = Response::builder()
            .status(201)
            .header("content-type", content_type)
            .header("x-report", "7");
        async move { Ok::<_, Infallible>(answer.body(Script(steps())).unwrap()) }
    });
    (count, layer(policy).layer(work))
}

#[tokio::test]
async fn what_is_too_long_to_keep_is_passed_on_and_not_done_again() {
    let policy = Policy::at_most_once().largest(256);
    let (count, service) = streaming(policy, "text/plain", || {
        (0..5).map(|_| Step::Text("x".repeat(100))).collect()
    });
    let first = send(service.clone(), post("k", "")).await;
    assert_eq!(first.body.len(), 500);
    let again = send(service, post("k", "")).await;
    assert_eq!((again.status.as_u16(), again.body.as_str()), (201, ""));
    assert_eq!(again.header("x-report"), "7");
    assert_eq!(again.header("idempotent-replayed-body"), "omitted");
    assert!(
        !again.headers.contains_key("content-type"),
        "there is no content"
    );
    assert_eq!(count.load(SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn what_does_not_end_is_passed_on_as_it_comes() {
    for (content_type, within) in [
        ("text/event-stream; charset=utf-8", Duration::ZERO),
        ("text/plain", Duration::from_secs(5)),
    ] {
        let began = tokio::time::Instant::now();
        let (count, service) = streaming(Policy::at_most_once(), content_type, || {
            vec![Step::Data(b"first"), Step::Hang]
        });
        let first = service.clone().oneshot(post("k", "")).await.unwrap();
        assert_eq!(began.elapsed(), within);
        let frame = first.into_body().frame().await.unwrap().unwrap();
        assert_eq!(frame.into_data().unwrap(), "first");
        let again = send(service, post("k", "")).await;
        assert_eq!(again.header("idempotent-replayed-body"), "omitted");
        assert_eq!(count.load(SeqCst), 1);
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_has_an_unknown_outcome() {
    let (count, service) = streaming(Policy::at_most_once(), "text/plain", || {
        vec![Step::Data(b"half"), Step::Fail("reset".into())]
    });
    let first = service.clone().oneshot(post("k", "")).await.unwrap();
    let mut body = first.into_body();
    assert_eq!(
        body.frame().await.unwrap().unwrap().into_data().unwrap(),
        "half"
    );
    assert_eq!(body.frame().await.unwrap().unwrap_err(), "reset");
    assert!(body.frame().await.is_none());
    let again = send(service, post("k", "")).await;
    assert_eq!(again.code(), "outcome_unknown");
    assert_eq!(count.load(SeqCst), 1);
}

#[tokio::test]
async fn trailers_go_with_the_first_answer() {
    let work = service_fn(|_: Asked| async {
        let mut trailers = HeaderMap::new();
        trailers.insert("x-sum", "7".parse().unwrap());
        let frames = [
            Ok::<_, Infallible>(http_body::Frame::data(Bytes::from_static(b"all"))),
            Ok(http_body::Frame::trailers(trailers)),
        ];
        let body = StreamBody::new(futures::stream::iter(frames));
        Ok::<_, Infallible>(Response::new(body))
    });
    let service = layer(Policy::at_most_once()).layer(work);
    let first = service.clone().oneshot(post("k", "")).await.unwrap();
    let first = first.into_body().collect().await.unwrap();
    assert_eq!(first.trailers().unwrap()["x-sum"], "7");
    assert_eq!(first.to_bytes(), "all");
    let again = service.oneshot(post("k", "")).await.unwrap();
    let again = again.into_body().collect().await.unwrap();
    assert!(again.trailers().is_none());
    assert_eq!(again.to_bytes(), "all");
}
