//! The shop through Seawall: the same business, guarded.
//!
//! Read it next to `bare`: the handlers are as short as there, and what differs is said once, in
//! `router`.

mod dashboard;
mod database;
mod failure;
mod identity;
mod openapi;
mod routes;
mod watch;
mod webhooks;

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::FromRef;
use axum::middleware;
use axum::routing::{MethodRouter, get, post};
use seawall_axum::{Seawall, ServerLimits, ServerLimitsError, health_routes};
use seawall_health::{Drain, Health};
use seawall_ratelimit::{BoxStore, ConfigError, OnStoreError, Policy};
use seawall_tower::deadline::PassDeadlineService;
use seawall_tower::outbound::OutboundService;
use seawall_tower::{
    BodyLimitLayer, DeadlineLayer, OutboundLayer, PassDeadlineLayer, RateLimitLayer,
};
use seawall_web::limits::RateLimits;
use seawall_web::request::{ClientIp, ForwardedHeader, KeyBy, Missing};
use tower_layer::Layer;

use crate::config::{Config, QuotaText};
use crate::index::{HttpClient, Index};
use crate::state::AppState;
use crate::store::Stores;

use database::Database;
pub use openapi::document as openapi_document;

/// The hardened service, ready to be served.
#[derive(Debug)]
pub struct Hardened {
    /// Its routes.
    pub router: Router,
    /// What watches its components.
    pub health: Health,
    /// What one peer may hold.
    pub limits: ServerLimits,
    /// How it goes away.
    pub drain: Drain,
}

/// Puts the service together.
///
/// # Errors
///
/// When the configuration asks for something that cannot be built.
pub fn service(
    state: AppState,
    config: &Config,
    stores: &Stores,
) -> Result<Hardened, Box<dyn Error>> {
    let health = watch::health(&state, config, stores.probe.as_ref())?;
    let drain = Drain::new(&health)
        .pause(config.drain.pause.get())
        .maximum(config.drain.maximum.get());
    Ok(Hardened {
        router: router(state, config, stores, &health)?,
        limits: limits(config, client_ip(config)?)?,
        health,
        drain,
    })
}

fn limits(config: &Config, proxies: ClientIp) -> Result<ServerLimits, ServerLimitsError> {
    let server = &config.server;
    ServerLimits::builder()
        .connections(server.connections)
        .connections_by_address(server.connections_by_address)
        .proxies(proxies)
        .header_timeout(server.header_timeout.get())
        .idle_timeout(server.idle_timeout.get())
        .write_timeout(server.write_timeout.get())
        .header_count(server.header_count)
        .header_bytes(server.header_bytes)
        .h2_streams(server.h2_streams)
        .build()
}

/// Every route of the shop that can be guarded, guarded.
fn router(
    state: AppState,
    config: &Config,
    stores: &Stores,
    health: &Health,
) -> Result<Router, Box<dyn Error>> {
    let client = client_ip(config)?;
    let counts = &stores.limits;
    let without_store = &config.limits.on_store_error;
    let limit = |name: &str, quota: &QuotaText, key: KeyBy, lost: OnStoreError| {
        let policy = Policy::new(name, quota.quota())?.on_store_error(lost);
        let limits = RateLimits::builder(counts.clone())
            .namespace(&stores.namespace)
            .limit(policy, key);
        Ok::<_, ConfigError>(RateLimitLayer::new(limits.build()?))
    };

    let by_address = KeyBy::address(client.clone());
    let expensive = limit(
        "expensive",
        &config.limits.expensive_operation,
        by_address.clone(),
        without_store.expensive_operation,
    )?;
    // Behind authentication, so a missing principal is a mistake and never shares a count.
    let by_user = KeyBy::principal().or_missing(Missing::Refuse);
    let email = limit(
        "email",
        &config.limits.send_email,
        by_user,
        without_store.send_email,
    )?;
    let builds = RateLimitLayer::new(builds(stores, config, by_address.clone())?);
    let authenticate = middleware::from_fn_with_state(state.clone(), identity::authenticate);

    let payment = webhooks::payment(config)?;
    let signed = webhooks::signed(config, stores)?;

    let guarded = Guarded {
        index: state.index.clone().map(|index| index.through(outbound)),
        database: Arc::new(Database::new(config)?),
        app: state,
    };

    // A `route_layer` guards the methods that there are; the others are 405 for everybody.
    let api = Router::new()
        .route("/api/users", post(routes::create_user))
        .route("/api/users/{user_id}", get(routes::user))
        .route("/api/search", within(config, get(routes::search)))
        .route(
            "/api/expensive-operation",
            post(routes::expensive_operation).layer(expensive),
        )
        .route(
            "/api/send-email",
            post(routes::send_email)
                .route_layer(email)
                .route_layer(authenticate),
        )
        .route(
            "/api/projects/{project_id}/builds",
            post(routes::start_build).layer(builds),
        )
        .route("/api/dashboard", get(dashboard::dashboard))
        .route(
            "/api/webhooks/payment",
            post(webhooks::received).route_layer(payment),
        )
        .route(
            "/api/webhooks/signed",
            post(webhooks::received).route_layer(signed),
        )
        .with_state(guarded);

    let seawall = Seawall::builder(counts.clone())
        .namespace(&stores.namespace)
        .deadline(config.deadlines.total.get())
        .budgets_from(client)
        .body_limits(
            BodyLimitLayer::new(config.body_limit).read_within(config.server.body_timeout.get()),
        )
        .limit(
            Policy::new("address", config.limits.api.quota())?.on_store_error(without_store.api),
            by_address,
        )
        .build()?;
    // Outside of everything that could refuse them.
    let probes = seawall.observe(health_routes(health).route(openapi::PATH, openapi::route()));
    Ok(seawall.protect(api).merge(probes))
}

/// The shop, with guards around what it leans on.
#[derive(Clone, Debug)]
struct Guarded {
    app: AppState,
    database: Arc<Database>,
    index: Option<Index<Outbound>>,
}

type Outbound = OutboundService<PassDeadlineService<HttpClient>>;

/// What another service is told with each call: on whose behalf, in which trace, and how long the answer
/// is of use here.
fn outbound(client: HttpClient) -> Outbound {
    OutboundLayer::new().layer(PassDeadlineLayer::new(RESERVE).layer(client))
}

/// What it takes to turn another service's answer into ours.
const RESERVE: Duration = Duration::from_millis(20);

impl FromRef<Guarded> for AppState {
    fn from_ref(guarded: &Guarded) -> Self {
        guarded.app.clone()
    }
}

/// Builds count by project. Whoever may start builds for anybody's project could spend the quotas of
/// all of them, so they can be counted by address as well: in the same decision, which charges both
/// or neither.
fn builds(
    stores: &Stores,
    config: &Config,
    by_address: KeyBy,
) -> Result<RateLimits<BoxStore>, ConfigError> {
    let lost = config.limits.on_store_error.builds;
    let mut limits = RateLimits::builder(stores.limits.clone()).namespace(&stores.namespace);
    if let Some(quota) = &config.limits.builds_by_address {
        limits = limits.limit(
            Policy::new("builds-address", quota.quota())?.on_store_error(lost),
            by_address,
        );
    }
    let policy = Policy::new("builds", config.limits.builds.quota())?.on_store_error(lost);
    limits
        .limit(policy, KeyBy::path_param("project_id"))
        .build()
}

/// A search is given less time than other requests.
fn within(config: &Config, route: MethodRouter<Guarded>) -> MethodRouter<Guarded> {
    route.layer(DeadlineLayer::new(config.deadlines.search.get()))
}

fn client_ip(config: &Config) -> Result<ClientIp, Box<dyn Error>> {
    let proxies = config.trusted_proxies.iter().map(ToString::to_string);
    Ok(ClientIp::behind(proxies, ForwardedHeader::XForwardedFor)?)
}
