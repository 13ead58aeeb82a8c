//! A budget travels from service to service and only ever shrinks.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{Request, Response, StatusCode};
use seawall_timeout::current;
use seawall_tower::{DeadlineLayer, PassDeadlineLayer};
use seawall_web::request::{ClientIp, ForwardedHeader, PeerAddr};
use tower::util::BoxCloneService;
use tower::{Layer, Service, ServiceExt, service_fn};

use crate::support::{Plain, get};

type Next = BoxCloneService<Request<Plain>, Response<()>, Infallible>;
type Seen = Arc<Mutex<Vec<Duration>>>;

const MAXIMUM: Duration = Duration::from_secs(10);

fn inside() -> ClientIp {
    ClientIp::behind(["10.0.0.0/8"], ForwardedHeader::XForwardedFor).unwrap()
}

/// A service that works for a second, then asks the next one, keeping 100 ms for itself.
fn service(seen: &Seen, next: Option<Next>) -> Next {
    let seen = Arc::clone(seen);
    let next = next.map(|next| PassDeadlineLayer::new(Duration::from_millis(100)).layer(next));
    let work = service_fn(move |_: Request<Plain>| {
        let (seen, next) = (Arc::clone(&seen), next.clone());
        async move {
            let left = current().and_then(|deadline| deadline.remaining());
            seen.lock().unwrap().push(left.unwrap_or_default());
            tokio::time::sleep(Duration::from_secs(1)).await;
            if let Some(mut next) = next {
                return next.ready().await?.call(from("10.0.0.9", get("/"))).await;
            }
            Ok::<_, Infallible>(Response::new(()))
        }
    });
    let deadline = DeadlineLayer::new(MAXIMUM).budgets_from(inside());
    let service = deadline
        .layer(work)
        .map_response(|response| response.map(drop));
    BoxCloneService::new(service)
}

fn from(peer: &str, mut request: Request<Plain>) -> Request<Plain> {
    let peer: IpAddr = peer.parse().unwrap();
    request.extensions_mut().insert(PeerAddr::new(peer));
    request
}

fn asking(peer: &str, lines: &[(&'static str, &str)]) -> Request<Plain> {
    let mut request = from(peer, get("/"));
    for (name, value) in lines {
        request.headers_mut().append(*name, value.parse().unwrap());
    }
    request
}

#[tokio::test(start_paused = true)]
async fn three_services_see_the_budget_shrink() {
    let seen = Seen::default();
    let third = service(&seen, None);
    let second = service(&seen, Some(third));
    let first = service(&seen, Some(second));
    let request = asking("10.0.0.1", &[("x-request-timeout-ms", "5000")]);
    let answer = first.oneshot(request).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let millis: Vec<u128> = seen
        .lock()
        .unwrap()
        .iter()
        .map(Duration::as_millis)
        .collect();
    assert_eq!(millis, [5000, 3900, 2800]);
}

#[tokio::test(start_paused = true)]
async fn who_has_nothing_left_is_not_asked_to_work() {
    let seen = Seen::default();
    let last = service(&seen, None);
    let first = service(&seen, Some(last));
    let request = asking("10.0.0.1", &[("grpc-timeout", "1050m")]);
    let answer = first.oneshot(request).await.unwrap();
    assert_eq!(answer.status(), StatusCode::GATEWAY_TIMEOUT);
    assert_eq!(seen.lock().unwrap().len(), 1, "the second did not run");
}

async fn check(peer: &str, lines: &[(&'static str, &str)], expected: Duration) {
    let seen = Seen::default();
    let answer = service(&seen, None).oneshot(asking(peer, lines)).await;
    assert_eq!(answer.unwrap().status(), StatusCode::OK, "{lines:?}");
    assert_eq!(seen.lock().unwrap()[0], expected, "{lines:?}");
}

#[tokio::test(start_paused = true)]
async fn only_the_trusted_are_heard_and_nobody_gets_more_than_there_is() {
    let seconds = Duration::from_secs;
    let millis = "x-request-timeout-ms";
    check("203.0.113.9", &[(millis, "3000")], MAXIMUM).await;
    check("10.0.0.1", &[(millis, "3000")], seconds(3)).await;
    check("10.0.0.1", &[(millis, "30000")], MAXIMUM).await;
    check("10.0.0.1", &[(millis, "soon")], MAXIMUM).await;
    check(
        "10.0.0.1",
        &[(millis, "4000"), (millis, "2000")],
        seconds(2),
    )
    .await;
    check(
        "10.0.0.1",
        &[("grpc-timeout", "6S"), (millis, "7000")],
        seconds(6),
    )
    .await;
    check("10.0.0.1", &[("grpc-timeout", "6 S")], MAXIMUM).await;
}
