//! The fused service says what the single layers say, to the letter.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response};
use http_body::Body;
use http_body_util::BodyExt;
use seawall_errors::{ApiError, Detail, Renderer, RequestId, codes};
use seawall_ratelimit::{
    Charge, CountRule, ManualClock, MemoryStore, Mode, Now, OnStoreError, Op, Policy, Store,
    StoreFailure, Verdict, quota,
};
use seawall_timeout::current;
use seawall_tower::{
    Attached, BodyLimitLayer, DeadlineLayer, ErrorsLayer, FusedLayer, Origin, Passthrough,
    RateLimitLayer, RequestIdLayer, TraceLayer, respond,
};
use seawall_web::limits::RateLimits;
use seawall_web::request::{ClientIp, ForwardedHeader, KeyBy, Missing, PeerAddr};
use static_assertions::assert_impl_all;
use tower::util::BoxCloneService;
use tower::{Layer, Service, ServiceExt, service_fn};

use crate::support::{Script, Step};

assert_impl_all!(FusedLayer<MemoryStore>: Clone, Send, Sync);

/// A memory that can be slow, or out of order.
#[derive(Clone)]
struct Shelf {
    memory: MemoryStore,
    mood: Mood,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Mood {
    Prompt,
    /// Says nothing at once, and all of it later.
    Late,
    /// Later than any deadline here.
    TooLate,
    Fails(StoreFailure),
    FailsLate(StoreFailure),
    Panics,
}

#[derive(Debug)]
struct Broken(StoreFailure);

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("broken")
    }
}

impl std::error::Error for Broken {}

impl From<Broken> for StoreFailure {
    fn from(broken: Broken) -> Self {
        broken.0
    }
}

impl Shelf {
    fn ask(&self, op: Op, charges: &[Charge<'_>], out: &mut [Verdict]) -> Result<Now, Broken> {
        let answer = self.memory.decide_now(op, charges, out);
        answer.unwrap().map_err(|never| match never {})
    }
}

impl Store for Shelf {
    type Error = Broken;

    async fn decide(
        &self,
        op: Op,
        charges: &[Charge<'_>],
        out: &mut [Verdict],
    ) -> Result<Now, Broken> {
        tokio::task::yield_now().await;
        match self.mood {
            Mood::TooLate => tokio::time::sleep(Duration::from_secs(60)).await,
            Mood::FailsLate(failure) => return Err(Broken(failure)),
            _ => {}
        }
        self.ask(op, charges, out)
    }

    fn decide_now(
        &self,
        op: Op,
        charges: &[Charge<'_>],
        out: &mut [Verdict],
    ) -> Option<Result<Now, Broken>> {
        match self.mood {
            Mood::Prompt => Some(self.ask(op, charges, out)),
            Mood::Fails(failure) => Some(Err(Broken(failure))),
            Mood::Panics => panic!("the store lost its mind"),
            Mood::Late | Mood::TooLate | Mood::FailsLate(_) => None,
        }
    }
}

/// How the service is set up.
#[derive(Clone, Copy, Debug)]
struct Setup {
    mood: Mood,
    limits: Limits,
}

#[derive(Clone, Copy, Debug)]
enum Limits {
    None,
    /// Twice an hour for each address.
    Address,
    /// By two policies, of which one counts failures only and one denies nobody.
    Several,
    /// By a principal that nobody has.
    Principal,
    /// Nothing passes while the store is away.
    Closed,
}

const PROMPT: Setup = Setup {
    mood: Mood::Prompt,
    limits: Limits::Address,
};

impl Setup {
    fn limits(self) -> Option<RateLimits<Shelf>> {
        let store = Shelf {
            // A clock of its own that stands still: both sides tell the same time.
            memory: MemoryStore::builder()
                .clock(Arc::new(ManualClock::new()))
                .build(),
            mood: self.mood,
        };
        let builder = RateLimits::builder(store);
        let address = || KeyBy::address(ClientIp::peer());
        let policy = |name, quota| Policy::new(name, quota).unwrap();
        let builder = match self.limits {
            Limits::None => return None,
            Limits::Address => builder.limit(policy("address", quota!("2/hour")), address()),
            Limits::Several => builder
                .limit(
                    policy("failures", quota!("2/hour")).count(CountRule::Failures),
                    address(),
                )
                .limit(
                    policy("watching", quota!("1/hour")).mode(Mode::Shadow),
                    KeyBy::everyone(),
                ),
            Limits::Principal => {
                let key = KeyBy::principal().or_missing(Missing::Refuse);
                builder.limit(policy("principal", quota!("2/hour")), key)
            }
            Limits::Closed => {
                let policy = policy("address", quota!("2/hour"));
                builder.limit(policy.on_store_error(OnStoreError::FailClosed), address())
            }
        };
        Some(builder.build().unwrap())
    }
}

type Service0 = BoxCloneService<Request<Script>, Response<Answer>, Infallible>;
type Answer = http_body_util::combinators::UnsyncBoxBody<Bytes, String>;

fn boxed<S, B>(service: S) -> Service0
where
    S: Service<Request<Script>, Response = Response<B>, Error = Infallible, Future: Send>
        + Clone
        + Send
        + 'static,
    B: Body<Data = Bytes, Error: std::fmt::Display> + Send + 'static,
{
    BoxCloneService::new(service.map_response(erased::<B>))
}

fn inside() -> ClientIp {
    ClientIp::behind(["10.0.0.0/8"], ForwardedHeader::XForwardedFor).unwrap()
}

/// Both ways of the same service.
fn both(setup: Setup) -> [Service0; 2] {
    let ids = RequestIdLayer::trusting(["10.0.0.0/8"]).unwrap();
    let errors = ErrorsLayer::with_renderer(Renderer::new());
    let deadline = DeadlineLayer::new(Duration::from_secs(5)).budgets_from(inside());
    let body_limit = BodyLimitLayer::new(8).read_within(Duration::from_secs(2));
    let fused = FusedLayer::new(deadline.clone(), body_limit)
        .request_ids(ids.clone())
        .traces(TraceLayer::new())
        .errors(errors.clone())
        .rate_limits(setup.limits());
    let outer = (ids, TraceLayer::new(), errors, deadline);
    let stack = match setup.limits() {
        Some(limits) => {
            let layers = (outer, RateLimitLayer::new(limits), body_limit);
            boxed(layers.layer(service_fn(handle)))
        }
        None => boxed((outer, body_limit).layer(service_fn(handle))),
    };
    [stack, boxed(fused.layer(service_fn(handle)))]
}

/// A handler for each thing that handlers do. What it panics with in its call is no future yet.
fn handle<B>(request: Request<B>) -> impl Future<Output = Result<Response<Answer>, Infallible>>
where
    B: Body<Data = Bytes>,
{
    assert!(request.uri().path() != "/panic-in-call", "SELECT secret");
    async move { Ok(answer(request).await) }
}

async fn answer<B: Body<Data = Bytes>>(request: Request<B>) -> Response<Answer> {
    let text = |status: u16, text: &str| {
        let body = Script(vec![Step::Text(text.to_owned())]);
        let response = Response::builder().status(status).body(body).unwrap();
        erased(response)
    };
    let with = |status, fields: &[(&'static str, &'static str)]| {
        let mut response = text(status, "SELECT secret");
        for (name, value) in fields {
            let value = http::HeaderValue::from_static(value);
            response.headers_mut().append(*name, value);
        }
        response
    };
    match request.uri().path() {
        "/read" => match request.into_body().collect().await {
            Ok(body) => text(200, &format!("{} bytes", body.to_bytes().len())),
            Err(_) => text(400, "the body could not be read"),
        },
        "/unread" => text(400, "not that"),
        "/own" => refuse(
            ApiError::new(codes::VALIDATION_ERROR)
                .detail(Detail::new("required", "This field is required").field("name")),
        ),
        "/own-header" => {
            let mut response = refuse(
                ApiError::new(codes::SERVICE_UNAVAILABLE).retry_after(Duration::from_secs(7)),
            );
            let value = http::HeaderValue::from_static("60");
            response.headers_mut().insert("retry-after", value);
            response
        }
        "/foreign" => with(
            404,
            &[("content-type", "text/html"), ("x-hint", "try again")],
        ),
        "/method" => with(405, &[("allow", "POST")]),
        "/broken" => with(502, &[("x-debug", "secret"), ("retry-after", "3")]),
        "/changed" => {
            let mut response = refuse(ApiError::new(codes::NOT_FOUND));
            *response.status_mut() = http::StatusCode::CONFLICT;
            response
        }
        "/passthrough" => {
            let mut response = text(418, "as it is");
            response.extensions_mut().insert(Passthrough::new());
            response
        }
        "/grpc" => with(500, &[("content-type", "application/grpc+proto")]),
        "/named" => with(200, &[("x-request-id", "mine"), ("x-ratelimit-limit", "9")]),
        "/panic" => panic!("SELECT secret"),
        "/hang" => std::future::pending().await,
        "/fails-midway" => erased(Response::new(Script(vec![
            Step::Data(b"half"),
            Step::Fail("gone".into()),
        ]))),
        "/panics-midway" => erased(Response::new(Script(vec![Step::Panic("gone".into())]))),
        "/told" => {
            let id = request.extensions().get::<RequestId>().cloned();
            let origin = Origin::current().and_then(|origin| origin.request_id().cloned());
            let left = current().and_then(|deadline| deadline.remaining());
            text(200, &format!("{id:?} {} {left:?}", id == origin))
        }
        _ => text(200, "fine"),
    }
}

fn refuse(error: ApiError) -> Response<Answer> {
    erased(respond::<Script>(error))
}

fn erased<B>(response: Response<B>) -> Response<Answer>
where
    B: Body<Data = Bytes, Error: std::fmt::Display> + Send + 'static,
{
    response.map(|body| body.map_err(|error| error.to_string()).boxed_unsync())
}

/// An answer as it is compared.
#[derive(Debug, PartialEq)]
struct Seen {
    status: u16,
    headers: Vec<String>,
    body: Result<String, String>,
    attached: Option<String>,
}

async fn see(service: &Service0, request: Request<Script>) -> Seen {
    let Ok(response) = service.clone().oneshot(request).await;
    let (parts, body) = response.into_parts();
    let id = parts.headers["x-request-id"].to_str().unwrap().to_owned();
    let made = id.len() == 36 && id.starts_with("req_");
    let alike = |text: &str| match made {
        true => text.replace(&id, "{id}"),
        false => text.to_owned(),
    };
    let attached = parts.extensions.get::<Attached>();
    Seen {
        status: parts.status.as_u16(),
        headers: lines(&parts.headers, alike),
        body: (body.collect().await)
            .map(|body| alike(std::str::from_utf8(&body.to_bytes()).unwrap())),
        attached: attached.map(|attached| attached.error().code().id().to_owned()),
    }
}

fn lines(headers: &HeaderMap, alike: impl Fn(&str) -> String) -> Vec<String> {
    let line = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        format!("{name}: {}", alike(value.to_str().unwrap()))
    };
    let mut lines: Vec<_> = headers.iter().map(line).collect();
    lines.sort();
    lines
}

/// A request from a stranger.
fn get(path: &str) -> Request<Script> {
    from("203.0.113.9", path)
}

fn from(peer: &str, path: &str) -> Request<Script> {
    let mut request = Request::new(Script(Vec::new()));
    *request.uri_mut() = path.parse().unwrap();
    let peer = PeerAddr::new(peer.parse().unwrap());
    request.extensions_mut().insert(peer);
    request
}

fn with(mut request: Request<Script>, fields: &[(&'static str, &'static str)]) -> Request<Script> {
    for (name, value) in fields {
        let value = http::HeaderValue::from_static(value);
        request.headers_mut().append(*name, value);
    }
    request
}

fn post(path: &str, body: Vec<Step>) -> Request<Script> {
    let mut request = get(path).map(|_| Script(body));
    *request.method_mut() = Method::POST;
    request
}

/// Sends the same requests either way, and gives the answers that both agree about.
async fn agree(setup: Setup, requests: impl Fn() -> Vec<Request<Script>>) -> Vec<Seen> {
    let [stack, fused] = both(setup);
    let mut seen = Vec::new();
    for (ours, theirs) in requests().into_iter().zip(requests()) {
        let what = format!("{setup:?}: {} {}", ours.method(), ours.uri());
        let expected = see(&stack, theirs).await;
        assert_eq!(see(&fused, ours).await, expected, "{what}");
        seen.push(expected);
    }
    seen
}

fn statuses(seen: &[Seen]) -> Vec<u16> {
    seen.iter().map(|seen| seen.status).collect()
}

const PATHS: [(&str, u16); 18] = [
    ("/fine", 200),
    ("/unread", 400),
    ("/own", 422),
    ("/own-header", 503),
    ("/foreign", 404),
    ("/method", 405),
    ("/broken", 502),
    ("/changed", 409),
    ("/passthrough", 418),
    ("/grpc", 500),
    ("/named", 200),
    ("/panic", 500),
    ("/panic-in-call", 500),
    ("/hang", 504),
    ("/fails-midway", 200),
    ("/panics-midway", 200),
    ("/told", 200),
    ("/read", 200),
];

#[tokio::test(start_paused = true)]
async fn whatever_a_handler_does() {
    for (path, status) in PATHS {
        for limits in [Limits::None, Limits::Address, Limits::Several] {
            for mood in [Mood::Prompt, Mood::Late] {
                for method in [Method::GET, Method::HEAD] {
                    let requests = || {
                        let mut request = get(path);
                        *request.method_mut() = method.clone();
                        vec![request]
                    };
                    let seen = agree(Setup { mood, limits }, requests).await;
                    assert_eq!(statuses(&seen), [status], "{path}");
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn whatever_format_is_accepted() {
    let accepts = [
        "application/problem+json",
        "text/html",
        "application/problem+json;q=0.1, application/json",
    ];
    for accept in accepts {
        let requests = || {
            let paths = ["/own", "/foreign", "/panic"];
            // A problem writes an id of our own making in another way.
            let fields = [("accept", accept), ("x-request-id", "checkout-7")];
            let ask = |path| with(from("10.0.0.1", path), &fields);
            paths.map(ask).into()
        };
        let seen = agree(PROMPT, requests).await;
        assert_eq!(statuses(&seen), [422, 404, 429]);
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_is_over_the_limit() {
    for mood in [Mood::Prompt, Mood::Late] {
        let limits = Limits::Address;
        let requests = || {
            let mut head = get("/fine");
            *head.method_mut() = Method::HEAD;
            let mut requests: Vec<_> = (0..3).map(|_| get("/fine")).collect();
            requests.extend([head, get("/panic"), from("203.0.113.10", "/fine")]);
            requests
        };
        let seen = agree(Setup { mood, limits }, requests).await;
        assert_eq!(statuses(&seen), [200, 200, 429, 429, 429, 200]);
    }
}

#[tokio::test(start_paused = true)]
async fn what_does_not_count_is_given_back() {
    for mood in [Mood::Prompt, Mood::Late] {
        let limits = Limits::Several;
        let requests = || {
            let large = || post("/read", vec![Step::Data(b"more than eight")]);
            let announced = || with(get("/fine"), &[("content-length", "9")]);
            let mut requests: Vec<_> = (0..4).map(|_| get("/fine")).collect();
            requests.extend([large(), announced(), get("/fine")]);
            requests
        };
        let seen = agree(Setup { mood, limits }, requests).await;
        assert_eq!(statuses(&seen), [200, 200, 200, 200, 413, 413, 429]);
    }
}

#[tokio::test(start_paused = true)]
async fn bodies_that_break_their_bounds() {
    for mood in [Mood::Prompt, Mood::Late] {
        let requests = || {
            vec![
                with(get("/fine"), &[("content-length", "9")]),
                post("/read", vec![Step::Data(b"four"), Step::Data(b"and five")]),
            ]
        };
        let limits = Limits::Address;
        let seen = agree(Setup { mood, limits }, requests).await;
        assert_eq!(statuses(&seen), [413, 413]);
        let requests = || {
            vec![
                post("/read", vec![Step::Data(b"slow"), Step::Hang]),
                post("/read", vec![Step::Data(b"well"), Step::Data(b"sent")]),
                post("/read", vec![Step::Fail("a reset".into())]),
                post("/fine", vec![Step::Hang]),
            ]
        };
        let limits = Limits::None;
        let seen = agree(Setup { mood, limits }, requests).await;
        assert_eq!(statuses(&seen), [408, 200, 400, 200]);
    }
}

#[tokio::test(start_paused = true)]
async fn ids_and_budgets_of_strangers_and_of_friends() {
    let fields = [
        ("x-request-id", "checkout-7"),
        ("x-request-timeout-ms", "1500"),
        (
            "traceparent",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        ),
    ];
    let requests = || {
        vec![
            with(from("10.0.0.1", "/told"), &fields),
            with(from("10.0.0.1", "/hang"), &fields),
            with(from("203.0.113.9", "/told"), &fields),
            with(from("203.0.113.9", "/hang"), &fields),
            with(from("10.0.0.2", "/told"), &[("x-request-id", "a b")]),
            with(from("10.0.0.3", "/told"), &[("grpc-timeout", "2S")]),
        ]
    };
    let seen = agree(PROMPT, requests).await;
    assert_eq!(statuses(&seen), [200, 504, 200, 504, 200, 200]);
    assert_eq!(
        seen[0].body.as_deref(),
        Ok("Some(RequestId(checkout-7)) true Some(1.5s)")
    );
    assert_eq!(
        seen[2].body.as_deref(),
        Ok("Some(RequestId({id})) true Some(5s)")
    );
}

/// Who has no time left hears of that, whatever else was decided.
#[tokio::test(start_paused = true)]
async fn no_time_left() {
    for limits in [Limits::None, Limits::Address, Limits::Principal] {
        for mood in [Mood::Prompt, Mood::Late] {
            let requests = || {
                let none = [("x-request-timeout-ms", "0")];
                let ask = |path| with(from("10.0.0.1", path), &none);
                vec![ask("/fine"), ask("/fine"), ask("/fine"), ask("/panic")]
            };
            let seen = agree(Setup { mood, limits }, requests).await;
            assert_eq!(statuses(&seen), [504; 4]);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_deadline_outside_is_heeded() {
    let outer = seawall_timeout::Deadline::after(Duration::from_secs(1));
    let requests = || vec![get("/told"), get("/hang"), get("/fine"), get("/fine")];
    let work = agree(PROMPT, requests);
    let seen = seawall_timeout::scope(outer, work).await;
    // The fused service finds no time left where the layers hung.
    assert_eq!(statuses(&seen), [200, 504, 504, 504]);
}

#[tokio::test(start_paused = true)]
async fn requests_that_lack_their_key() {
    let limits = Limits::Principal;
    let mood = Mood::Prompt;
    let seen = agree(Setup { mood, limits }, || vec![get("/fine")]).await;
    assert_eq!(statuses(&seen), [401]);
}

#[tokio::test(start_paused = true)]
async fn stores_that_fail() {
    let unavailable = StoreFailure::Unavailable;
    let refused = StoreFailure::Refused;
    let cases = [
        (Mood::Fails(unavailable), Limits::Address, 200),
        (Mood::FailsLate(unavailable), Limits::Address, 200),
        (Mood::Fails(unavailable), Limits::Closed, 503),
        (Mood::FailsLate(unavailable), Limits::Closed, 503),
        (Mood::Fails(refused), Limits::Address, 429),
        (Mood::FailsLate(refused), Limits::Address, 429),
        (Mood::TooLate, Limits::Address, 504),
        (Mood::Panics, Limits::Address, 500),
    ];
    for (mood, limits, status) in cases {
        let seen = agree(Setup { mood, limits }, || vec![get("/fine")]).await;
        assert_eq!(statuses(&seen), [status], "{mood:?}");
    }
}

/// What stands inside writes no headers of its own, and what stands outside is handed the decision.
#[tokio::test]
async fn limits_inside_and_outside_speak_with_one_voice() {
    let limits = |name, quota| {
        let clock = Arc::new(ManualClock::new());
        let store = MemoryStore::builder().clock(clock).build();
        RateLimits::builder(store)
            .limit(Policy::new(name, quota).unwrap(), KeyBy::everyone())
            .build()
            .unwrap()
    };
    let outer = || RateLimitLayer::new(limits("outer", quota!("9/hour")));
    let middle = || limits("middle", quota!("8/hour"));
    let inner = || RateLimitLayer::new(limits("inner", quota!("1/hour")));
    let deadline = DeadlineLayer::new(Duration::from_secs(5));
    let body_limit = BodyLimitLayer::new(8);
    let fused = FusedLayer::new(deadline.clone(), body_limit).rate_limits(middle());
    let single = (
        (RequestIdLayer::new(), ErrorsLayer::new(), deadline),
        RateLimitLayer::new(middle()),
        body_limit,
    );
    let stack = boxed((outer(), single, inner()).layer(service_fn(handle)));
    let fused = boxed((outer(), fused, inner()).layer(service_fn(handle)));
    for status in [200, 429] {
        let expected = see(&stack, get("/fine")).await;
        assert_eq!(expected.status, status);
        assert_eq!(see(&fused, get("/fine")).await, expected);
        let policies = expected
            .headers
            .iter()
            .find(|line| line.starts_with("ratelimit-policy"));
        for name in ["outer", "middle", "inner"] {
            assert!(policies.unwrap().contains(name), "{expected:?}");
        }
    }
}

#[tokio::test]
async fn a_layer_without_limits_leaves_the_headers_to_those_inside() {
    let limits = PROMPT.limits().unwrap();
    let layer = FusedLayer::new(
        DeadlineLayer::new(Duration::from_secs(5)),
        BodyLimitLayer::new(8),
    );
    let service = boxed((layer, RateLimitLayer::new(limits)).layer(service_fn(handle)));
    let seen = see(&service, get("/fine")).await;
    let told = seen
        .headers
        .iter()
        .any(|line| line == "x-ratelimit-limit: 2");
    assert!(told, "{seen:?}");
}

#[tokio::test(start_paused = true)]
async fn an_adjusted_layer_changes_services_that_exist() {
    let layer = FusedLayer::new(
        DeadlineLayer::new(Duration::from_secs(5)),
        BodyLimitLayer::new(8),
    );
    let kept = layer.clone();
    let service = boxed(
        layer
            .request_ids(RequestIdLayer::new())
            .layer(service_fn(handle)),
    );
    let large = || post("/read", vec![Step::Data(b"ten bytes.")]);
    assert_eq!(see(&service, large()).await.status, 413);
    kept.adjust(Duration::from_secs(1), BodyLimitLayer::new(10));
    assert_eq!(see(&service, large()).await.status, 200);
    let late = see(&service, get("/hang")).await;
    assert!(late.body.unwrap().contains("1.0s"));
}
