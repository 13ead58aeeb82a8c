//! Services that behave badly on demand, and a way to read what comes out.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Full};
use tower::{Service, ServiceExt};

pub(crate) type Plain = Full<Bytes>;

pub(crate) fn get(uri: &str) -> Request<Plain> {
    Request::builder().uri(uri).body(Plain::default()).unwrap()
}

pub(crate) fn answer(status: u16, body: &'static str) -> Response<Plain> {
    Response::builder()
        .status(status)
        .body(Plain::from(body))
        .unwrap()
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Read {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Read {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }

    pub(crate) fn code(&self) -> String {
        self.json()["error"].as_str().unwrap().to_owned()
    }
}

/// Sends one request and reads the answer to its end.
pub(crate) async fn send<S, ReqB, ResB>(service: S, request: Request<ReqB>) -> Read
where
    S: Service<Request<ReqB>, Response = Response<ResB>, Error = Infallible>,
    ResB: Body<Data = Bytes>,
    ResB::Error: std::fmt::Debug,
{
    let Ok(response) = service.oneshot(request).await;
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    Read {
        status: parts.status,
        headers: parts.headers,
        body: String::from_utf8(bytes.to_vec()).unwrap(),
    }
}

/// A body given as a script: each poll takes the next step, and the end is the end.
pub(crate) struct Script(pub(crate) Vec<Step>);

pub(crate) enum Step {
    Data(&'static [u8]),
    Text(String),
    Fail(String),
    Panic(String),
    /// Never ready again.
    Hang,
}

impl Body for Script {
    type Data = Bytes;
    type Error = String;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, String>>> {
        if self.0.is_empty() {
            return Poll::Ready(None);
        }
        match self.0.remove(0) {
            Step::Data(data) => Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(data))))),
            Step::Text(text) => Poll::Ready(Some(Ok(Frame::data(Bytes::from(text))))),
            Step::Fail(message) => Poll::Ready(Some(Err(message))),
            Step::Panic(message) => panic!("{message}"),
            Step::Hang => {
                self.0.insert(0, Step::Hang);
                Poll::Pending
            }
        }
    }
}

/// Collects what is logged while it is the default subscriber of this thread.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    pub(crate) fn start(&self) -> tracing::subscriber::DefaultGuard {
        self.start_at(tracing::Level::TRACE)
    }

    pub(crate) fn start_at(&self, level: tracing::Level) -> tracing::subscriber::DefaultGuard {
        let log = self.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(level)
            .with_ansi(false)
            .without_time()
            .with_writer(move || log.clone())
            .finish();
        hear_everything();
        tracing::subscriber::set_default(subscriber)
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

/// Keeps every place that logs awake. Where no thread has a subscriber at the moment, `tracing` may
/// mark a place as one that nobody hears, just when another test begins to listen.
fn hear_everything() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let silent = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_writer(std::io::sink)
            .finish();
        // Another one would do as well.
        let _ = tracing::subscriber::set_global_default(silent);
    });
}

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
