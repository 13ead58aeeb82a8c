//! Whether a service on actix pays more for its guards than one on axum.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use actix_web::dev::{Service as _, ServiceResponse};
use actix_web::test::{self, TestRequest};
use actix_web::{App, web};
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::routing::get;
use http::Request;
use seawall_ratelimit::{MemoryStore, Policy, Quota};
use seawall_web::request::{ClientIp, KeyBy};
use tokio::runtime::{Builder, Runtime};
use tower::Service as _;

use crate::{
    area::Case,
    clock,
    work::{Work, timed},
};

/// What the guards add to a request, on either framework: each takes its own bare service off.
pub(super) fn allow() -> Case {
    Case::new("actix-allow", || {
        added(on_actix(Guards::On), on_actix(Guards::Off))
    })
    .peer("ours on axum", || {
        added(on_axum(Guards::On), on_axum(Guards::Off))
    })
}

#[derive(Clone, Copy, PartialEq)]
enum Guards {
    On,
    Off,
}

/// Serves one more request, from the caller whose turn it is.
type Serve = Box<dyn FnMut()>;

/// The processor time of the guarded service without that of the bare one, which take short turns.
fn added(mut guarded: Serve, mut bare: Serve) -> Work {
    const TURN: u64 = 64;
    let time = |serve: &mut Serve, requests| {
        let start = clock::thread_time();
        for _ in 0..requests {
            serve();
        }
        clock::thread_time() - start
    };
    timed(move |operations| {
        let (mut with, mut without) = (Duration::ZERO, Duration::ZERO);
        let mut left = operations;
        while left > 0 {
            let requests = left.min(TURN);
            with += time(&mut guarded, requests);
            without += time(&mut bare, requests);
            left -= requests;
        }
        // Nothing is what the disturbance of a short turn can make of it.
        with.saturating_sub(without)
    })
}

const LIMIT: Duration = Duration::from_secs(30);
const BODY: u64 = 1024 * 1024;
/// Callers who come by turns.
const CALLERS: u32 = 1_000;

fn peer(turn: u32) -> SocketAddr {
    let base = Ipv4Addr::new(198, 18, 0, 0).to_bits();
    let address = Ipv4Addr::from_bits(base + turn % CALLERS);
    SocketAddr::new(IpAddr::V4(address), 4711)
}

/// A limit by address of a service in good order: all of it is back a turn later.
fn policy() -> Policy {
    let quota = Quota::new(1, Duration::from_micros(1))
        .expect("one a microsecond is the most that a quota may say")
        .with_burst(100);
    Policy::new("address", quota).expect("the name is valid")
}

fn by_address() -> KeyBy {
    KeyBy::address(ClientIp::peer())
}

fn on_axum(guards: Guards) -> Serve {
    let mut service = axum::Router::new().route("/things", get(|| async { "things" }));
    if guards == Guards::On {
        service = seawall_axum::Seawall::builder(MemoryStore::default())
            .deadline(LIMIT)
            .body_limit(BODY)
            .limit(policy(), by_address())
            .build()
            .expect("one policy is a policy")
            .protect(service);
    }
    let runtime = runtime();
    let mut turn = 0_u32;
    warm(Box::new(move || {
        let _inside = runtime.enter();
        turn = turn.wrapping_add(1);
        let mut request = Request::new(Body::empty());
        *request.uri_mut() = http::Uri::from_static("/things");
        request.extensions_mut().insert(ConnectInfo(peer(turn)));
        let mut cx = Context::from_waker(Waker::noop());
        match pin!(service.call(request)).poll(&mut cx) {
            Poll::Ready(Ok(response)) => assert_eq!(response.status(), 200),
            _ => panic!("the answer is there at once"),
        }
    }))
}

fn on_actix(guards: Guards) -> Serve {
    let scope = || web::scope("").route("/things", web::get().to(|| async { "things" }));
    match guards {
        Guards::Off => serve_actix(App::new().service(scope())),
        Guards::On => {
            let seawall = seawall_actix::Seawall::builder(MemoryStore::default())
                .deadline(LIMIT)
                .body_limit(BODY)
                .limit(policy(), by_address())
                .build()
                .expect("one policy is a policy");
            serve_actix(App::new().service(seawall.protect(scope())))
        }
    }
}

fn serve_actix<T, B>(app: App<T>) -> Serve
where
    T: actix_web::dev::ServiceFactory<
            actix_web::dev::ServiceRequest,
            Config = (),
            Response = ServiceResponse<B>,
            Error = actix_web::Error,
            InitError = (),
        > + 'static,
    B: actix_web::body::MessageBody + 'static,
{
    let runtime = runtime();
    let service = runtime.block_on(test::init_service(app));
    let mut turn = 0_u32;
    warm(Box::new(move || {
        let _inside = runtime.enter();
        turn = turn.wrapping_add(1);
        let request = TestRequest::with_uri("/things").peer_addr(peer(turn));
        let mut cx = Context::from_waker(Waker::noop());
        match pin!(service.call(request.to_request())).poll(&mut cx) {
            Poll::Ready(Ok(response)) => assert_eq!(response.status(), 200),
            _ => panic!("the answer is there at once"),
        }
    }))
}

/// Every caller has been there once.
fn warm(mut serve: Serve) -> Serve {
    for _ in 0..CALLERS {
        serve();
    }
    serve
}

fn runtime() -> Runtime {
    Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime can be built")
}
