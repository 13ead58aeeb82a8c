//! What a caller pays for being counted: allowed and denied, one key and a million, alone and in layers.
//!
//! The clock is the largest part of it. So the hot key is measured with the operating system's, which is
//! our default, and with the coarse one; where keys, threads and policies are the question, both sides
//! read the same clock, which is governor's default: the processor's counter, by quanta.

mod shared;

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use axum::{body::Body, extract::ConnectInfo};
use governor::{DefaultKeyedRateLimiter, Quota as Theirs, RateLimiter};
use http::{Request, Response};
use seawall_ratelimit::headers::Dialect;
use seawall_ratelimit::{
    CoarseClock, KeyBuf, Limiter, MemoryStore, Policies, Policy, QuantaClock, Quota,
};
use seawall_tower::RateLimitLayer;
use seawall_web::limits::RateLimits;
use seawall_web::request::{ClientIp, KeyBy, Known, PeerAddr};
use tower::{Layer, Service, service_fn};
use tower_governor::GovernorLayer;
use tower_governor::governor::GovernorConfigBuilder;

use crate::{
    area::{Area, Case},
    clock,
    work::{Work, constant, figure, peak_bytes, repeat, threads},
};

/// The cases.
#[must_use]
pub fn area() -> Area {
    Area::new("ratelimit")
        .case(
            Case::new("hot-key-allow", || hot(system(), open()))
                .peer("governor", || their_hot(RateLimiter::keyed(their_open()))),
        )
        .case(
            Case::new("hot-key-allow-coarse", || hot(coarse(), open()))
                .peer("governor", || their_hot(RateLimiter::keyed(their_open()))),
        )
        .case(
            Case::new("hot-key-deny", || hot(system(), shut()))
                .peer("governor", || their_hot(RateLimiter::keyed(their_shut()))),
        )
        .case(
            Case::new("hot-key-deny-coarse", || hot(coarse(), shut()))
                .peer("governor", || their_hot(RateLimiter::keyed(their_shut()))),
        )
        .case(Case::new("hot-key-allow-2-threads", hot_by_two).peer("governor", their_hot_by_two))
        .case(Case::new("million-keys", million).peer("governor", their_million))
        .case(
            Case::new("million-keys-2-threads", million_by_two)
                .peer("governor", their_million_by_two),
        )
        .case(Case::new("four-policies", || four(counter())).peer("governor", their_four))
        .case(Case::new("four-policies-coarse", || four(coarse())).peer("governor", their_four))
        .case(
            Case::heap("million-keys-memory", || peak_bytes(fill))
                .peer("bound", || constant(24.0e6))
                .peer("governor", || peak_bytes(their_fill))
                .rounds(3),
        )
        .case(
            Case::new("insert-slowest", || figure(slow_insert))
                .peer("governor", || figure(their_slow_insert))
                .rounds(5),
        )
        .case(
            Case::new("layer-allow", layer)
                .peer("tower_governor", their_layer)
                .over("no-op layer", || through(service_fn(answer), true)),
        )
        .case(shared::case())
}

const MILLION: usize = 1_000_000;

/// A key as services have them: 16 bytes on the heap.
fn key(number: usize) -> String {
    format!("customer-{number:07}")
}

/// A quota that a loop does not exhaust: one a microsecond, and a burst of more than an hour.
fn open() -> Quota {
    Quota::new(1, Duration::from_micros(1))
        .expect("one a microsecond is the most that a quota may say")
        .with_burst(u32::MAX)
}

fn their_open() -> Theirs {
    let burst = NonZeroU32::MAX;
    Theirs::with_period(Duration::from_micros(1))
        .expect("a microsecond is not zero")
        .allow_burst(burst)
}

/// A quota that one call exhausts for a day.
fn shut() -> Quota {
    Quota::per_day(1)
}

fn their_shut() -> Theirs {
    Theirs::with_period(Duration::from_secs(86_400)).expect("a day is not zero")
}

fn system() -> MemoryStore {
    MemoryStore::default()
}

fn coarse() -> MemoryStore {
    let clock = CoarseClock::start(Duration::from_millis(1)).expect("a thread can be started");
    MemoryStore::builder().clock(clock).build()
}

fn counter() -> MemoryStore {
    MemoryStore::builder().clock(QuantaClock::new()).build()
}

type Peer = DefaultKeyedRateLimiter<String>;

fn hot(store: MemoryStore, quota: Quota) -> Work {
    let limiter = Limiter::new(store, quota);
    let key = key(4711);
    let _ = limiter.admit(&key);
    repeat(move || limiter.admit(black_box(&key)).is_ok())
}

fn their_hot(limiter: Peer) -> Work {
    let key = key(4711);
    let _ = limiter.check_key(&key);
    repeat(move || limiter.check_key(black_box(&key)).is_ok())
}

fn hot_by_two() -> Work {
    let limiter = Limiter::new(counter(), open());
    let key = key(4711);
    threads(2, move |_| limiter.admit(black_box(&key)).is_ok())
}

fn their_hot_by_two() -> Work {
    let limiter: Peer = RateLimiter::keyed(their_open());
    let key = key(4711);
    threads(2, move |_| limiter.check_key(black_box(&key)).is_ok())
}

fn keys() -> Vec<String> {
    (0..MILLION).map(key).collect()
}

/// A million callers in the order in which they come: none that one could guess. A request brings its
/// key along, fresh in the cache; so the keys lie in this order in memory too, and what is far away is
/// what the limiter remembers of them.
fn arrivals() -> Vec<String> {
    // A step that has no divisor in common with the million visits each number once.
    let mut number = 0;
    (0..MILLION)
        .map(|_| {
            number = (number + 618_033) % MILLION;
            key(number)
        })
        .collect()
}

/// A million keys at three quarters of the slots: the capacity.
fn filled() -> (Limiter<MemoryStore>, Vec<String>) {
    let store = MemoryStore::builder()
        .capacity(MILLION)
        .clock(QuantaClock::new());
    let limiter = Limiter::new(store.build(), open());
    for key in keys() {
        let _ = limiter.admit(&key);
    }
    (limiter, arrivals())
}

fn their_filled() -> (Peer, Vec<String>) {
    let limiter: Peer = RateLimiter::keyed(their_open());
    for key in keys() {
        let _ = limiter.check_key(&key);
    }
    (limiter, arrivals())
}

fn at(step: u64) -> usize {
    usize::try_from(step % MILLION as u64).expect("below a million")
}

fn million() -> Work {
    let (limiter, keys) = filled();
    let mut step = 0;
    repeat(move || {
        step += 1;
        limiter.admit(&keys[at(step)]).is_ok()
    })
}

fn their_million() -> Work {
    let (limiter, keys) = their_filled();
    let mut step = 0;
    repeat(move || {
        step += 1;
        limiter.check_key(&keys[at(step)]).is_ok()
    })
}

/// Each thread goes its own way among the same keys.
fn apart(thread: usize, step: u64) -> usize {
    at(step + (thread * MILLION / 2) as u64)
}

fn million_by_two() -> Work {
    let (limiter, keys) = filled();
    threads(2, move |turn| {
        limiter.admit(&keys[apart(turn.thread, turn.step)]).is_ok()
    })
}

fn their_million_by_two() -> Work {
    let (limiter, keys) = their_filled();
    threads(2, move |turn| {
        limiter
            .check_key(&keys[apart(turn.thread, turn.step)])
            .is_ok()
    })
}

/// The four layers of the article.
const LAYERS: [&str; 4] = ["address", "endpoint", "user", "project"];

/// All four in one decision, keys framed as adapters frame them.
fn four(store: MemoryStore) -> Work {
    let policies = LAYERS
        .into_iter()
        .fold(Policies::builder(store), |builder, name| {
            builder.policy(Policy::new(name, open()).expect("the name is valid"))
        })
        .build()
        .expect("the names differ");
    let keys = LAYERS.map(|name| Some(KeyBuf::new().push(name).push(key(4711))));
    let _ = policies.admit(&keys);
    repeat(move || policies.admit(black_box(&keys)).is_ok())
}

fn their_four() -> Work {
    let limiters: [Peer; 4] = std::array::from_fn(|_| RateLimiter::keyed(their_open()));
    let keys: [String; 4] = std::array::from_fn(|layer| key(4711 + layer));
    repeat(move || {
        let pairs = limiters.iter().zip(black_box(&keys));
        pairs.fold(true, |allowed, (limiter, key)| {
            allowed & limiter.check_key(key).is_ok()
        })
    })
}

/// A million keys, in a store for that many. Keys come from outside, as a request's do.
fn fill() -> Limiter<MemoryStore> {
    let limiter = Limiter::new(MemoryStore::new(MILLION), shut());
    for number in 0..MILLION {
        let _ = limiter.admit(key(number));
    }
    limiter
}

fn their_fill() -> Peer {
    let limiter: Peer = RateLimiter::keyed(their_shut());
    for number in 0..MILLION {
        let _ = limiter.check_key(&key(number));
    }
    limiter
}

fn slow_insert() -> f64 {
    let limiter = Limiter::new(MemoryStore::new(2 * MILLION), shut());
    slowest(|key| limiter.admit(key).is_ok())
}

fn their_slow_insert() -> f64 {
    let limiter: Peer = RateLimiter::keyed(their_shut());
    slowest(|key| limiter.check_key(key).is_ok())
}

/// What the slowest ten-thousandth of two million new keys take on average, in nanoseconds of the
/// thread.
///
/// Not the 99.99th percentile itself: between two readings of the clock with nothing in between, that
/// is 25 microseconds on a machine with a hypervisor and neighbours, of the 40 that either side has
/// there. It tells of the machine's interrupts; what a table does to its callers when it grows, to
/// a hundred of them, lies beyond.
fn slowest(insert: impl Fn(&String) -> bool) -> f64 {
    let mut times: Vec<Duration> = (0..2 * MILLION)
        .map(|number| {
            let key = key(number);
            let start = clock::thread_time();
            black_box(insert(&key));
            clock::thread_time() - start
        })
        .collect();
    let count = times.len() / 10_000;
    times.select_nth_unstable_by(count, |a, b| b.cmp(a));
    let slowest: Duration = times[..count].iter().sum();
    #[expect(clippy::cast_precision_loss, reason = "two hundred")]
    let count = count as f64;
    slowest.as_secs_f64() * 1e9 / count
}

type Call = Request<()>;
type Answer = Response<Body>;

fn answer(_: Call) -> Ready<Result<Answer, Infallible>> {
    ready(Ok(Response::new(Body::empty())))
}

/// Callers who come by turns.
const CALLERS: u32 = 1_000;

/// What each of them may do at once. A turn later all of it is there again: the limit of a service in
/// good order, on both sides.
const CAPACITY: u32 = 100;

fn peer(turn: u32) -> SocketAddr {
    let base = Ipv4Addr::new(198, 18, 0, 0).to_bits();
    let address = Ipv4Addr::from_bits(base + turn % CALLERS);
    SocketAddr::new(IpAddr::V4(address), 4711)
}

/// By address, with the family of header fields that the peer writes too.
fn layer() -> Work {
    let quota = open().with_burst(CAPACITY);
    let policy = Policy::new("address", quota).expect("the name is valid");
    let limits = RateLimits::builder(system())
        .dialects(Dialect::XRateLimit.into())
        .limit(policy, KeyBy::address(ClientIp::peer()))
        .build()
        .expect("one policy is a policy");
    through(RateLimitLayer::new(limits).layer(service_fn(answer)), true)
}

/// By address, with its header fields.
fn their_layer() -> Work {
    let config = GovernorConfigBuilder::default()
        .period(Duration::from_micros(1))
        .burst_size(CAPACITY)
        .use_headers()
        .finish()
        .expect("neither is zero");
    through(GovernorLayer::new(config).layer(service_fn(answer)), false)
}

/// The whole way of a request through a service: made, called, and its future to the end.
fn through<S, B>(mut service: S, ours: bool) -> Work
where
    S: Service<Call, Response = Response<B>> + 'static,
{
    let mut turn = 0_u32;
    let mut call = move || {
        turn = turn.wrapping_add(1);
        let mut request = Request::new(());
        // One extension for either, as its framework's server or adapter leaves it: who calls.
        if ours {
            let known = Known::new().with_peer(PeerAddr::from(peer(turn)));
            request.extensions_mut().insert(known);
        } else {
            request.extensions_mut().insert(ConnectInfo(peer(turn)));
        }
        let mut cx = Context::from_waker(Waker::noop());
        let Poll::Ready(Ok(())) = service.poll_ready(&mut cx) else {
            return false;
        };
        let call = pin!(service.call(request));
        match call.poll(&mut cx) {
            Poll::Ready(Ok(response)) => black_box(response).status().is_success(),
            _ => false,
        }
    };
    // Whoever does not know the caller answers fast, and answers nothing of use.
    assert!(call(), "the request passes");
    repeat(call)
}
