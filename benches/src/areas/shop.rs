//! What guarding a whole service takes of its throughput: the shop, hardened and bare, asked for a user
//! over loopback by as many connections as keep both cores busy.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Instant;

use axum::serve::ListenerExt;
use memchr::memmem;
use shop::config::Config;
use shop::hardened::{App, Framework};
use shop::store::Stores;
use shop::{AppState, Telemetry};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};

use crate::{
    area::Case,
    work::{Work, figure},
};

/// A request's time, so that the bar of four fifths of the requests is one of 1.25.
pub(super) fn throughput() -> Case {
    Case::new("shop-throughput", || asked(hardened))
        .peer("bare", || asked(bare))
        .rounds(31)
}

/// The route does next to nothing: what is left is what stands around it.
const REQUEST: &[u8] = b"GET /api/users/1 HTTP/1.1\r\nhost: shop\r\n\r\n";
const CONNECTIONS: usize = 32;
/// Some tens of milliseconds, so that the first and the last answers, for which less is in flight, weigh
/// little.
const REQUESTS: u32 = 3_200;

/// The shop's own settings, with limits that nobody here reaches.
fn config() -> Config {
    let mut config = Config::default();
    config.limits.api = "1000000/second".parse().expect("a quota");
    config
}

fn asked(serve: fn(&Runtime, AppState) -> SocketAddr) -> Work {
    let runtime = Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime can be built");
    let state = AppState::new(config());
    let telemetry = state.telemetry.clone();
    let mut crowd = Crowd::new(serve(&runtime, state), telemetry);
    figure(move || {
        // The server lives as long as its clients.
        let _ = &runtime;
        crowd.ask(REQUESTS)
    })
}

fn bare(runtime: &Runtime, state: AppState) -> SocketAddr {
    let stores = Stores::in_memory(&state.config).expect("stores in memory");
    let router = shop::bare::router(state, stores.ledger);
    let (listener, address) = bind(runtime);
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    runtime.spawn(async { axum::serve(listener, service).await });
    address
}

fn hardened(runtime: &Runtime, state: AppState) -> SocketAddr {
    let _inside = runtime.enter();
    let stores = Stores::in_memory(&state.config).expect("stores in memory");
    let config = state.config.clone();
    let service = shop::hardened::service(Framework::Axum, state, &config, &stores);
    let service = service.expect("the settings are usable");
    let App::Axum { router, limits, .. } = service.app else {
        unreachable!("it was asked for axum")
    };
    let (listener, address) = bind(runtime);
    runtime.spawn(async move {
        // What watches the components goes on watching.
        let _health = &service.health;
        seawall_axum::serve(listener, router, limits).await
    });
    address
}

fn bind(runtime: &Runtime) -> (TcpListener, SocketAddr) {
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"));
    let listener = listener.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    (listener, address)
}

/// Connections that each have one request under way.
struct Crowd {
    connections: Vec<Connection>,
    telemetry: Telemetry,
}

impl Crowd {
    fn new(address: SocketAddr, telemetry: Telemetry) -> Self {
        Self {
            connections: (0..CONNECTIONS).map(|_| Connection::new(address)).collect(),
            telemetry,
        }
    }

    /// Nanoseconds a request.
    fn ask(&mut self, requests: u32) -> f64 {
        let start = Instant::now();
        let crowd = u32::try_from(CONNECTIONS).expect("a few connections");
        for connection in &mut self.connections {
            connection.send();
        }
        for turn in 0..requests {
            let connection = &mut self.connections[turn as usize % CONNECTIONS];
            connection.receive();
            if turn + crowd < requests {
                connection.send();
            }
        }
        let took = start.elapsed();
        // As the program does every five seconds: times that were measured are put into their buckets.
        drop(self.telemetry.page());
        took.as_secs_f64() * 1e9 / f64::from(requests)
    }
}

struct Connection {
    stream: TcpStream,
    read: Vec<u8>,
}

impl Connection {
    fn new(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("it listens");
        stream.set_nodelay(true).expect("it is a socket");
        Self {
            stream,
            read: Vec::with_capacity(4096),
        }
    }

    fn send(&mut self) {
        self.stream.write_all(REQUEST).expect("it is read");
    }

    /// Reads one answer, which is a good one.
    fn receive(&mut self) {
        self.read.clear();
        let mut chunk = [0; 4096];
        loop {
            let count = self.stream.read(&mut chunk).expect("an answer");
            assert!(count > 0, "the connection was kept");
            self.read.extend_from_slice(&chunk[..count]);
            match length(&self.read) {
                Some(length) if length == self.read.len() => break,
                Some(length) => assert!(self.read.len() < length, "one answer at a time"),
                None => {}
            }
        }
        let is_good = self.read.starts_with(b"HTTP/1.1 200 ");
        assert!(is_good, "{}", String::from_utf8_lossy(&self.read));
    }
}

/// How long an answer is in all, once its head is there.
fn length(answer: &[u8]) -> Option<usize> {
    let end = memmem::find(answer, b"\r\n\r\n")?;
    let field = b"\r\ncontent-length: ";
    let field_at = memmem::find(&answer[..end], field).expect("an answer of one piece");
    let digits = answer[field_at + field.len()..].iter();
    let length = digits
        .take_while(|byte| byte.is_ascii_digit())
        .fold(0, |length, digit| 10 * length + usize::from(digit - b'0'));
    Some(end + 4 + length)
}
