//! A service and its client as generated code has them, without the code: messages are text.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use bytes::{Buf, BufMut};
use http::uri::PathAndQuery;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::body::Body;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder, Streaming};
use tonic::server::NamedService;
use tonic::transport::Channel;
use tonic::{Request, Response, Status};
use tower::{Service, service_fn};

const PING: &str = "/test.Ping/Ping";
const WATCH: &str = "/test.Ping/Watch";

type Messages = mpsc::Receiver<Result<String, Status>>;

/// Answers a text with the same text, or as it says.
#[derive(Clone, Default)]
pub(crate) struct Ping {
    /// What the next watcher is sent.
    stream: Arc<Mutex<Option<Messages>>>,
}

impl Ping {
    /// With a stream of messages that comes from elsewhere.
    pub(crate) fn streaming() -> (Self, mpsc::Sender<Result<String, Status>>) {
        let (send, receive) = mpsc::channel(1);
        let stream = Arc::new(Mutex::new(Some(receive)));
        (Self { stream }, send)
    }
}

impl NamedService for Ping {
    const NAME: &'static str = "test.Ping";
}

impl<B> Service<http::Request<B>> for Ping
where
    B: http_body::Body + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>> + Send,
{
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<http::Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        let stream = Arc::clone(&self.stream);
        Box::pin(async move {
            let mut grpc = tonic::server::Grpc::new(Text);
            Ok(match request.uri().path() {
                PING => grpc.unary(service_fn(answer), request).await,
                WATCH => {
                    let watch = service_fn(move |_: Request<String>| {
                        let messages = stream.lock().unwrap().take();
                        let messages = messages.expect("one watcher");
                        async { Ok(Response::new(ReceiverStream::new(messages))) }
                    });
                    grpc.server_streaming(watch, request).await
                }
                _ => Status::unimplemented("").into_http(),
            })
        })
    }
}

async fn answer(request: Request<String>) -> Result<Response<String>, Status> {
    match request.get_ref().as_str() {
        "panic" => panic!("SELECT secret FROM vault"),
        "hang" => std::future::pending().await,
        "missing" => Err(Status::not_found("no such thing")),
        _ => Ok(Response::new(request.into_inner())),
    }
}

pub(crate) struct Client(tonic::client::Grpc<Channel>);

impl Client {
    pub(crate) fn new(channel: Channel) -> Self {
        Self(tonic::client::Grpc::new(channel))
    }

    pub(crate) async fn ping(&mut self, text: &str) -> Result<Response<String>, Status> {
        self.0.ready().await.unwrap();
        let request = Request::new(text.to_owned());
        self.0
            .unary(request, PathAndQuery::from_static(PING), Text)
            .await
    }

    pub(crate) async fn watch(&mut self) -> Result<Response<Streaming<String>>, Status> {
        self.0.ready().await.unwrap();
        let path = PathAndQuery::from_static(WATCH);
        self.0
            .server_streaming(Request::new(String::new()), path, Text)
            .await
    }
}

/// Messages are text.
#[derive(Clone, Copy)]
struct Text;

impl Codec for Text {
    type Encode = String;
    type Decode = String;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        *self
    }

    fn decoder(&mut self) -> Self {
        *self
    }
}

impl Encoder for Text {
    type Item = String;
    type Error = Status;

    fn encode(&mut self, text: String, into: &mut EncodeBuf<'_>) -> Result<(), Status> {
        into.put_slice(text.as_bytes());
        Ok(())
    }
}

impl Decoder for Text {
    type Item = String;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<String>, Status> {
        let bytes = from.copy_to_bytes(from.remaining());
        match String::from_utf8(bytes.to_vec()) {
            Ok(text) => Ok(Some(text)),
            Err(_) => Err(Status::internal("not text")),
        }
    }
}
