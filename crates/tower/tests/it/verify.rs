//! Signed requests: what passes, what is refused, and that refusals look alike.

use std::convert::Infallible;
use std::future::{pending, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use seawall_errors::{ApiError, RequestId, codes};
use seawall_signing::{
    Claim, KeyProvider, KeyProviderError, KeyQuery, KeyRing, MemoryNonceStore, Nonce, NonceStore,
    OwnedHead, Secret, Signer, StoreFailure, UnixTime, Verification, Verifier, scheme,
};
use seawall_tower::verify::VerifiedBody;
use seawall_tower::{BodyLimitLayer, ErrorsLayer, VerifyLayer, respond};
use seawall_web::request::PathParams;
use tower::{Layer, Service, ServiceExt, service_fn};

use crate::support::{Plain, Read, Script, Step, send};

const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

fn secret() -> Secret {
    Secret::new("between the two services").unwrap()
}

fn native() -> seawall_signing::VerifierBuilder {
    Verifier::builder(scheme::Native::new(), secret()).clock(|| NOW)
}

/// A request with a good signature, as the sender would make it.
fn signed(body: &[u8]) -> http::request::Builder {
    let head = OwnedHead::request("POST", "http://shop.example/hooks?live=1");
    let signer = Signer::new(scheme::Native::new(), secret()).clock(|| NOW);
    let headers = signer.sign(&head, body).unwrap();
    let request = Request::post("/hooks?live=1").header("host", "shop.example");
    headers.iter().fold(request, |request, (name, value)| {
        request.header(name, value)
    })
}

/// Answers with the body it was given, and who proved it.
async fn echo(request: Request<VerifiedBody>) -> Result<Response<Plain>, Infallible> {
    assert!(
        request.extensions().get::<Verification>().is_some(),
        "what passes carries its proof"
    );
    Ok(Response::new(Plain::new(request.into_body().into_bytes())))
}

/// Counts how often the inner service is called.
fn counted(
    calls: Arc<AtomicUsize>,
) -> impl Service<Request<VerifiedBody>, Response = Response<Plain>, Error = Infallible, Future: Send>
+ Clone {
    service_fn(move |request| {
        calls.fetch_add(1, SeqCst);
        echo(request)
    })
}

fn script(chunks: &[&'static [u8]]) -> Script {
    Script(chunks.iter().map(|chunk| Step::Data(chunk)).collect())
}

async fn through(verifier: Verifier, request: Request<Script>) -> Read {
    let layers = (ErrorsLayer::new(), VerifyLayer::new(verifier));
    send(layers.layer(service_fn(echo)), request).await
}

#[tokio::test]
async fn verified_bytes_are_handed_on_however_they_came() {
    let bodies: [&[&'static [u8]]; 4] = [
        &[],
        &[b"one frame"],
        &[b"three ", b"", b"frames"],
        &[b"not \xff\xfe text \0"],
    ];
    for chunks in bodies {
        let whole = chunks.concat();
        let request = signed(&whole).body(script(chunks)).unwrap();
        let Ok(response) = VerifyLayer::new(native().build().unwrap())
            .layer(service_fn(echo))
            .oneshot(request)
            .await;
        assert_eq!(response.status(), 200, "{chunks:?}");
        let body = http_body_util::BodyExt::collect(response.into_body()).await;
        assert_eq!(body.unwrap().to_bytes(), whole, "{chunks:?}");
    }
}

#[tokio::test]
async fn every_cause_in_a_message_has_the_same_answer_and_calls_nobody() {
    let store = MemoryNonceStore::new();
    let verifier = native().replay(store).build().unwrap();
    let seen = signed(b"{}").body(script(&[b"{}"])).unwrap();
    let header = seen.headers()["x-signature"].clone();
    assert_eq!(through(verifier.clone(), seen).await.status, 200);

    let post = || Request::post("/hooks?live=1").header("host", "shop.example");
    let stale = {
        let head = OwnedHead::request("POST", "http://shop.example/hooks?live=1");
        let long_ago = || UnixTime::from_secs(NOW.as_secs() - 301);
        let signer = Signer::new(scheme::Native::new(), secret()).clock(long_ago);
        let headers = signer.sign(&head, b"{}").unwrap();
        headers.value("x-signature").unwrap().to_owned()
    };
    let bodies = || script(&[b"{}"]);
    let causes = [
        (
            "replayed",
            post().header("x-signature", &header).body(bodies()),
        ),
        ("missing", post().body(bodies())),
        (
            "malformed",
            post().header("x-signature", "v1=").body(bodies()),
        ),
        ("stale", post().header("x-signature", stale).body(bodies())),
        (
            "not UTF-8",
            post()
                .header("x-signature", &b"t=\xff\xfe"[..])
                .body(bodies()),
        ),
        (
            "twice",
            signed(b"{}").header("x-signature", &header).body(bodies()),
        ),
        ("one byte off", signed(b"{}").body(script(&[b"{", b"]"]))),
        ("shorter", signed(b"{}").body(script(&[b"{"]))),
        (
            "another path",
            Request::post("/hooks?live=2")
                .header("host", "shop.example")
                .header("x-signature", &header)
                .body(bodies()),
        ),
        (
            "two hosts",
            signed(b"{}").header("host", "shop.example").body(bodies()),
        ),
    ];
    let calls = Arc::new(AtomicUsize::new(0));
    let mut model = None;
    for (cause, request) in causes {
        let mut request = request.unwrap();
        request
            .extensions_mut()
            .insert(RequestId::from_trusted(b"req_same").unwrap());
        let layers = (ErrorsLayer::new(), VerifyLayer::new(verifier.clone()));
        let read = send(layers.layer(counted(Arc::clone(&calls))), request).await;
        assert_eq!(
            (read.status.as_u16(), read.code().as_str()),
            (401, "invalid_signature"),
            "{cause}"
        );
        assert_eq!(read.header("www-authenticate"), "Signature", "{cause}");
        let read = (read.headers, read.body);
        let first = model.get_or_insert_with(|| read.clone());
        assert_eq!(read, *first, "{cause}");
    }
    assert_eq!(calls.load(SeqCst), 0);
}

#[tokio::test]
async fn what_cannot_become_right_is_refused_before_the_body_is_read() {
    let unread = || Script(vec![Step::Panic("the body was read".into())]);
    let missing = Request::post("/hooks").body(unread()).unwrap();
    assert_eq!(
        through(native().build().unwrap(), missing).await.status,
        401
    );
    let long = signed(b"{}")
        .header("content-length", "1048577")
        .body(unread())
        .unwrap();
    let read = through(native().build().unwrap(), long).await;
    assert_eq!(
        (read.status.as_u16(), read.code().as_str()),
        (413, "payload_too_large")
    );
}

#[tokio::test]
async fn an_endless_body_is_cut_off_at_the_limit() {
    let verifier = native().max_body(10).build().unwrap();
    let exact = signed(b"0123456789")
        .body(script(&[b"01234", b"56789"]))
        .unwrap();
    assert_eq!(through(verifier.clone(), exact).await.status, 200);
    let steps = vec![
        Step::Data(b"01234"),
        Step::Data(b"567890"),
        Step::Panic("it was read beyond the limit".into()),
    ];
    let endless = signed(b"0123456789").body(Script(steps)).unwrap();
    assert_eq!(through(verifier, endless).await.status, 413);
}

#[tokio::test]
async fn a_body_that_breaks_off_is_a_400() {
    let steps = vec![
        Step::Data(b"{"),
        Step::Fail("reset by peer at 10.0.0.7".into()),
    ];
    let request = signed(b"{}").body(Script(steps)).unwrap();
    let read = through(native().build().unwrap(), request).await;
    assert_eq!(
        (read.status.as_u16(), read.code().as_str()),
        (400, "malformed_request")
    );
    assert!(!read.body.contains("10.0.0.7"));
}

#[tokio::test(start_paused = true)]
async fn the_body_limit_outside_bounds_the_time() {
    let steps = vec![Step::Data(b"{"), Step::Hang];
    let request = signed(b"{}").body(Script(steps)).unwrap();
    let layers = (
        BodyLimitLayer::new(100).read_within(Duration::from_secs(2)),
        VerifyLayer::new(native().build().unwrap()),
    );
    let read = send(layers.layer(service_fn(echo)), request).await;
    assert_eq!(
        (read.status.as_u16(), read.code().as_str()),
        (408, "request_timeout")
    );
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

#[tokio::test]
async fn keys_and_stores_are_waited_for() {
    let check = async |keys, store, expected: u16| {
        let verifier = Verifier::builder(scheme::Native::new(), Fetched(keys))
            .clock(|| NOW)
            .replay(Slow(store))
            .build()
            .unwrap();
        let request = signed(b"{}").body(script(&[b"{", b"}"])).unwrap();
        let read = through(verifier, request).await;
        assert_eq!(read.status, expected);
        assert!(!read.body.contains("internal is down"), "{}", read.body);
    };
    check(true, || Ok(Claim::Fresh), 200).await;
    check(true, || Ok(Claim::Replayed), 401).await;
    check(true, || Ok(Claim::Full), 503).await;
    check(
        true,
        || Err(StoreFailure::unavailable("redis.internal is down")),
        503,
    )
    .await;
    check(false, || Ok(Claim::Fresh), 503).await;
}

#[tokio::test]
async fn the_tenant_comes_from_the_route() {
    let layer = || {
        let keys = Verifier::builder(scheme::Native::new(), Fetched(true)).clock(|| NOW);
        VerifyLayer::new(keys.build().unwrap()).tenant_from_path("tenant")
    };
    let check = async |params: PathParams, expected: u16| {
        let mut request = signed(b"{}").body(script(&[b"{}"])).unwrap();
        request.extensions_mut().insert(params);
        let read = send(layer().layer(service_fn(echo)), request).await;
        assert_eq!(read.status, expected);
    };
    check([("tenant", "acme")].into_iter().collect(), 200).await;
    check([("tenant", "mallory")].into_iter().collect(), 401).await;
    check(PathParams::default(), 500).await;
}

#[tokio::test]
async fn a_dropped_request_has_accepted_nothing() {
    let store = MemoryNonceStore::new();
    let verifier = native().replay(store.clone()).build().unwrap();
    let calls = Arc::new(AtomicUsize::new(0));
    let service = VerifyLayer::new(verifier).layer(counted(Arc::clone(&calls)));
    let request = |steps| signed(b"{}").body(Script(steps)).unwrap();

    let hanging = request(vec![Step::Data(b"{}"), Step::Hang]);
    let header = hanging.headers()["x-signature"].clone();
    tokio::select! {
        biased;
        _ = service.clone().oneshot(hanging) => panic!("the body never ends"),
        () = ready(()) => {}
    }
    assert_eq!((calls.load(SeqCst), store.len()), (0, 0));

    // The very message is still good.
    let mut again = request(vec![Step::Data(b"{}")]);
    again.headers_mut().insert("x-signature", header);
    assert_eq!(send(service, again).await.status, 200);
    assert_eq!((calls.load(SeqCst), store.len()), (1, 1));
}

#[tokio::test]
async fn overlapping_copies_have_one_winner() {
    let verifier = native().replay(MemoryNonceStore::new()).build().unwrap();
    let calls = Arc::new(AtomicUsize::new(0));
    let service = VerifyLayer::new(verifier).layer(counted(Arc::clone(&calls)));
    let header = signed(b"{}").body(()).unwrap().headers()["x-signature"].clone();
    let copy = || {
        let mut request = signed(b"{}").body(Plain::from("{}")).unwrap();
        request.headers_mut().insert("x-signature", header.clone());
        tokio::spawn(send(service.clone(), request))
    };
    let copies: Vec<_> = (0..16).map(|_| copy()).collect();
    let mut accepted = 0;
    for copy in copies {
        accepted += usize::from(copy.await.unwrap().status == 200);
    }
    assert_eq!((accepted, calls.load(SeqCst)), (1, 1));
}

#[tokio::test]
async fn the_request_s_own_extensions_stay() {
    #[derive(Clone, PartialEq, Debug)]
    struct Mine(u8);
    let look = service_fn(|request: Request<VerifiedBody>| {
        assert_eq!(request.extensions().get(), Some(&Mine(7)));
        assert_eq!(request.headers()["x-other"], "kept");
        echo(request)
    });
    let mut request = signed(b"{}")
        .header("x-other", "kept")
        .body(Plain::from("{}"))
        .unwrap();
    request.extensions_mut().insert(Mine(7));
    let service = VerifyLayer::new(native().build().unwrap()).layer(look);
    assert_eq!(send(service, request).await.status, 200);
}

#[tokio::test]
async fn the_service_that_was_ready_is_the_one_called() {
    let verifier = Verifier::builder(scheme::Native::new(), Fetched(true)).clock(|| NOW);
    let verifier = verifier.build().unwrap();
    let (mock, mut handle) = tower_test::mock::pair::<Request<VerifiedBody>, Response<Plain>>();
    let mut service = VerifyLayer::new(verifier).layer(mock);
    handle.allow(1);
    std::future::poll_fn(|cx| Service::<Request<Plain>>::poll_ready(&mut service, cx))
        .await
        .unwrap();
    let answer = service.call(signed(b"{}").body(Plain::from("{}")).unwrap());
    let serve = async {
        let (_, reply) = handle.next_request().await.unwrap();
        reply.send_response(Response::new(Full::from("done")));
        pending::<()>().await;
    };
    tokio::select! {
        answer = answer => assert_eq!(answer.unwrap().status(), 200),
        () = serve => {}
    }
}

#[tokio::test]
async fn the_inner_service_s_own_answers_pass() {
    let failing = service_fn(|_: Request<VerifiedBody>| async {
        let error = ApiError::new(codes::NOT_FOUND);
        Ok::<_, Infallible>(respond::<Full<Bytes>>(error))
    });
    let service = VerifyLayer::new(native().build().unwrap()).layer(failing);
    let request = signed(b"{}").body(Plain::from("{}")).unwrap();
    assert_eq!(send(service, request).await.status, 404);
}
