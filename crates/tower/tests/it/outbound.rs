//! What is sent along with calls to others.

use std::convert::Infallible;

use http::{HeaderMap, Request, Response};
use seawall_errors::RequestId;
use seawall_errors::trace::TraceContext;
use seawall_tower::{Origin, OutboundLayer, RequestIdLayer, TraceLayer};
use tower::{Layer, Service, ServiceExt, service_fn};

use crate::support::{Log, Plain, answer, get};

type Sent = Response<HeaderMap>;

/// A client that answers with the headers that it was given to send.
fn client() -> impl Clone + Service<Request<Plain>, Response = Sent, Error = Infallible> {
    service_fn(|request: Request<Plain>| async move {
        tracing::info!("sending");
        Ok(Response::new(request.headers().clone()))
    })
}

async fn call(layer: OutboundLayer, request: Request<Plain>) -> HeaderMap {
    let Ok(sent) = layer.layer(client()).oneshot(request).await;
    sent.into_body()
}

fn origin() -> (Origin, RequestId, TraceContext) {
    let parents = ["00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"];
    let context = TraceContext::from_headers(parents, ["rojo=1", "congo=2"]);
    let id = RequestId::generate();
    let origin = Origin::new()
        .with_request_id(id.clone())
        .with_trace(context.clone());
    (origin, id, context)
}

#[tokio::test]
async fn all_three_headers_are_sent_on_behalf_of_the_current_request() {
    let (origin, id, context) = origin();
    let sent = origin.scope(call(OutboundLayer::new(), get("/"))).await;
    assert_eq!(sent["x-request-id"], id.as_str());
    assert_eq!(sent["tracestate"], "rojo=1,congo=2");
    let sent = TraceContext::from_headers([&sent["traceparent"]], [""]);
    assert_eq!(sent.parent().trace_id(), context.parent().trace_id());
    assert_ne!(sent.parent().parent_id(), context.parent().parent_id());
    assert!(sent.parent().is_sampled());
}

#[tokio::test]
async fn each_call_has_a_parent_of_its_own() {
    let (origin, ..) = origin();
    let calls = async {
        let mut parents = Vec::new();
        for _ in 0..3 {
            parents.push(call(OutboundLayer::new(), get("/")).await["traceparent"].clone());
        }
        parents
    };
    let parents = origin.scope(calls).await;
    assert!(parents[0] != parents[1] && parents[1] != parents[2] && parents[0] != parents[2]);
}

#[tokio::test]
async fn the_extensions_of_the_outgoing_request_win() {
    let (origin, _, context) = origin();
    let mut request = get("/");
    request.extensions_mut().insert(context);
    let other = Origin::new().with_trace(TraceContext::root(false));
    let sent = other.scope(call(OutboundLayer::new(), request)).await;
    assert!(
        sent["traceparent"]
            .to_str()
            .unwrap()
            .contains("0af7651916cd43dd8448eb211c80319c")
    );
    assert!(
        !sent.contains_key("x-request-id"),
        "the extensions name none"
    );
    assert!(Origin::current().is_none());
    drop(origin);
}

#[tokio::test]
async fn headers_copied_from_a_caller_are_replaced() {
    let copied = || {
        let mut request = get("/");
        for name in ["x-request-id", "traceparent", "tracestate"] {
            request.headers_mut().append(name, "a".parse().unwrap());
            request.headers_mut().append(name, "b".parse().unwrap());
        }
        request
    };
    let origin = Origin::new()
        .with_request_id(RequestId::generate())
        .with_trace(TraceContext::root(false));
    let sent = origin
        .clone()
        .scope(call(OutboundLayer::new(), copied()))
        .await;
    for name in ["x-request-id", "traceparent"] {
        let lines: Vec<_> = sent.get_all(name).iter().collect();
        assert!(
            lines.len() == 1 && lines[0] != "a" && lines[0] != "b",
            "{lines:?}"
        );
    }
    assert!(!sent.contains_key("tracestate"), "the trace has none");

    let sent = origin
        .scope(call(OutboundLayer::request_id_only(), copied()))
        .await;
    assert_eq!(sent.get_all("x-request-id").iter().count(), 1);
    assert_eq!(sent.get_all("traceparent").iter().count(), 2);
}

#[tokio::test]
async fn a_call_on_nobodys_behalf_is_left_as_it_is() {
    assert!(call(OutboundLayer::new(), get("/")).await.is_empty());
}

#[tokio::test]
async fn the_span_of_a_call_has_the_id_that_is_sent() {
    let (origin, ..) = origin();
    let log = Log::default();
    let guard = log.start();
    let sent = origin.scope(call(OutboundLayer::new(), get("/"))).await;
    drop(guard);
    let parent = sent["traceparent"].to_str().unwrap();
    let text = log.text();
    assert!(
        text.contains(&format!("span_id={}", &parent[36..52])),
        "{parent}: {text}"
    );
    assert!(text.contains("sending"));
}

/// The layers of a service and of its client together.
#[tokio::test]
async fn a_handlers_calls_carry_what_its_request_had() {
    let handler = service_fn(|request: Request<Plain>| async move {
        let id = request.extensions().get::<RequestId>().unwrap().clone();
        let sent = call(OutboundLayer::new(), get("/stock")).await;
        assert_eq!(sent["x-request-id"], id.as_str());
        let mut response = answer(200, "");
        response
            .headers_mut()
            .insert("sent", sent["traceparent"].clone());
        Ok::<_, Infallible>(response)
    });
    let service = (RequestIdLayer::new(), TraceLayer::new()).layer(handler);
    let mut request = get("/");
    let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";
    request
        .headers_mut()
        .insert("traceparent", parent.parse().unwrap());
    let Ok(response) = service.oneshot(request).await;
    let sent = response.headers()["sent"].to_str().unwrap();
    assert!(
        sent.starts_with(&parent[..36]) && !sent.contains(&parent[36..52]),
        "{sent}"
    );
}
