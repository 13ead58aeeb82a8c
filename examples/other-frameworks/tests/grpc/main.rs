//! A tonic service behind the layers, asked by a tonic client over a socket.

mod ping;

use std::net::SocketAddr;
use std::time::Duration;

use http::{Request, Response};
use other_frameworks::{Bounds, grpc};
use seawall_ratelimit::{Quota, quota};
use seawall_tower::{DeadlineLayer, RateLimitLayer, RequestIdLayer};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::body::Body;
use tonic::service::Routes;
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Code, Status};
use tower::util::{MapRequestLayer, MapResponseLayer};
use tower::{Layer, Service, ServiceBuilder};

use ping::{Client, Ping};

fn bounds(quota: Quota) -> Bounds {
    Bounds {
        deadline: Duration::from_millis(500),
        body: 1024,
        quota,
    }
}

async fn serve<L, B>(ping: Ping, layer: L) -> Client
where
    L: Layer<Routes> + Clone + Send + Sync + 'static,
    L::Service:
        Service<Request<Body>, Response = Response<B>, Future: Send> + Clone + Send + 'static,
    <L::Service as Service<Request<Body>>>::Error:
        Into<Box<dyn std::error::Error + Send + Sync>> + Send,
    B: http_body::Body<Data = bytes::Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = Server::builder().layer(layer).add_service(ping);
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    Client::new(connect(address).await)
}

async fn connect(address: SocketAddr) -> Channel {
    let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
    endpoint.connect().await.unwrap()
}

/// With refusals in the form of gRPC.
async fn hardened(ping: Ping, quota: Quota) -> Client {
    let layers = ServiceBuilder::new()
        .layer(MapRequestLayer::new(grpc::introduce))
        .layer(MapResponseLayer::new(grpc::refusals))
        .layer(bounds(quota).fused().unwrap())
        .into_inner();
    serve(ping, layers).await
}

fn id(metadata: &tonic::metadata::MetadataMap) -> &str {
    metadata
        .get("x-request-id")
        .map_or("", |id| id.to_str().unwrap())
}

fn field<'a>(status: &'a Status, name: &str) -> &'a str {
    let value = status.metadata().get(name);
    value.map_or("", |value| value.to_str().unwrap())
}

#[tokio::test]
async fn a_ping_passes_through_the_single_layers() {
    let bounds = bounds(quota!("10/day"));
    let layers = ServiceBuilder::new()
        .layer(MapRequestLayer::new(grpc::introduce))
        .layer(RequestIdLayer::new())
        .layer(DeadlineLayer::new(bounds.deadline))
        .layer(RateLimitLayer::new(bounds.limits().unwrap()))
        .into_inner();
    let mut client = serve(Ping::default(), layers).await;
    for left in ["9", "8"] {
        let answer = client.ping("hello").await.unwrap();
        assert!(id(answer.metadata()).starts_with("req_"));
        let remaining = answer.metadata().get("x-ratelimit-remaining");
        assert_eq!(remaining.unwrap().to_str().unwrap(), left);
        assert_eq!(answer.into_inner(), "hello");
    }
}

/// What a service says of itself is none of the layers' business.
#[tokio::test]
async fn a_status_of_the_service_is_left_as_it_is() {
    let mut client = hardened(Ping::default(), quota!("10/day")).await;
    let status = client.ping("missing").await.unwrap_err();
    assert_eq!(
        (status.code(), status.message()),
        (Code::NotFound, "no such thing")
    );
    assert!(id(status.metadata()).starts_with("req_"));
}

#[tokio::test]
async fn refusals_are_statuses_of_grpc() {
    let mut client = hardened(Ping::default(), quota!("3/day")).await;
    for (asked, code, message) in [
        ("panic", Code::Internal, "Internal server error"),
        (
            "hang",
            Code::DeadlineExceeded,
            "Request timed out after 0.5s",
        ),
    ] {
        let status = client.ping(asked).await.unwrap_err();
        assert_eq!(status.code(), code, "{status:?}");
        assert!(status.message().contains(message), "{status:?}");
        assert!(id(status.metadata()).starts_with("req_"), "{status:?}");
    }
    client.ping("the last one").await.unwrap();
    let status = client.ping("one too many").await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted, "{status:?}");
    assert_eq!(field(&status, "x-ratelimit-remaining"), "0");
    assert!(
        field(&status, "retry-after")
            .parse::<u32>()
            .is_ok_and(|wait| wait > 0)
    );
}

/// A message announces no length, so it is cut off while tonic reads it, and tonic says so in a status of
/// its own.
#[tokio::test]
async fn a_message_over_the_body_limit_is_cut_off() {
    let mut client = hardened(Ping::default(), quota!("10/day")).await;
    let status = client.ping(&"x".repeat(2048)).await.unwrap_err();
    let told = (status.code(), status.message());
    assert_eq!(told, (Code::Unknown, "the body is longer than allowed"));
    assert!(id(status.metadata()).starts_with("req_"));
}

/// Without the translation, a client sees an HTTP answer where it expects gRPC. What it makes of it
/// is its own: tonic takes the JSON for a broken message, others go by the status line.
#[tokio::test]
async fn untranslated_refusals_are_http_answers() {
    let layers = ServiceBuilder::new()
        .layer(MapRequestLayer::new(grpc::introduce))
        .layer(bounds(quota!("1/day")).fused().unwrap())
        .into_inner();
    let mut client = serve(Ping::default(), layers).await;
    client.ping("hello").await.unwrap();
    let status = client.ping("one too many").await.unwrap_err();
    assert_eq!(status.code(), Code::Internal, "{status:?}");
    assert!(status.message().contains("429"), "{status:?}");
}

/// Each message arrives before the next one is made, long after the deadline for the head, and the
/// end is the service's own.
#[tokio::test]
async fn a_stream_is_neither_held_back_nor_cut() {
    let (ping, messages) = Ping::streaming();
    let mut client = hardened(ping, quota!("10/day")).await;
    messages.send(Ok("0".to_owned())).await.unwrap();
    let answer = client.watch().await.unwrap();
    assert!(id(answer.metadata()).starts_with("req_"));
    let mut stream = answer.into_inner();
    assert_eq!(stream.message().await.unwrap().as_deref(), Some("0"));
    tokio::time::sleep(bounds(quota!("1/day")).deadline * 2).await;
    for n in 1..4 {
        messages.send(Ok(n.to_string())).await.unwrap();
        assert_eq!(stream.message().await.unwrap(), Some(n.to_string()));
    }
    messages
        .send(Err(Status::data_loss("the rest is gone")))
        .await
        .unwrap();
    let status = stream.message().await.unwrap_err();
    assert_eq!(
        (status.code(), status.message()),
        (Code::DataLoss, "the rest is gone")
    );
}
