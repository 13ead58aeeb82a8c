//! The fused service says what the single layers say, to the letter.

mod answers;
mod budgets;
mod handler;
mod limits;
mod store;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response};
use http_body::Body;
use http_body_util::BodyExt;
use seawall_errors::Renderer;
use seawall_ratelimit::{CountRule, ManualClock, MemoryStore, Mode, OnStoreError, Policy, quota};
use seawall_tower::{
    Attached, BodyLimitLayer, DeadlineLayer, ErrorsLayer, FusedLayer, RateLimitLayer,
    RequestIdLayer, TraceLayer,
};
use seawall_web::limits::RateLimits;
use seawall_web::request::{ClientIp, ForwardedHeader, KeyBy, Missing, PeerAddr};
use static_assertions::assert_impl_all;
use tower::util::BoxCloneService;
use tower::{Layer, Service, ServiceExt, service_fn};

use crate::support::{Script, Step};
use handler::{erased, handle};
use store::{Mood, Shelf};

assert_impl_all!(FusedLayer<MemoryStore>: Clone, Send, Sync);

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
