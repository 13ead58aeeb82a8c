//! A service that the shop asks in turn, and what it was told.

use std::convert::Infallible;
use std::future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::service::Trouble;

/// Listens until it is dropped.
pub(super) struct Index {
    pub(super) address: SocketAddr,
    seen: Arc<Seen>,
    listening: JoinHandle<()>,
}

#[derive(Default)]
struct Seen {
    asked: Mutex<Vec<HeaderMap>>,
    held: AtomicUsize,
}

impl Index {
    pub(super) async fn start() -> Result<Self, Trouble> {
        let failed = |error: io::Error| Trouble::new(format!("no service for the shop: {error}"));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let seen = Arc::<Seen>::default();
        let listening = tokio::spawn(listen(listener, Arc::clone(&seen)));
        Ok(Self {
            address,
            seen,
            listening,
        })
    }

    /// The heads of the requests since the last time.
    pub(super) fn asked(&self) -> Vec<HeaderMap> {
        std::mem::take(&mut *self.seen.asked.lock())
    }

    /// How many callers wait for an answer that never comes.
    pub(super) fn held(&self) -> usize {
        self.seen.held.load(SeqCst)
    }
}

impl Drop for Index {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

async fn listen(listener: TcpListener, seen: Arc<Seen>) {
    // What cannot be accepted is a caller that is gone again.
    loop {
        if let Ok((stream, _)) = listener.accept().await {
            let seen = Arc::clone(&seen);
            let service = service_fn(move |request| answer(request, Arc::clone(&seen)));
            // Ends with the shop, which is the only caller.
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    }
}

async fn answer(
    request: Request<Incoming>,
    seen: Arc<Seen>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    seen.asked.lock().push(request.headers().clone());
    if request.uri().query() == Some("q=hang") {
        let _held = Held::on(&seen.held);
        future::pending::<()>().await;
    }
    Ok(Response::new(Full::from(
        r#"[{"id":1,"title":"Sea wall"}]"#,
    )))
}

/// Counts a caller until its call is dropped.
struct Held<'a>(&'a AtomicUsize);

impl<'a> Held<'a> {
    fn on(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, SeqCst);
        Self(count)
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}
