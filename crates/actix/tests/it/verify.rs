//! Signed requests: what passes, what is refused, and that refusals look alike.

use std::future::Ready;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Poll};

use actix_web::body::MessageBody;
use actix_web::dev::{Payload, Service, ServiceRequest, ServiceResponse};
use actix_web::error::PayloadError;
use actix_web::middleware::{Next, from_fn};
use actix_web::test::{TestRequest, init_service};
use actix_web::web::Bytes;
use actix_web::{App, Error, FromRequest, HttpRequest, web};
use futures_core::Stream;
use seawall_actix::{ErrorsLayer, Json, RequestIdLayer, Verified, VerifyLayer};
use seawall_signing::{
    Claim, KeyProvider, KeyProviderError, KeyQuery, KeyRing, MemoryNonceStore, Nonce, NonceStore,
    OwnedHead, Secret, Signer, StoreFailure, UnixTime, Verifier, VerifierBuilder, scheme,
};

use crate::served::{Served, status};
use crate::support::send;

const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

fn secret() -> Secret {
    Secret::new("between the two services").unwrap()
}

fn native() -> VerifierBuilder {
    Verifier::builder(scheme::Native::new(), secret()).clock(|| NOW)
}

/// A signature at a time, as the sender would make it.
fn signature(path: &str, body: &[u8], at: UnixTime) -> String {
    let head = OwnedHead::request("POST", &format!("http://shop.example{path}"));
    let signer = Signer::new(scheme::Native::new(), secret()).clock(move || at);
    let headers = signer.sign(&head, body).unwrap();
    headers.value("x-signature").unwrap().to_owned()
}

fn unsigned(body: impl Into<Bytes>) -> TestRequest {
    TestRequest::post()
        .uri("/hooks?live=1")
        .insert_header(("host", "shop.example"))
        .insert_header(("content-type", "application/json"))
        .set_payload(body)
}

fn signed(body: &'static str) -> TestRequest {
    let signature = signature("/hooks?live=1", body.as_bytes(), NOW);
    unsigned(body).insert_header(("x-signature", signature))
}

/// Echoes what was verified, and counts how often it is called.
async fn hooks(
    verifier: Verifier,
) -> (
    Arc<AtomicUsize>,
    impl Service<actix_http::Request, Response = ServiceResponse<impl MessageBody>, Error = Error>,
) {
    let calls = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&calls);
    let echo = move |body: Verified| {
        count.fetch_add(1, SeqCst);
        async { body.into_inner() }
    };
    let app = App::new()
        .service(
            web::resource("/hooks")
                .wrap(VerifyLayer::new(verifier))
                .route(web::post().to(echo)),
        )
        .wrap(ErrorsLayer::new());
    (calls, init_service(app).await)
}

/// A payload that breaks off as soon as it is read.
struct Broken;

impl Stream for Broken {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(Some(Err(PayloadError::Incomplete(None))))
    }
}

fn broken(request: TestRequest) -> ServiceRequest {
    let mut request = request.to_srv_request();
    request.set_payload(Payload::Stream {
        payload: Box::pin(Broken),
    });
    request
}

/// Through the middleware alone, with this payload.
async fn alone(verifier: Verifier, request: ServiceRequest) -> (u16, String) {
    use actix_web::dev::{Transform as _, fn_service};
    let echo = fn_service(|mut request: ServiceRequest| async move {
        let body = request.extract::<Bytes>().await?;
        Ok::<_, Error>(request.into_response(actix_web::HttpResponse::Ok().body(body)))
    });
    let echo = actix_web::dev::ServiceFactory::new_service(&echo, ()).await;
    let layer = VerifyLayer::new(verifier);
    let service = layer.new_transform(echo.unwrap()).await.unwrap();
    let response = service.call(request).await.unwrap();
    let status = response.status().as_u16();
    let body = actix_web::test::read_body(response).await;
    (status, String::from_utf8(body.to_vec()).unwrap())
}

#[actix_web::test]
async fn verified_bytes_are_handed_on() {
    let (calls, app) = hooks(native().build().unwrap()).await;
    for body in ["", "one", "{\"ref\": 7}"] {
        let read = send(&app, signed(body)).await;
        assert_eq!((read.status.as_u16(), read.body.as_str()), (200, body));
    }
    assert_eq!(calls.load(SeqCst), 3);
}

#[actix_web::test]
async fn every_cause_in_a_message_has_the_same_answer_and_calls_nobody() {
    let store = MemoryNonceStore::new();
    let (calls, app) = hooks(native().replay(store).build().unwrap()).await;
    let seen = signature("/hooks?live=1", b"{}", NOW);
    let again = || unsigned("{}").insert_header(("x-signature", seen.clone()));
    assert_eq!(send(&app, again()).await.status, 200);
    let stale = UnixTime::from_secs(NOW.as_secs() - 301);
    let causes = [
        ("replayed", again()),
        ("missing", unsigned("{}")),
        (
            "malformed",
            unsigned("{}").insert_header(("x-signature", "v1=")),
        ),
        (
            "stale",
            unsigned("{}").insert_header(("x-signature", signature("/hooks?live=1", b"{}", stale))),
        ),
        (
            "not UTF-8",
            unsigned("{}").insert_header(("x-signature", &b"t=\xff\xfe"[..])),
        ),
        (
            "twice",
            signed("{}").append_header(("x-signature", seen.clone())),
        ),
        ("one byte off", signed("{}").set_payload("{]")),
        ("shorter", signed("{}").set_payload("{")),
        ("another path", signed("{}").uri("/hooks?live=2")),
        (
            "two hosts",
            signed("{}").append_header(("host", "shop.example")),
        ),
    ];
    let mut model = None;
    for (cause, request) in causes {
        let read = send(&app, request).await;
        assert_eq!(
            (read.status.as_u16(), read.code().as_str()),
            (401, "invalid_signature"),
            "{cause}"
        );
        assert_eq!(read.header("www-authenticate"), "Signature", "{cause}");
        // All of it is the same but the id.
        let id = read.json()["request_id"].as_str().unwrap().to_owned();
        let mut headers: Vec<_> = read.headers.iter().collect();
        headers.sort_by_key(|(name, _)| name.as_str());
        let told = format!("{headers:?} {}", read.body).replace(&id, "id");
        let model = model.get_or_insert_with(|| told.clone());
        assert_eq!(told, *model, "{cause}");
    }
    assert_eq!(calls.load(SeqCst), 1);
}

#[actix_web::test]
async fn what_cannot_become_right_is_refused_before_the_body_is_read() {
    let verifier = native().build().unwrap();
    let missing = alone(verifier.clone(), broken(unsigned(""))).await;
    assert_eq!(missing.0, 401);
    let long = signed("{}").insert_header(("content-length", "1048577"));
    let long = alone(verifier.clone(), broken(long)).await;
    assert_eq!(long.0, 413);
    // The same payload where the head is right: it is read, and breaks off.
    let (status, body) = alone(verifier, broken(signed("{}"))).await;
    assert_eq!(status, 400, "{body}");
    assert!(body.contains("malformed_request"));
}

#[actix_web::test]
async fn an_endless_body_is_cut_off_at_the_limit() {
    let (calls, app) = hooks(native().max_body(10).build().unwrap()).await;
    assert_eq!(send(&app, signed("0123456789")).await.status, 200);
    let read = send(&app, signed("0123456789a")).await;
    assert_eq!(
        (read.status.as_u16(), read.code().as_str()),
        (413, "payload_too_large")
    );
    assert_eq!(calls.load(SeqCst), 1);
}

/// A store that has to be waited for, and answers as told.
struct Slow(fn() -> Result<Claim, StoreFailure>);

#[derive(Debug)]
struct Down(StoreFailure);

impl std::fmt::Display for Down {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Down {}

impl From<Down> for StoreFailure {
    fn from(down: Down) -> Self {
        down.0
    }
}

impl NonceStore for Slow {
    type Error = Down;

    async fn claim(&self, _: Nonce<'_>) -> Result<Claim, Down> {
        tokio::task::yield_now().await;
        (self.0)().map_err(Down)
    }
}

/// Keys that have to be waited for.
struct Fetched(bool);

impl KeyProvider for Fetched {
    async fn keys(&self, query: KeyQuery<'_>) -> Result<KeyRing, KeyProviderError> {
        tokio::task::yield_now().await;
        if !self.0 {
            return Err(KeyProviderError::new("vault.internal is down"));
        }
        Ok(match query.tenant {
            None | Some("acme") => KeyRing::single(secret()),
            Some(_) => KeyRing::empty(),
        })
    }
}

#[actix_web::test]
async fn keys_and_stores_are_waited_for() {
    let check = async |keys, store, expected: u16| {
        let verifier = Verifier::builder(scheme::Native::new(), Fetched(keys))
            .clock(|| NOW)
            .replay(Slow(store))
            .build()
            .unwrap();
        let (calls, app) = hooks(verifier).await;
        let read = send(&app, signed("{}")).await;
        assert_eq!(read.status, expected);
        assert!(!read.body.contains("internal is down"), "{}", read.body);
        assert_eq!(calls.load(SeqCst), usize::from(expected == 200));
    };
    check(true, || Ok(Claim::Fresh), 200).await;
    check(true, || Ok(Claim::Replayed), 401).await;
    check(true, || Ok(Claim::Full), 503).await;
    let down = || Err(StoreFailure::unavailable("redis.internal is down"));
    check(true, down, 503).await;
    check(false, || Ok(Claim::Fresh), 503).await;
}

#[actix_web::test]
async fn the_tenant_comes_from_the_route() {
    let layer = || {
        let keys = Verifier::builder(scheme::Native::new(), Fetched(true)).clock(|| NOW);
        VerifyLayer::new(keys.build().unwrap()).tenant_from_path("tenant")
    };
    let ok = || web::post().to(|_: Verified| async { "ok" });
    let app = App::new()
        .service(web::resource("/of/{tenant}").wrap(layer()).route(ok()))
        .service(web::resource("/none").wrap(layer()).route(ok()))
        .wrap(ErrorsLayer::new());
    let app = init_service(app).await;
    for (path, expected) in [("/of/acme", 200), ("/of/mallory", 401), ("/none", 500)] {
        let signature = signature(path, b"{}", NOW);
        let request = unsigned("{}").uri(path);
        let read = send(&app, request.insert_header(("x-signature", signature))).await;
        assert_eq!(read.status, expected, "{path}");
    }
}

#[actix_web::test]
async fn overlapping_copies_have_one_winner() {
    let verifier = native().replay(Slow(first_only)).build().unwrap();
    let (calls, app) = hooks(verifier).await;
    let copies = (0..16).map(|_| actix_web::rt::spawn(app.call(signed("{}").to_request())));
    let copies: Vec<_> = copies.collect();
    let mut accepted = 0;
    for copy in copies {
        accepted += usize::from(copy.await.unwrap().unwrap().status() == 200);
    }
    assert_eq!((accepted, calls.load(SeqCst)), (1, 1));
}

fn first_only() -> Result<Claim, StoreFailure> {
    static SEEN: AtomicUsize = AtomicUsize::new(0);
    Ok(match SEEN.fetch_add(1, SeqCst) {
        0 => Claim::Fresh,
        _ => Claim::Replayed,
    })
}

/// Fails the test when it is reached: what it stands behind should refuse first.
struct Unreachable;

impl FromRequest for Unreachable {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(_: &HttpRequest, _: &mut Payload) -> Self::Future {
        panic!("the inner extractor ran")
    }
}

#[actix_web::test]
async fn nothing_is_extracted_before_the_signature_fits_or_without_a_verifier() {
    let handler = || web::post().to(|_: Verified<Unreachable>| async { "passed" });
    let guarded = VerifyLayer::new(native().build().unwrap());
    let app = App::new()
        .service(web::resource("/hooks").wrap(guarded).route(handler()))
        .route("/bare", handler())
        .wrap(ErrorsLayer::new())
        .wrap(RequestIdLayer::new());
    let app = init_service(app).await;
    let forged = signed("{}").insert_header(("x-signature", "t=1800000000,v1=0000"));
    for request in [forged, unsigned("{}")] {
        let read = send(&app, request).await;
        assert_eq!(read.code(), "invalid_signature");
    }
    let read = send(&app, signed("{}").uri("/bare")).await;
    assert_eq!(
        (read.status.as_u16(), read.code().as_str()),
        (500, "internal_error")
    );
    assert!(!read.body.contains("VerifyLayer"));
}

#[actix_web::test]
async fn the_inner_extractor_reads_verified_bytes_whatever_stands_in_between() {
    async fn meddling<B: MessageBody>(
        mut request: ServiceRequest,
        next: Next<B>,
    ) -> Result<ServiceResponse<B>, Error> {
        request.set_payload(Payload::from(Bytes::from_static(b"[6,6,6]")));
        next.call(request).await
    }
    let handler = |body: Verified<Json<Vec<u8>>>| async move {
        format!("{:?} by {}", body.0, body.verification().scheme())
    };
    let hooks = web::resource("/hooks")
        .wrap(from_fn(meddling))
        .wrap(VerifyLayer::new(native().build().unwrap()))
        .route(web::post().to(handler));
    let app = init_service(App::new().service(hooks).wrap(ErrorsLayer::new())).await;
    let read = send(&app, signed("[1,2]")).await;
    assert!(read.body.starts_with("[1, 2] by "), "{read:?}");
    let read = send(&app, signed("[1")).await;
    assert_eq!(
        (read.status.as_u16(), read.code().as_str()),
        (400, "malformed_json")
    );
}

/// A body that comes in pieces, and a refusal while it is still coming.
#[actix_web::test]
async fn over_a_connection_pieces_are_put_together_and_refusals_come_early() {
    let verifier = native().build().unwrap();
    let served = Served::start(1, move || {
        let echo = web::post().to(|body: Verified| async { body.into_inner() });
        let hooks = web::resource("/hooks").wrap(VerifyLayer::new(verifier.clone()));
        App::new()
            .service(hooks.route(echo))
            .wrap(ErrorsLayer::new())
    });
    let mut wire = served.connect().await;
    let signature = signature("/hooks", b"one two three", NOW);
    wire.send(format!(
        "POST /hooks HTTP/1.1\r\nhost: shop.example\r\nx-signature: {signature}\r\n\
         transfer-encoding: chunked\r\n\r\n4\r\none \r\n"
    ))
    .await;
    wire.send("9\r\ntwo three\r\n0\r\n\r\n").await;
    let answer = wire.answer().await.unwrap();
    assert!(
        status(&answer) == 200 && answer.ends_with("\r\n\r\none two three"),
        "{answer}"
    );
    // The same connection: no signature, and a body that never comes.
    wire.send("POST /hooks HTTP/1.1\r\nhost: shop.example\r\ncontent-length: 9\r\n\r\n")
        .await;
    assert_eq!(status(&wire.answer().await.unwrap()), 401);
    served.stop().await;
}
