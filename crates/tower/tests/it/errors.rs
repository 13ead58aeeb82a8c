//! Errors: one shape, one id, nothing internal, one log event.

use std::convert::Infallible;
use std::future::ready;

use http::{Method, Request, Response};
use http_body_util::BodyExt;
use seawall_errors::{ApiError, Detail, codes};
use seawall_tower::{ErrorsLayer, Passthrough, RequestIdLayer, respond};
use tower::{Layer, Service, ServiceExt, service_fn};

use crate::support::{Log, Plain, Read, Script, Step, answer, get, send};

const CANARY: &str = "SELECT pw FROM users_secret at postgres://u:pw@db";

fn layered<S>(inner: S) -> <(RequestIdLayer, ErrorsLayer) as Layer<S>>::Service {
    (RequestIdLayer::new(), ErrorsLayer::new()).layer(inner)
}

/// The answer to a request whose inner service gives this response.
async fn through(request: Request<Plain>, response: Response<Plain>) -> Read {
    let mut response = Some(response);
    let inner =
        service_fn(move |_: Request<Plain>| ready(Ok::<_, Infallible>(response.take().unwrap())));
    send(layered(inner), request).await
}

#[track_caller]
fn check_shape(read: &Read, status: u16, code: &str) {
    assert_eq!(
        (read.status.as_u16(), read.code().as_str()),
        (status, code),
        "{read:?}"
    );
    let body = read.json();
    assert_eq!(body["request_id"], read.header("x-request-id"));
    assert!(body["details"].is_array());
    assert_eq!(read.header("content-type"), "application/json");
    assert_eq!(read.header("cache-control"), "no-store");
    assert_eq!(read.header("x-content-type-options"), "nosniff");
    let all = format!("{:?}{}", read.headers, read.body);
    assert!(
        !all.contains("SELECT") && !all.contains("postgres"),
        "leaked: {all}"
    );
}

#[tokio::test]
async fn a_foreign_5xx_is_masked_and_what_it_said_is_logged_once() {
    let log = Log::default();
    let guard = log.start();
    let read = through(get("/"), answer(500, CANARY)).await;
    drop(guard);
    check_shape(&read, 500, "internal_error");
    let text = log.text();
    assert_eq!(text.matches(CANARY).count(), 1, "{text}");
    assert!(
        text.contains("ERROR") && text.contains(read.header("x-request-id")),
        "{text}"
    );
}

#[tokio::test]
async fn foreign_errors_keep_their_status_and_the_headers_that_matter() {
    let mut response = answer(405, "nope");
    for (name, value) in [
        ("allow", "GET, HEAD"),
        ("etag", "\"x\""),
        ("content-encoding", "gzip"),
        ("content-digest", "sha-256=:x=:"),
    ] {
        response.headers_mut().insert(name, value.parse().unwrap());
    }
    response
        .headers_mut()
        .append("set-cookie", "a=1".parse().unwrap());
    response
        .headers_mut()
        .append("set-cookie", "b=2".parse().unwrap());
    let read = through(get("/"), response).await;
    check_shape(&read, 405, "method_not_allowed");
    assert_eq!(read.header("allow"), "GET, HEAD");
    assert_eq!(read.headers.get_all("set-cookie").iter().count(), 2);
    for gone in ["etag", "content-encoding", "content-digest"] {
        assert!(
            !read.headers.contains_key(gone),
            "{gone} describes a body that is gone"
        );
    }
}

#[tokio::test]
async fn a_lower_layers_retry_after_and_challenge_are_kept() {
    let mut response = answer(401, "who?");
    response
        .headers_mut()
        .insert("www-authenticate", "Bearer realm=\"x\"".parse().unwrap());
    check_shape(&through(get("/"), response).await, 401, "unauthorized");
    let mut response = answer(429, "slow down");
    response
        .headers_mut()
        .insert("retry-after", "17".parse().unwrap());
    let read = through(get("/"), response).await;
    check_shape(&read, 429, "rate_limited");
    assert_eq!(
        read.headers
            .get_all("retry-after")
            .iter()
            .collect::<Vec<_>>(),
        ["17"]
    );
}

#[tokio::test]
async fn every_error_status_is_adopted_as_it_is() {
    for status in 400..=599 {
        let read = through(get("/"), answer(status, CANARY)).await;
        assert_eq!(read.status.as_u16(), status);
        assert!(!read.body.contains("SELECT"), "{status}");
        assert!(!read.code().is_empty());
    }
}

#[tokio::test]
async fn an_attached_error_is_rendered_with_the_id_of_the_request() {
    let error = ApiError::new(codes::VALIDATION_ERROR)
        .detail(Detail::new("required", "This field is required").field("name"))
        .note(CANARY);
    let mut error = Some(error);
    let inner = service_fn(move |_: Request<Plain>| {
        ready(Ok::<_, Infallible>(respond::<Plain>(error.take().unwrap())))
    });
    let read = send(layered(inner), get("/")).await;
    check_shape(&read, 422, "validation_error");
    assert_eq!(read.json()["details"][0]["field"], "name");
}

#[tokio::test]
async fn problem_json_is_given_to_who_asks_over_several_lines_too() {
    let mut request = get("/");
    request
        .headers_mut()
        .append("accept", "text/html".parse().unwrap());
    request
        .headers_mut()
        .append("accept", "application/problem+json;q=0.9".parse().unwrap());
    let read = through(request, answer(404, "")).await;
    assert_eq!(read.header("content-type"), "application/problem+json");
    assert_eq!(read.json()["status"], 404);
    assert!(read.header("vary").eq_ignore_ascii_case("accept"));
}

#[tokio::test]
async fn head_has_the_headers_and_no_body() {
    let mut request = get("/");
    *request.method_mut() = Method::HEAD;
    let read = through(request, answer(404, "x")).await;
    assert_eq!((read.status.as_u16(), read.body.as_str()), (404, ""));
    assert_eq!(read.header("content-type"), "application/json");
}

#[tokio::test]
async fn a_changed_status_drops_the_attached_error() {
    let inner = service_fn(|_: Request<Plain>| {
        let mut response = respond::<Plain>(ApiError::new(codes::CONFLICT));
        *response.status_mut() = http::StatusCode::GONE;
        ready(Ok::<_, Infallible>(response))
    });
    check_shape(&send(layered(inner), get("/")).await, 410, "gone");
}

#[tokio::test]
async fn answers_that_are_no_errors_pass_untouched() {
    let mut response = answer(200, "fine");
    response
        .headers_mut()
        .insert("etag", "\"x\"".parse().unwrap());
    let read = through(get("/"), response).await;
    assert_eq!((read.body.as_str(), read.header("etag")), ("fine", "\"x\""));
    assert_eq!(through(get("/"), answer(304, "")).await.status, 304);
}

#[tokio::test]
async fn grpc_and_what_is_marked_pass_untouched() {
    let mut response = answer(400, "grpc");
    response
        .headers_mut()
        .insert("content-type", "application/grpc+proto".parse().unwrap());
    assert_eq!(through(get("/"), response).await.body, "grpc");
    let mut response = answer(409, "mine");
    response.extensions_mut().insert(Passthrough::new());
    assert_eq!(through(get("/"), response).await.body, "mine");
}

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

#[tokio::test]
async fn a_forged_log_line_stays_one_line() {
    let log = Log::default();
    let guard = log.start();
    through(
        get("/"),
        answer(500, "oops\nERROR forged=\"line\"\u{1b}[31m"),
    )
    .await;
    drop(guard);
    let text = log.text();
    assert_eq!(text.trim_end().lines().count(), 1, "{text}");
    assert!(!text.contains('\u{1b}'));
}

#[tokio::test]
async fn without_the_id_layer_the_answer_has_an_id_of_its_own() {
    let inner = service_fn(|_: Request<Plain>| ready(Ok::<_, Infallible>(answer(404, ""))));
    check_shape(
        &send(ErrorsLayer::new().layer(inner), get("/")).await,
        404,
        "not_found",
    );
}

/// The service is left as it was: errors of its own type pass.
#[tokio::test]
async fn the_services_own_error_type_stays() {
    let inner = service_fn(|_: Request<Plain>| ready(Err::<Response<Plain>, &'static str>("mine")));
    let mut service = layered(inner);
    let error = service
        .ready()
        .await
        .unwrap()
        .call(get("/"))
        .await
        .map(|_| ())
        .unwrap_err();
    assert_eq!(error, "mine");
}

#[tokio::test]
async fn a_foreign_5xx_keeps_the_headers_that_are_for_callers_and_no_other() {
    let foreign = || {
        let mut response = answer(503, "");
        for (name, value) in [
            ("retry-after", "17"),
            ("access-control-allow-origin", "*"),
            ("x-ratelimit-remaining", "4"),
            ("set-cookie", "a=1"),
            ("x-debug", CANARY),
            ("x-maintenance", "until noon"),
        ] {
            response.headers_mut().insert(name, value.parse().unwrap());
        }
        response
    };
    let log = Log::default();
    let guard = log.start();
    let read = through(get("/"), foreign()).await;
    drop(guard);
    check_shape(&read, 503, "service_unavailable");
    assert_eq!(read.header("retry-after"), "17");
    assert_eq!(read.header("access-control-allow-origin"), "*");
    assert_eq!(read.header("x-ratelimit-remaining"), "4");
    assert_eq!(read.header("set-cookie"), "a=1");
    assert!(!read.headers.contains_key("x-debug") && !read.headers.contains_key("x-maintenance"));
    assert_eq!(log.text().matches(CANARY).count(), 1, "{}", log.text());

    let kept = ErrorsLayer::new().keep_headers([http::HeaderName::from_static("x-maintenance")]);
    let inner = service_fn(move |_: Request<Plain>| ready(Ok::<_, Infallible>(foreign())));
    let read = send(kept.layer(inner), get("/")).await;
    assert_eq!(read.header("x-maintenance"), "until noon");
    assert!(!read.headers.contains_key("x-debug"));
}

#[tokio::test]
async fn the_text_of_a_foreign_4xx_is_kept_only_where_told() {
    let say = |status, content_type: &'static str, body: &'static str| {
        service_fn(move |_: Request<Plain>| {
            let mut response = answer(status, body);
            let content_type = content_type.parse().unwrap();
            response.headers_mut().insert("content-type", content_type);
            ready(Ok::<_, Infallible>(response))
        })
    };
    let kept = ErrorsLayer::new().keep_client_error_text();
    let text = "text/plain; charset=utf-8";
    let message = |read: Read| read.json()["message"].as_str().unwrap().to_owned();

    let read = send(kept.layer(say(409, text, " Seat\u{7} taken\n")), get("/")).await;
    assert_eq!(message(read), "Seat taken");
    let read = send(
        ErrorsLayer::new().layer(say(409, text, "Seat taken")),
        get("/"),
    )
    .await;
    assert_eq!(message(read), "Conflict");
    for (content_type, body) in [("text/html", "<b>no</b>"), (text, "  ")] {
        let read = send(kept.layer(say(409, content_type, body)), get("/")).await;
        assert_eq!(message(read), "Conflict", "{content_type}");
    }
    let read = send(kept.layer(say(500, text, CANARY)), get("/")).await;
    check_masked(&read);
}

#[track_caller]
fn check_masked(read: &Read) {
    assert_eq!(read.code(), "internal_error");
    assert!(!read.body.contains("SELECT"), "{read:?}");
}

#[tokio::test]
async fn a_foreign_body_that_panics_when_it_is_read_is_adopted_all_the_same() {
    let inner = service_fn(|_: Request<Plain>| {
        let body = Script(vec![Step::Panic(CANARY.into())]);
        let response = Response::builder().status(502).body(body).unwrap();
        ready(Ok::<_, Infallible>(response))
    });
    let log = Log::default();
    let guard = log.start();
    let read = send(layered(inner), get("/")).await;
    drop(guard);
    check_shape(&read, 502, "bad_gateway");
    assert_eq!(log.text().matches(CANARY).count(), 1);
}

mod observed {
    //! What an observer of the errors layer is told.

    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use seawall_errors::{Answer, Ending, Observer};
    use seawall_tower::DeadlineLayer;
    use seawall_web::request::Route;

    use super::*;

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
    ) -> impl Service<Request<Plain>, Response = Response<Plain>, Error = Infallible, Future: Send>
    {
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
}
