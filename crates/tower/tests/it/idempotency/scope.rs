//! For whom a key holds, and where.

use std::sync::atomic::Ordering::SeqCst;

use seawall_idempotency::Policy;
use seawall_web::request::{PathParams, Principal, Route};

use super::*;

fn by(principal: &str, key: &str) -> Request<Plain> {
    let mut request = post(key, "17");
    request.extensions_mut().insert(Principal::new(principal));
    request
}

#[tokio::test]
async fn nobody_is_shown_what_another_was_answered() {
    let count = counter();
    let scope = Scope::principal();
    let layer = IdempotencyLayer::new(front(Policy::at_most_once()), scope);
    let service = guarded(layer, counting(&count));
    assert_eq!(ask(&service, by("alice", "k")).await.body, "1: 17");
    assert_eq!(ask(&service, by("bob", "k")).await.body, "2: 17");
    assert_eq!(ask(&service, by("alice", "k")).await.body, "1: 17");
    let anonymous = ask(&service, post("k", "17")).await;
    assert_eq!(
        (anonymous.status.as_u16(), anonymous.code().as_str()),
        (401, "unauthorized")
    );
    assert_eq!(anonymous.header("www-authenticate"), "Bearer");
    assert_eq!(count.load(SeqCst), 2);
    assert_eq!(
        ask(&service, post("", "17")).await.body,
        "3: 17",
        "no key, no scope"
    );
}

#[tokio::test]
async fn tenants_are_kept_apart() {
    let count = counter();
    let scope = Scope::single_tenant().tenant_path_param("tenant");
    let layer = IdempotencyLayer::new(front(Policy::at_most_once()), scope);
    let service = guarded(layer, counting(&count));
    let of = |tenant: &str| {
        let mut request = post("k", "17");
        let params: PathParams = [("tenant", tenant)].into_iter().collect();
        request.extensions_mut().insert(params);
        request
    };
    assert_eq!(ask(&service, of("north")).await.body, "1: 17");
    assert_eq!(ask(&service, of("south")).await.body, "2: 17");
    assert_eq!(ask(&service, of("north")).await.body, "1: 17");
    assert_eq!(ask(&service, post("k", "17")).await.status, 500);
}

#[tokio::test]
async fn routes_and_methods_are_operations_of_their_own() {
    let count = counter();
    let service = guarded(layer(Policy::at_most_once()), counting(&count));
    for (n, (method, uri)) in [
        ("POST", "/payments"),
        ("PUT", "/payments"),
        ("POST", "/refunds"),
    ]
    .into_iter()
    .enumerate()
    {
        let read = ask(&service, at(method, uri, "k", "17")).await;
        assert_eq!(read.body, format!("{}: 17", n + 1));
    }
    let templated = |uri| {
        let mut request = at("POST", uri, "k", "17");
        request.extensions_mut().insert(Route::new("/orders/{id}"));
        request
    };
    assert_eq!(ask(&service, templated("/orders/1")).await.body, "4: 17");
    let other = ask(&service, templated("/orders/2")).await;
    assert_eq!(
        other.status, 422,
        "the same operation for another order is a mistake"
    );
}

#[tokio::test]
async fn two_layers_around_one_route_are_one() {
    let count = counter();
    let both = layer(Policy::at_most_once()).layer(layer(Policy::at_least_once()).layer({
        let work = counting(&count);
        service_fn(move |request: Request<BufferedBody<BufferedBody<Plain>>>| {
            let work = work.clone();
            async move {
                let (parts, body) = request.into_parts();
                let body = Plain::from(body.collect().await.unwrap().to_bytes());
                let inner = layer(Policy::at_most_once()).layer(work);
                let read = send(inner, Request::from_parts(parts, body)).await;
                Ok::<_, Infallible>(Response::new(Plain::from(read.body)))
            }
        })
    }));
    for _ in 0..2 {
        assert_eq!(send(both.clone(), post("k", "17")).await.body, "1: 17");
    }
    assert_eq!(count.load(SeqCst), 1);
}
