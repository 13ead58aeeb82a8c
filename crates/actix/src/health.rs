//! The probes as routes.

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, Scope, guard, web};
use seawall_health::{Access, Answer, Health, Probe};
use seawall_web::answer;

use crate::Passthrough;

/// `/livez`, `/readyz`, `/startupz` and `/health`, for everybody: with the details that
/// [`Builder::details`](seawall_health::Builder::details) allows.
///
/// Register them outside of what may refuse, and before any `web::scope("")`: a probe that a rate limit
/// or a shed load answers is a service taken out of traffic.
/// [`Seawall::observe`](crate::Seawall::observe) gives them request ids. The scope matches these four
/// paths and no other; it belongs in the app itself, not in another scope.
///
/// # Examples
///
/// ```
/// use actix_web::{App, test};
/// use seawall_actix::health_routes;
/// use seawall_health::Health;
///
/// # #[actix_web::main]
/// # async fn main() -> Result<(), seawall_health::ConfigError> {
/// let health = Health::builder().build()?;
/// let app = test::init_service(App::new().service(health_routes(&health))).await;
///
/// let probe = test::TestRequest::get().uri("/livez").to_request();
/// assert_eq!(test::call_service(&app, probe).await.status(), 200);
/// # Ok(()) }
/// ```
#[must_use]
pub fn health_routes(health: &Health) -> Scope {
    health_routes_for(health, |_| Access::Public)
}

/// The same, with full details for requests that `access` calls authorised: because they come from
/// inside, or carry a token that your own code has checked.
///
/// Compare a token in constant time, and authorise nobody by a header that a proxy passes through.
pub fn health_routes_for<F>(health: &Health, access: F) -> Scope
where
    F: Fn(&HttpRequest) -> Access + Clone + 'static,
{
    let probes = guard::fn_guard(|asked| {
        let path = asked.head().uri.path();
        Probe::ALL.iter().any(|probe| probe.path() == path)
    });
    Probe::ALL
        .into_iter()
        .fold(web::scope("").guard(probes), |routes, probe| {
            let (health, access) = (health.clone(), access.clone());
            let handler = move |request: HttpRequest| {
                let health = health.clone();
                let access = access(&request);
                async move {
                    send(
                        health
                            .answer(probe, request.method().as_str(), access)
                            .await,
                    )
                }
            };
            routes.service(web::resource(probe.path()).to(handler))
        })
}

fn send(answer: Answer) -> HttpResponse {
    let status = StatusCode::from_u16(answer.status()).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    let mut response = HttpResponse::new(status);
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static(answer.content_type()),
    );
    for (name, value) in answer.headers() {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.append(HeaderName::from_static(name), value);
        }
    }
    if answer::health::speaks_for_itself(&answer) {
        response.extensions_mut().insert(Passthrough::new());
    }
    response.set_body(actix_web::body::BoxBody::new(answer.into_body()))
}
