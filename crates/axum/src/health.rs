//! The probes as routes.

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::any;
use http::StatusCode;
use http::header::{self, HeaderName, HeaderValue};
use http::request::Parts;
use seawall_health::{Access, Answer, Health, Probe};
use seawall_tower::Passthrough;
use seawall_web::answer;

/// `/livez`, `/readyz`, `/startupz` and `/health`, for everybody: with the details that
/// [`Builder::details`](seawall_health::Builder::details) allows.
///
/// Merge them outside of what may refuse: a probe that a rate limit or a shed load answers is a service
/// taken out of traffic. [`Seawall::observe`](crate::Seawall::observe) gives them request ids.
///
/// # Examples
///
/// ```
/// use axum::Router;
/// use seawall_axum::health_routes;
/// use seawall_health::Health;
///
/// let health = Health::builder().build()?;
/// let app: Router = Router::new().merge(health_routes(&health));
/// # let _ = app;
/// # Ok::<(), seawall_health::ConfigError>(())
/// ```
pub fn health_routes(health: &Health) -> Router {
    health_routes_for(health, |_| Access::Public)
}

/// The same, with full details for requests that `access` calls authorised: because they come from
/// inside, or carry a token that your own code has checked.
///
/// Compare a token in constant time, and authorise nobody by a header that a proxy passes through.
pub fn health_routes_for<F>(health: &Health, access: F) -> Router
where
    F: Fn(&Parts) -> Access + Clone + Send + Sync + 'static,
{
    Probe::ALL.into_iter().fold(Router::new(), |routes, probe| {
        let (health, access) = (health.clone(), access.clone());
        let handler = move |request: Request| {
            let (health, access) = (health.clone(), access.clone());
            async move {
                let (parts, _body) = request.into_parts();
                let access = access(&parts);
                send(health.answer(probe, parts.method.as_str(), access).await)
            }
        };
        routes.route(probe.path(), any(handler))
    })
}

fn send(answer: Answer) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() =
        StatusCode::from_u16(answer.status()).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
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
    *response.body_mut() = Body::from(answer.into_body());
    response
}
