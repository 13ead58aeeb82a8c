//! Traces: taken up, begun anew, and told to whoever logs.

use std::convert::Infallible;

use http::{Request, Response};
use seawall_errors::trace::TraceContext;
use seawall_tower::{ErrorsLayer, Origin, RequestIdLayer, TraceLayer};
use seawall_web::request::{PeerAddr, Route};
use tower::{Layer, Service, service_fn};

use crate::support::{Log, Plain, answer, get, send};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "b7ad6b7169203331";

fn traced() -> Request<Plain> {
    let mut request = get("/");
    let headers = request.headers_mut();
    headers.insert(
        "traceparent",
        format!("00-{TRACE}-{PARENT}-01").parse().unwrap(),
    );
    headers.append("tracestate", "rojo=1".parse().unwrap());
    headers.append("tracestate", "congo=2".parse().unwrap());
    request
}

/// Answers with the place in the trace, by the extension and by the current origin.
fn echo() -> impl Clone + Service<Request<Plain>, Response = Response<Plain>, Error = Infallible> {
    service_fn(|request: Request<Plain>| {
        let in_call = Origin::current().unwrap();
        async move {
            let context = request.extensions().get::<TraceContext>().unwrap().clone();
            let origin = Origin::current().unwrap();
            assert_eq!(origin.trace(), Some(&context));
            assert_eq!(in_call.trace(), Some(&context));
            assert_eq!(origin.request_id(), request.extensions().get());
            let mut response = answer(200, "");
            let seen = context.parent().to_string();
            response.headers_mut().insert("seen", seen.parse().unwrap());
            let state = context.state().to_string();
            response
                .headers_mut()
                .insert("state", state.parse().unwrap());
            Ok(response)
        }
    })
}

#[tokio::test]
async fn a_valid_trace_is_continued_under_a_span_of_our_own() {
    let read = send(TraceLayer::new().layer(echo()), traced()).await;
    let seen = read.header("seen");
    assert!(
        seen.starts_with(&format!("00-{TRACE}-")) && seen.ends_with("-01"),
        "{seen}"
    );
    assert!(!seen.contains(PARENT));
    assert_eq!(read.header("state"), "rojo=1,congo=2");
}

#[tokio::test]
async fn any_other_request_begins_a_trace() {
    for broken in ["", "00-xyz", &format!("00-{TRACE}-{PARENT}-01-x")] {
        let mut request = traced();
        request
            .headers_mut()
            .insert("traceparent", broken.parse().unwrap());
        let read = send(TraceLayer::new().layer(echo()), request).await;
        assert!(!read.header("seen").contains(TRACE), "{broken}");
        assert_eq!(
            read.header("state"),
            "",
            "without its parent, a state means nothing"
        );
    }
}

#[tokio::test]
async fn only_trusted_peers_are_followed_where_told() {
    let layer = TraceLayer::trusting(["10.0.0.0/8"]).unwrap();
    for (peer, followed) in [
        (Some("10.1.2.3"), true),
        (Some("203.0.113.9"), false),
        (None, false),
    ] {
        let mut request = traced();
        if let Some(peer) = peer {
            request
                .extensions_mut()
                .insert(PeerAddr::new(peer.parse().unwrap()));
        }
        let read = send(layer.layer(echo()), request).await;
        assert_eq!(read.header("seen").contains(TRACE), followed, "{peer:?}");
    }
}

#[tokio::test]
async fn what_is_logged_below_stands_in_the_span_of_the_request() {
    let log = Log::default();
    let guard = log.start();
    let inner = service_fn(|_: Request<Plain>| async {
        tracing::info!("selling");
        Ok::<_, Infallible>(answer(500, ""))
    });
    let mut request = traced();
    request.extensions_mut().insert(Route::new("/api/things"));
    let layers = (RequestIdLayer::new(), TraceLayer::new(), ErrorsLayer::new());
    let read = send(layers.layer(inner), request).await;
    drop(guard);

    let text = log.text();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 2, "{text}");
    for line in lines {
        for told in [
            read.header("x-request-id"),
            TRACE,
            PARENT,
            "GET",
            "/api/things",
        ] {
            assert!(line.contains(told), "{told} in {line}");
        }
    }
}

#[tokio::test]
async fn an_error_names_its_trace_where_no_span_does() {
    let log = Log::default();
    let guard = log.start_at(tracing::Level::ERROR);
    let inner = service_fn(|_: Request<Plain>| async { Ok::<_, Infallible>(answer(500, "")) });
    send(
        (TraceLayer::new(), ErrorsLayer::new()).layer(inner),
        traced(),
    )
    .await;
    drop(guard);
    let text = log.text();
    assert!(!text.contains("span_id"), "{text}");
    assert!(text.contains(&format!("trace_id={TRACE}")), "{text}");
}
