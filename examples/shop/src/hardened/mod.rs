//! The shop through Seawall: the same business, guarded.
//!
//! Read it next to `bare`: the handlers are as short as there, and what differs is said once, in
//! `router`.

pub mod actix;
mod dashboard;
mod database;
mod failure;
mod identity;
mod limits;
mod openapi;
mod payments;
mod reload;
mod requests;
mod routes;
mod watch;
mod webhooks;

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::FromRef;
use axum::middleware;
use axum::routing::{MethodRouter, get, post};
use axum::{Extension, Router};
use seawall_axum::{Seawall, ServerLimits, ServerLimitsError, health_routes};
use seawall_health::{Drain, Health};
use seawall_idempotency::BoxStore as BoxRecords;
use seawall_ratelimit::BoxStore;
use seawall_tower::deadline::PassDeadlineService;
use seawall_tower::idempotency::Tasks;
use seawall_tower::outbound::OutboundService;
use seawall_tower::{
    DeadlineLayer, IdempotencyLayer, OutboundLayer, PassDeadlineLayer, RateLimitLayer, VerifyLayer,
};
use seawall_web::config;
use seawall_web::request::{ClientIp, ForwardedHeader};
use tower_layer::Layer;

use crate::config::Config;
use crate::index::{HttpClient, Index};
use crate::state::AppState;
use crate::store::Stores;

use database::Database;
use limits::RouteLimits;
pub use openapi::document as openapi_document;
use reload::Counted;
pub use reload::Reload;

/// The hardened service, ready to be served.
#[derive(Debug)]
pub struct Hardened {
    /// Its routes, on a framework.
    pub app: App,
    /// What watches its components.
    pub health: Health,
    /// How it goes away.
    pub drain: Drain,
    /// What can change of it.
    pub reload: Reload,
}

/// The routes, and what they need of the server that they run on.
#[derive(Debug)]
pub enum App {
    /// On axum.
    Axum {
        /// The routes.
        router: Router,
        /// What one peer may hold.
        limits: ServerLimits,
        /// Work that outlives its callers.
        tasks: Tasks,
    },
    /// On actix.
    Actix {
        /// What each worker's routes are made of.
        parts: Box<actix::Parts>,
        /// What one peer may hold.
        limits: seawall_actix::ServerLimits,
        /// Work that outlives its callers.
        tasks: seawall_actix::idempotency::Tasks,
    },
}

/// Which framework serves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Framework {
    /// axum.
    #[default]
    Axum,
    /// actix-web.
    Actix,
}

/// Puts the service together.
///
/// # Errors
///
/// When the configuration asks for something that cannot be built.
pub fn service(
    framework: Framework,
    state: AppState,
    config: &Config,
    stores: &Stores,
) -> Result<Hardened, Box<dyn Error>> {
    let health = watch::health(&state, config, stores.probe.as_ref())?;
    let drain = Drain::new(&health)
        .pause(config.drain.pause.get())
        .maximum(config.drain.maximum.get());
    let fronts = payments::fronts(&state, stores)?;
    let limits = RouteLimits::new(&state, stores, &client_ip(config)?)?;
    let guarded = Arc::new(Guarded {
        index: state.index.clone().map(|index| index.through(outbound)),
        database: Database::new(&state)?,
        app: state,
    });
    let (app, api) = match framework {
        Framework::Axum => {
            let once = payments::once(fronts);
            let (router, api) = router(guarded, config, stores, &limits, &health, &once)?;
            let app = App::Axum {
                tasks: once.tasks(),
                router,
                limits: server_limits(config, client_ip(config)?)?,
            };
            (app, api)
        }
        Framework::Actix => {
            let once = actix::once(fronts);
            let tasks = once.tasks();
            let parts = actix::Parts::new(guarded, config, stores, &limits, &health, once)?;
            let api = parts.reload();
            let app = App::Actix {
                tasks,
                limits: actix::server_limits(config, client_ip(config)?)?,
                parts: Box::new(parts),
            };
            (app, api)
        }
    };
    let reload = Reload {
        api,
        routes: limits.into(),
        namespace: stores.namespace.clone(),
    };
    Ok(Hardened {
        app,
        health,
        drain,
        reload,
    })
}

fn server_limits(config: &Config, proxies: ClientIp) -> Result<ServerLimits, ServerLimitsError> {
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
    guarded: Arc<Guarded>,
    config: &Config,
    stores: &Stores,
    limits: &RouteLimits,
    health: &Health,
    once: &IdempotencyLayer<BoxRecords>,
) -> Result<(Router, config::Reload<BoxStore>), Box<dyn Error>> {
    let state = &guarded.app.clone();
    let limited = |counted: &Counted| RateLimitLayer::new(counted.limits.clone());
    let expensive = limited(&limits.expensive);
    let email = limited(&limits.email);
    let builds = limited(&limits.builds);
    let identify = middleware::from_fn_with_state(state.clone(), identity::identify);
    let authenticate = middleware::from_fn_with_state(state.clone(), identity::authenticate);

    let payment = VerifyLayer::new(webhooks::payment(state)?);
    let signed = VerifyLayer::new(webhooks::signed(state, stores)?);

    // A `route_layer` guards the methods that there are; the others are 405 for everybody.
    let api = Router::new()
        .route(
            "/api/users",
            post(routes::create_user).route_layer(once.clone()),
        )
        .route("/api/users/{user_id}", get(routes::user))
        .route("/api/search", within(config, get(routes::search)))
        .route(
            "/api/expensive-operation",
            post(routes::expensive_operation)
                .route_layer(once.clone())
                .route_layer(expensive),
        )
        .route(
            "/api/send-email",
            post(routes::send_email)
                .route_layer(once.clone())
                .route_layer(email)
                .route_layer(authenticate),
        )
        .route(
            "/api/projects/{project_id}/builds",
            post(routes::start_build)
                .route_layer(once.clone())
                .route_layer(builds),
        )
        .route(
            "/api/payments",
            post(payments::pay)
                .route_layer(once.clone())
                .route_layer(identify)
                .route_layer(Extension(stores.ledger.clone())),
        )
        .route("/api/dashboard", get(dashboard::dashboard))
        .route(
            "/api/webhooks/payment",
            post(webhooks::received)
                .route_layer(once.clone())
                .route_layer(payment),
        )
        .route(
            "/api/webhooks/signed",
            post(webhooks::received)
                .route_layer(once.clone())
                .route_layer(signed),
        )
        .with_state(guarded);

    let guards = reload::guards(config, &stores.namespace);
    let seawall = Seawall::builder(stores.limits.clone())
        .config(&guards)?
        .observer(state.telemetry.observer())
        .build()?;
    // Outside of everything that could refuse them.
    let probes = seawall.observe(health_routes(health).route(openapi::PATH, openapi::route()));
    // Merged in this order, paths that there are not are answered by the protected side.
    let router = probes.merge(seawall.protect(api));
    Ok((router, seawall.reload()))
}

/// The shop, with guards around what it leans on.
#[derive(Debug)]
struct Guarded {
    app: AppState,
    database: Database,
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

impl FromRef<Arc<Guarded>> for AppState {
    fn from_ref(guarded: &Arc<Guarded>) -> Self {
        guarded.app.clone()
    }
}

/// A search is given less time than other requests.
fn within(config: &Config, route: MethodRouter<Arc<Guarded>>) -> MethodRouter<Arc<Guarded>> {
    route.layer(DeadlineLayer::new(config.deadlines.search.get()))
}

fn client_ip(config: &Config) -> Result<ClientIp, Box<dyn Error>> {
    let proxies = config.trusted_proxies.iter().map(ToString::to_string);
    Ok(ClientIp::behind(proxies, ForwardedHeader::XForwardedFor)?)
}
