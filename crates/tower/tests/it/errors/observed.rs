//! What an observer of the errors layer is told.

use std::convert::Infallible;
use std::future::ready;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{Request, Response};
use http_body_util::BodyExt;
use seawall_errors::{Answer, ApiError, Detail, Ending, Observer, codes};
use seawall_tower::{DeadlineLayer, ErrorsLayer};
use seawall_web::request::Route;
use tower::{Layer, Service, ServiceExt, service_fn};

use crate::support::{Plain, Read, Script, Step, answer, get, send};

#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<String>>>);

impl Told {
    fn push(&self, text: String) {
        self.0.lock().unwrap().push(text);
    }

    #[track_caller]
    fn check(&self, expected: &[&str]) {
        assert_eq!(*self.0.lock().unwrap(), expected);
    }

    fn layer<S>(&self, inner: S) -> <ErrorsLayer as Layer<S>>::Service {
        ErrorsLayer::new().observer(self.clone()).layer(inner)
    }
}

impl Observer for Told {
    fn arrived(&self) {
        self.push("arrived".to_owned());
    }

    fn answered(&self, answer: &Answer<'_>) {
        let Answer {
            method,
            route,
            status,
            code,
            took,
            ..
        } = *answer;
        let details = answer.error.map_or(0, |error| error.public_details().len());
        self.push(format!(
            "{method} {route:?} {status} {code:?} {details} {took:?}"
        ));
    }

    fn ended(&self, ending: Ending) {
        self.push(ending.as_str().to_owned());
    }
}

fn gives(
    response: Response<Plain>,
) -> impl Service<Request<Plain>, Response = Response<Plain>, Error = Infallible, Future: Send> {
    let mut response = Some(response);
    service_fn(move |_: Request<Plain>| ready(Ok::<_, Infallible>(response.take().unwrap())))
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_told_with_its_route_and_the_request_ends_with_its_body() {
    let told = Told::default();
    let mut request = get("/things/7");
    request.extensions_mut().insert(Route::new("/things/{id}"));
    let response = told
        .layer(gives(answer(200, "ok")))
        .oneshot(request)
        .await
        .unwrap();
    let head = r#"GET Some("/things/{id}") 200 None 0 0ns"#;
    told.check(&["arrived", head]);
    drop(response);
    told.check(&["arrived", head, "answered"]);
}

#[tokio::test(start_paused = true)]
async fn an_error_is_told_with_its_code_and_details() {
    let told = Told::default();
    let error = ApiError::new(codes::VALIDATION_ERROR)
        .detail(Detail::new("required", "This field is required"));
    let inner = service_fn(move |_: Request<Plain>| {
        let response = Response::new(Plain::default());
        let (mut parts, body) = response.into_parts();
        parts.status = http::StatusCode::UNPROCESSABLE_ENTITY;
        parts.extensions.insert(seawall_tower::Attached::new(
            ApiError::new(codes::VALIDATION_ERROR).details(error.public_details().to_vec()),
        ));
        ready(Ok::<_, Infallible>(Response::from_parts(parts, body)))
    });
    send(told.layer(inner), get("/")).await;
    told.check(&[
        "arrived",
        r#"GET None 422 Some("validation_error") 1 0ns"#,
        "answered",
    ]);
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_an_answer_too() {
    let told = Told::default();
    let inner = service_fn(|_: Request<Plain>| async {
        tokio::time::sleep(Duration::from_secs(3)).await;
        assert!(std::hint::black_box(false), "boom");
        Ok::<_, Infallible>(answer(200, ""))
    });
    send(told.layer(inner), get("/")).await;
    told.check(&[
        "arrived",
        r#"GET None 500 Some("internal_error") 0 3s"#,
        "answered",
    ]);
}

#[tokio::test(start_paused = true)]
async fn what_elapsed_is_found_behind_the_answer() {
    #[derive(Clone, Default)]
    struct Causes(Arc<Mutex<Vec<seawall_timeout::Cause>>>);
    impl Observer for Causes {
        fn answered(&self, answer: &Answer<'_>) {
            let elapsed = answer
                .error
                .unwrap()
                .private()
                .find::<seawall_timeout::Elapsed>();
            self.0.lock().unwrap().push(elapsed.unwrap().cause());
        }
    }
    let causes = Causes::default();
    let layers = (
        ErrorsLayer::new().observer(causes.clone()),
        DeadlineLayer::new(Duration::from_secs(5)),
    );
    let inner = service_fn(|_: Request<Plain>| {
        std::future::pending::<Result<Response<Plain>, Infallible>>()
    });
    let read = send(layers.layer(inner), get("/")).await;
    check_shape_of_504(&read);
    assert_eq!(*causes.0.lock().unwrap(), [seawall_timeout::Cause::Total]);
}

#[track_caller]
fn check_shape_of_504(read: &Read) {
    assert_eq!(
        (read.status.as_u16(), read.code().as_str()),
        (504, "deadline_exceeded")
    );
}

#[tokio::test(start_paused = true)]
async fn a_request_whose_caller_left_ends_without_an_answer() {
    let told = Told::default();
    let inner = service_fn(|_: Request<Plain>| {
        std::future::pending::<Result<Response<Plain>, Infallible>>()
    });
    let call = told.layer(inner).oneshot(get("/"));
    assert!(
        tokio::time::timeout(Duration::from_secs(1), call)
            .await
            .is_err()
    );
    told.check(&["arrived", "unanswered"]);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_fails_midway_ends_as_aborted() {
    let told = Told::default();
    let inner = service_fn(|_: Request<Plain>| {
        let body = Script(vec![Step::Data(b"half"), Step::Fail("gone".to_owned())]);
        ready(Ok::<_, Infallible>(Response::new(body)))
    });
    let response = told.layer(inner).oneshot(get("/")).await.unwrap();
    assert!(response.into_body().collect().await.is_err());
    told.check(&["arrived", "GET None 200 None 0 0ns", "aborted"]);
}
