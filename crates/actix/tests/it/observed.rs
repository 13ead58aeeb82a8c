//! What an observer is told of requests.

use std::future::ready;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_web::body::to_bytes;
use actix_web::dev::{Service as _, ServiceResponse};
use actix_web::http::Method;
use actix_web::{App, HttpMessage as _, HttpResponse, error, test, web};
use seawall_actix::{ErrorsLayer, Seawall};
use seawall_errors::{Answer, ApiError, Ending, Observer, codes};
use seawall_ratelimit::MemoryStore;
use seawall_web::request::Route;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn tell(&self, what: String) {
        self.0.lock().unwrap().push(what);
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl Observer for Log {
    fn arrived(&self) {
        self.tell("arrived".to_owned());
    }

    fn answered(&self, answer: &Answer<'_>) {
        let (route, code) = (answer.route.unwrap_or("-"), answer.code.unwrap_or("-"));
        self.tell(format!(
            "{} {route} {} {code}",
            answer.method, answer.status
        ));
    }

    fn ended(&self, ending: Ending) {
        self.tell(ending.as_str().to_owned());
    }
}

async fn fails() -> seawall_actix::Result<&'static str> {
    Err(ApiError::new(codes::CONFLICT).into())
}

async fn panics() -> HttpResponse {
    panic!("on purpose")
}

#[actix_web::test]
async fn an_observer_hears_of_the_arrival_the_answer_and_its_end() {
    let log = Log::default();
    let app = App::new()
        .route("/things/{id}", web::get().to(|| async { "thing" }))
        .route("/fails", web::get().to(fails))
        .route("/panics", web::get().to(panics))
        .wrap(ErrorsLayer::new().observer(log.clone()));
    let app = test::init_service(app).await;
    for (method, uri, told) in [
        (Method::GET, "/things/7", "GET /things/{id} 200 -"),
        (Method::GET, "/fails", "GET /fails 409 conflict"),
        (Method::GET, "/panics", "GET /panics 500 internal_error"),
        (Method::GET, "/nowhere", "GET - 404 not_found"),
        (Method::HEAD, "/nowhere", "HEAD - 404 not_found"),
    ] {
        let request = test::TestRequest::with_uri(uri).method(method).to_request();
        let (told, what) = (told.to_owned(), "arrived".to_owned());
        let answer = match test::try_call_service(&app, request).await {
            Ok(answer) => answer.map_into_boxed_body(),
            // What is made of a failure is its answer: the request has ended.
            Err(_) => {
                assert_eq!(log.take(), [what, told, "answered".to_owned()]);
                continue;
            }
        };
        assert_eq!(log.take(), [what, told], "{uri}: its body is still to come");
        let _ = to_bytes(answer.into_body()).await;
        assert_eq!(log.take(), ["answered"], "{uri}");
    }
}

/// Each of these drops the request: what its route was is not to be found out afterwards.
#[actix_web::test]
async fn a_request_that_does_not_come_back_counts_under_its_route() {
    let log = Log::default();
    let seawall = Seawall::builder(MemoryStore::new(64))
        .deadline(Duration::from_millis(20))
        .observer(log.clone())
        .build()
        .unwrap();
    let routes = web::scope("/shops/{shop}")
        .route("/panics/{id}", web::get().to(panics))
        .route(
            "/hangs/{id}",
            web::get().to(std::future::pending::<HttpResponse>),
        )
        .service(
            web::resource("/fails/{id}")
                .wrap_fn(|_, _| ready(Err::<ServiceResponse, _>(error::ErrorConflict("no"))))
                .get(|| async { "never" }),
        );
    let app = test::init_service(App::new().service(seawall.protect(routes))).await;
    for (uri, told) in [
        (
            "/shops/a/panics/7",
            "GET /shops/{shop}/panics/{id} 500 internal_error",
        ),
        (
            "/shops/a/hangs/7",
            "GET /shops/{shop}/hangs/{id} 504 deadline_exceeded",
        ),
        (
            "/shops/a/fails/7",
            "GET /shops/{shop}/fails/{id} 409 conflict",
        ),
        ("/shops/a/nowhere", "GET - 404 not_found"),
    ] {
        let request = test::TestRequest::with_uri(uri).to_request();
        // What is made of a failure is made outside of the app.
        drop(test::try_call_service(&app, request).await);
        assert_eq!(log.take()[1], told);
    }
}

/// A route that somebody named is not looked up.
#[actix_web::test]
async fn a_route_that_was_named_stays() {
    let log = Log::default();
    let app = App::new()
        .route("/panics", web::get().to(panics))
        .wrap(ErrorsLayer::new().observer(log.clone()))
        .wrap_fn(|request, next| {
            request.extensions_mut().insert(Route::new("named"));
            next.call(request)
        });
    let app = test::init_service(app).await;
    let request = test::TestRequest::with_uri("/panics").to_request();
    drop(test::try_call_service(&app, request).await);
    assert_eq!(log.take()[1], "GET named 500 internal_error");
}

/// The builder wants one observer of all.
impl seawall_ratelimit::Observer for Log {}
