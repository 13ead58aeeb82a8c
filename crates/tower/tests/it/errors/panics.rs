//! What breaks while it answers: services and bodies that panic or fail midway.

use std::convert::Infallible;
use std::future::ready;

use http::{Request, Response};
use http_body_util::BodyExt;
use tower::{ServiceExt, service_fn};

use super::{CANARY, check_shape, layered};
use crate::support::{Log, Plain, Script, Step, answer, get, send};

#[tokio::test]
async fn panics_in_call_and_in_the_future_are_500s() {
    let in_call = service_fn(
        |_: Request<Plain>| -> std::future::Ready<Result<Response<Plain>, Infallible>> {
            panic!("{CANARY}")
        },
    );
    check_shape(
        &send(layered(in_call), get("/")).await,
        500,
        "internal_error",
    );
    let in_poll = service_fn(|_: Request<Plain>| async {
        if true {
            panic!("{CANARY}")
        } else {
            Ok::<_, Infallible>(answer(200, ""))
        }
    });
    let log = Log::default();
    let guard = log.start();
    check_shape(
        &send(layered(in_poll), get("/")).await,
        500,
        "internal_error",
    );
    drop(guard);
    assert_eq!(log.text().matches(CANARY).count(), 1);
}

#[tokio::test]
async fn a_value_that_panics_again_when_dropped_is_survived() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            if !std::thread::panicking() {
                panic!("dropped");
            }
        }
    }
    let inner = service_fn(|_: Request<Plain>| async {
        let _bomb = Bomb;
        if true {
            panic!("first")
        }
        Ok::<_, Infallible>(answer(200, ""))
    });
    check_shape(&send(layered(inner), get("/")).await, 500, "internal_error");
}

/// Polls a body to its end and gives what came before the failure.
async fn read_until_failure(steps: Vec<Step>) -> (String, bool) {
    let mut steps = Some(steps);
    let inner = service_fn(move |_: Request<Plain>| {
        ready(Ok::<_, Infallible>(Response::new(Script(
            steps.take().unwrap(),
        ))))
    });
    let response = layered(inner).oneshot(get("/")).await.unwrap();
    let mut body = Box::pin(response.into_body());
    let mut read = String::new();
    loop {
        match body.frame().await {
            Some(Ok(frame)) => {
                read.push_str(std::str::from_utf8(frame.data_ref().unwrap()).unwrap());
            }
            Some(Err(error)) => {
                assert!(!error.to_string().contains("SELECT"));
                return (read, true);
            }
            None => return (read, false),
        }
    }
}

#[tokio::test]
async fn a_body_that_fails_midway_is_aborted_and_logged_once() {
    let log = Log::default();
    let guard = log.start();
    let (read, failed) =
        read_until_failure(vec![Step::Data(b"half"), Step::Fail(CANARY.into())]).await;
    drop(guard);
    assert_eq!((read.as_str(), failed), ("half", true));
    assert_eq!(log.text().matches(CANARY).count(), 1);
}

#[tokio::test]
async fn a_body_that_panics_midway_is_aborted_and_logged_once() {
    let log = Log::default();
    let guard = log.start();
    let (read, failed) =
        read_until_failure(vec![Step::Data(b"half"), Step::Panic(CANARY.into())]).await;
    drop(guard);
    assert_eq!((read.as_str(), failed), ("half", true));
    assert_eq!(log.text().matches(CANARY).count(), 1);
}
