//! The contract of tower: readiness, permits, cloning, threads. One table, through which every layer
//! goes.

mod control;
mod laws;
mod probe;
mod stores;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use futures::FutureExt;
use http::{HeaderValue, Request};
use seawall_breaker::CircuitBreaker;
use seawall_idempotency::Idempotency;
use seawall_ratelimit::{MemoryStore, Policy, quota};
use seawall_signing::{MemoryNonceStore, OwnedHead, Secret, Signer, UnixTime, Verifier, scheme};
use seawall_tower::body_limit::LimitedBody;
use seawall_tower::idempotency::{AnswerBody, BufferedBody, Rule};
use seawall_tower::verify::VerifiedBody;
use seawall_tower::{
    BodyLimitLayer, CircuitBreakerLayer, DeadlineLayer, ErrorsLayer, FusedLayer, IdempotencyLayer,
    Origin, OutboundLayer, PassDeadlineLayer, RateLimitLayer, ReplyBody, RequestIdLayer,
    TraceLayer, VerifyLayer,
};
use seawall_web::limits::RateLimits;
use seawall_web::request::{ClientIp, ForwardedHeader, KeyBy, Missing, PeerAddr, Scope};
use static_assertions::assert_impl_all;
use tower::limit::ConcurrencyLimit;
use tower::{Layer, Service, ServiceExt};

use crate::support::{Plain, Script, Step};
use laws::Work;
use probe::{OK, Probe};
use stores::Late;

assert_impl_all!(Origin: Clone, Send, Sync);
assert_impl_all!(ReplyBody<Plain>: Send, Sync);
assert_impl_all!(BufferedBody<Plain>: Send, Sync);
assert_impl_all!(AnswerBody<Plain>: Send, Sync);

/// A row is a layer as it is set up, the body that the service below it gets, and requests: one that
/// passes, those that are refused with a status, and those that wait before they reach the service.
///
/// That layer and service are `Clone + Send + Sync` is what `laws::Over` asks of each.
macro_rules! layers {
    ($(
        $(#[$attribute:meta])*
        $name:ident {
            layer: $layer:expr,
            body: $body:ty,
            passes: $passes:expr,
            refuses: [$(($refused:expr, $status:literal)),*],
            waits: [$($waits:expr),*],
            work: $work:expr,
        }
    )*) => {$(
        $(#[$attribute])*
        mod $name {
            use super::*;

            #[tokio::test(start_paused = true)]
            async fn readiness_is_passed_on() {
                laws::readiness_is_passed_on::<$body, _>($layer).await;
            }

            #[tokio::test(start_paused = true)]
            async fn the_ready_service_is_called() {
                laws::the_ready_service_is_called::<$body, _>($layer, $passes).await;
            }

            #[tokio::test(start_paused = true)]
            async fn errors_are_passed_on() {
                laws::errors_are_passed_on::<$body, _>($layer, $passes).await;
            }

            #[tokio::test(start_paused = true)]
            async fn an_answer_gives_the_permit_back() {
                laws::an_answer_gives_the_permit_back($layer, $passes).await;
            }

            #[tokio::test(start_paused = true)]
            async fn an_error_gives_the_permit_back() {
                laws::an_error_gives_the_permit_back($layer, $passes).await;
            }

            #[tokio::test(start_paused = true)]
            async fn a_refusal_gives_the_permit_back() {
                $(laws::a_refusal_gives_the_permit_back($layer, $passes, $refused, $status).await;)*
            }

            #[tokio::test(start_paused = true)]
            async fn a_future_that_is_never_polled_gives_the_permit_back() {
                laws::a_future_that_is_never_polled_gives_the_permit_back($layer, $passes).await;
            }

            #[tokio::test(start_paused = true)]
            async fn a_future_dropped_half_way_gives_the_permit_back() {
                laws::a_future_dropped_half_way_gives_the_permit_back($layer, $passes, $work).await;
            }

            #[tokio::test(start_paused = true)]
            async fn a_future_dropped_while_it_waits_gives_the_permit_back() {
                $(laws::a_future_dropped_while_it_waits_gives_the_permit_back(
                    $layer, $passes, $waits,
                ).await;)*
            }

            #[tokio::test(start_paused = true)]
            async fn works_inside_a_buffer() {
                laws::works_inside_a_buffer($layer, $passes).await;
            }

            #[tokio::test(start_paused = true)]
            async fn works_around_a_buffer() {
                laws::works_around_a_buffer::<$body, _>($layer, $passes).await;
            }
        }
    )*};
}

layers! {
    request_id {
        layer: RequestIdLayer::new(),
        body: Script,
        passes: plain,
        refuses: [],
        waits: [],
        work: Work::EndsWithItsCaller,
    }
    trace {
        layer: TraceLayer::new(),
        body: Script,
        passes: plain,
        refuses: [],
        waits: [],
        work: Work::EndsWithItsCaller,
    }
    outbound {
        layer: OutboundLayer::new(),
        body: Script,
        passes: on_behalf,
        refuses: [],
        waits: [],
        work: Work::EndsWithItsCaller,
    }
    errors {
        layer: ErrorsLayer::new(),
        body: Script,
        passes: plain,
        refuses: [],
        waits: [],
        work: Work::EndsWithItsCaller,
    }
    deadline {
        layer: DeadlineLayer::new(HOUR).budgets_from(inside()),
        body: Script,
        passes: plain,
        refuses: [(late, 504)],
        waits: [],
        work: Work::EndsWithItsCaller,
    }
    pass_deadline {
        layer: PassDeadlineLayer::new(Duration::ZERO),
        body: Script,
        passes: plain,
        refuses: [],
        waits: [],
        work: Work::EndsWithItsCaller,
    }
    body_limit {
        layer: BodyLimitLayer::new(8),
        body: LimitedBody<Script>,
        passes: plain,
        refuses: [(too_large, 413)],
        waits: [],
        work: Work::EndsWithItsCaller,
    }
    rate_limit {
        layer: RateLimitLayer::new(limits(spent())),
        body: Script,
        passes: plain,
        refuses: [(over_the_limit, 429), (without_a_key, 400)],
        waits: [],
        work: Work::EndsWithItsCaller,
    }
    rate_limit_over_a_store_that_waits {
        layer: RateLimitLayer::new(limits(Late(spent()))),
        body: Script,
        passes: plain,
        refuses: [(over_the_limit, 429), (without_a_key, 400)],
        waits: [|| plain(OK)],
        work: Work::EndsWithItsCaller,
    }
    verify {
        layer: VerifyLayer::new(verifier().replay(MemoryNonceStore::new()).build().unwrap()),
        body: VerifiedBody,
        passes: signed,
        refuses: [(unsigned, 401), (forged, 401), (broken_off, 400)],
        waits: [unfinished],
        work: Work::EndsWithItsCaller,
    }
    verify_over_a_store_that_waits {
        layer: VerifyLayer::new(verifier().replay(Late(MemoryNonceStore::new())).build().unwrap()),
        body: VerifiedBody,
        passes: signed,
        refuses: [(unsigned, 401), (forged, 401)],
        waits: [|| signed(OK), unfinished],
        work: Work::EndsWithItsCaller,
    }
    verify_with_keys_that_are_fetched {
        layer: VerifyLayer::new(fetching().build().unwrap()),
        body: VerifiedBody,
        passes: signed,
        refuses: [(forged, 401)],
        waits: [|| signed(OK), unfinished],
        work: Work::EndsWithItsCaller,
    }
    idempotency_without_a_key {
        layer: once(seawall_idempotency::MemoryStore::new()),
        body: BufferedBody<Script>,
        passes: plain,
        refuses: [(unusable, 400)],
        waits: [],
        work: Work::EndsWithItsCaller,
    }
    idempotency {
        layer: once(seawall_idempotency::MemoryStore::new()),
        body: BufferedBody<Script>,
        passes: fresh,
        refuses: [(unusable, 400), (|| cut_short(fresh(OK)), 400)],
        waits: [|| endless(fresh(OK))],
        work: Work::GoesOn,
    }
    idempotency_over_a_store_that_waits {
        layer: once(Late(seawall_idempotency::MemoryStore::new())),
        body: BufferedBody<Script>,
        passes: fresh,
        refuses: [(unusable, 400), (|| cut_short(fresh(OK)), 400)],
        waits: [|| endless(fresh(OK)), || fresh(OK)],
        work: Work::GoesOn,
    }
    idempotency_inline {
        layer: inline(seawall_idempotency::MemoryStore::new()),
        body: BufferedBody<Script>,
        passes: fresh,
        refuses: [(unusable, 400), (|| cut_short(fresh(OK)), 400)],
        waits: [|| endless(fresh(OK))],
        work: Work::EndsWithItsCaller,
    }
    circuit_breaker {
        layer: CircuitBreakerLayer::new(breaker()),
        body: Script,
        passes: plain,
        refuses: [],
        waits: [],
        work: Work::EndsWithItsCaller,
    }
    #[cfg(feature = "decompression")]
    decompression {
        layer: seawall_tower::DecompressionLayer::new(),
        body: seawall_tower::decompression::UnpackedBody<Script>,
        passes: packed,
        refuses: [(odd_coding, 415), (|| cut_short(packed(OK)), 400), (not_packed_at_all, 400)],
        waits: [|| endless(packed(OK))],
        work: Work::EndsWithItsCaller,
    }
    fused {
        layer: fused().rate_limits(limits(spent())),
        body: LimitedBody<Script>,
        passes: plain,
        refuses: [(over_the_limit, 429), (without_a_key, 400), (too_large, 413), (late, 504)],
        waits: [],
        work: Work::EndsWithItsCaller,
    }
    fused_over_a_store_that_waits {
        layer: fused().rate_limits(limits(Late(spent()))),
        body: LimitedBody<Script>,
        passes: plain,
        refuses: [(over_the_limit, 429), (without_a_key, 400), (too_large, 413), (late, 504)],
        waits: [|| plain(OK)],
        work: Work::EndsWithItsCaller,
    }
}

/// The one refusal that is an error: it leaves what is below it as ready as it was.
#[tokio::test(start_paused = true)]
async fn a_rejected_call_keeps_no_permit() {
    let breaker = breaker();
    let layer = CircuitBreakerLayer::new(Arc::clone(&breaker));
    let mut service = layer.layer(ConcurrencyLimit::new(Probe::default(), 1));
    let other = service.clone();
    breaker.force_open();
    for _ in 0..2 {
        let rejected = ready(&mut service).await.unwrap().call(plain(OK)).await;
        assert!(matches!(rejected, Err(seawall_breaker::Error::Rejected(_))));
    }
    breaker.reset();
    let answered = ready(&mut service).await.unwrap().call(plain(OK)).await;
    assert_eq!(answered.unwrap().status(), 200);
    drop(service);
    let answered = other.oneshot(plain(OK)).now_or_never();
    assert_eq!(answered.expect("at once").unwrap().status(), 200);
}

/// The service is one for requests of any body: which one is said here.
fn ready<S: Service<Request<Script>>>(
    service: &mut S,
) -> impl Future<Output = Result<&mut S, S::Error>> {
    service.ready()
}

const HOUR: Duration = Duration::from_secs(3600);

fn inside() -> ClientIp {
    ClientIp::behind(["10.0.0.0/8"], ForwardedHeader::XForwardedFor).unwrap()
}

/// Limits by the header `x-caller`.
fn limits<S: seawall_ratelimit::Store>(store: S) -> RateLimits<S> {
    let key = KeyBy::header("x-caller").or_missing(Missing::Refuse);
    let policy = Policy::new("all", quota!("20/hour")).unwrap();
    let builder = RateLimits::builder(store).limit(policy, key);
    builder.build().unwrap()
}

/// A store in which one caller has spent what it had.
fn spent() -> MemoryStore {
    let store = MemoryStore::new(64);
    let mut service = RateLimitLayer::new(limits(store.clone())).layer(Probe::default());
    for _ in 0..20 {
        drop(service.call(over_the_limit()));
    }
    store
}

fn fused() -> FusedLayer {
    let deadline = DeadlineLayer::new(HOUR).budgets_from(inside());
    FusedLayer::new(deadline, BodyLimitLayer::new(8)).traces(TraceLayer::new())
}

fn breaker() -> Arc<CircuitBreaker> {
    let breaker = CircuitBreaker::consecutive(100).name("probe").build();
    Arc::new(breaker.unwrap())
}

fn front<S: seawall_idempotency::Store>(store: S) -> Idempotency<S> {
    Idempotency::new(store, seawall_idempotency::Policy::at_most_once()).unwrap()
}

fn once<S: seawall_idempotency::Store>(store: S) -> IdempotencyLayer<S> {
    IdempotencyLayer::new(front(store), Scope::single_tenant())
}

fn inline<S: seawall_idempotency::Store>(store: S) -> IdempotencyLayer<S> {
    IdempotencyLayer::new(Rule::new(front(store)).inline(), Scope::single_tenant())
}

const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

fn secret() -> Secret {
    Secret::new("between the two services").unwrap()
}

fn verifier() -> seawall_signing::VerifierBuilder {
    Verifier::builder(scheme::Native::new(), secret()).clock(|| NOW)
}

fn fetching() -> seawall_signing::VerifierBuilder {
    Verifier::builder(scheme::Native::new(), stores::Fetched(secret)).clock(|| NOW)
}

/// A request from a caller that has not spent anything.
fn plain(path: &str) -> Request<Script> {
    request(path, Vec::new())
}

fn request(path: &str, body: Vec<Step>) -> Request<Script> {
    let request = Request::post(path).header("x-caller", "polite");
    let mut request = request.body(Script(body)).unwrap();
    let peer = PeerAddr::new("10.0.0.1".parse().unwrap());
    request.extensions_mut().insert(peer);
    request
}

fn with(
    mut request: Request<Script>,
    name: &'static str,
    value: impl AsRef<[u8]>,
) -> Request<Script> {
    let value = HeaderValue::from_bytes(value.as_ref()).unwrap();
    request.headers_mut().insert(name, value);
    request
}

/// The body breaks off.
fn cut_short(mut request: Request<Script>) -> Request<Script> {
    request.body_mut().0 = vec![Step::Data(b"Hel"), Step::Fail("reset".to_owned())];
    request
}

/// The body never ends.
fn endless(mut request: Request<Script>) -> Request<Script> {
    request.body_mut().0 = vec![Step::Data(b"Hel"), Step::Hang];
    request
}

fn late() -> Request<Script> {
    with(plain(OK), "x-request-timeout-ms", "0")
}

fn too_large() -> Request<Script> {
    with(plain(OK), "content-length", "9")
}

fn over_the_limit() -> Request<Script> {
    with(plain(OK), "x-caller", "greedy")
}

fn without_a_key() -> Request<Script> {
    let mut request = plain(OK);
    request.headers_mut().remove("x-caller");
    request
}

/// With something to send along.
fn on_behalf(path: &str) -> Request<Script> {
    use seawall_errors::{RequestId, trace::TraceContext};
    let mut request = plain(path);
    request.extensions_mut().insert(RequestId::generate());
    request.extensions_mut().insert(TraceContext::root(true));
    request
}

/// Each is another message, or it would be a replay.
fn signed(path: &str) -> Request<Script> {
    let target = format!("{path}?n={}", unique());
    let head = OwnedHead::request("POST", &format!("http://shop.example{target}"));
    let signer = Signer::new(scheme::Native::new(), secret()).clock(|| NOW);
    let headers = signer.sign(&head, b"Hello, World!").unwrap();
    let hello = vec![Step::Data(b"Hello, "), Step::Data(b"World!")];
    let request = with(request(&target, hello), "host", "shop.example");
    headers.iter().fold(request, |mut request, (name, value)| {
        let name = http::HeaderName::from_bytes(name.as_bytes()).unwrap();
        request.headers_mut().insert(name, value.parse().unwrap());
        request
    })
}

fn unsigned() -> Request<Script> {
    plain(OK)
}

fn forged() -> Request<Script> {
    let mut request = signed(OK);
    request.body_mut().0.push(Step::Data(b"!"));
    request
}

fn broken_off() -> Request<Script> {
    cut_short(signed(OK))
}

fn unfinished() -> Request<Script> {
    endless(signed(OK))
}

fn unique() -> String {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    format!("n-{}", NEXT.fetch_add(1, SeqCst))
}

/// With a key that nobody has used.
fn fresh(path: &str) -> Request<Script> {
    keyed(&unique(), path)
}

/// With a key that is too long for one.
fn unusable() -> Request<Script> {
    keyed(&"k".repeat(1024), OK)
}

fn keyed(key: &str, path: &str) -> Request<Script> {
    with(plain(path), "idempotency-key", key)
}

#[cfg(feature = "decompression")]
fn packed(path: &str) -> Request<Script> {
    use std::io::Write;
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(b"Hello").unwrap();
    let packed = Box::leak(packed.finish().unwrap().into_boxed_slice());
    let request = request(path, vec![Step::Data(packed)]);
    with(request, "content-encoding", "gzip")
}

#[cfg(feature = "decompression")]
fn odd_coding() -> Request<Script> {
    with(plain(OK), "content-encoding", "br")
}

#[cfg(feature = "decompression")]
fn not_packed_at_all() -> Request<Script> {
    let mut request = packed(OK);
    request.body_mut().0 = vec![Step::Data(b"Hello")];
    request
}
