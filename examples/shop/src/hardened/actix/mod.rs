//! The same service on actix: the same guards in the same order, and handlers as short.

mod handlers;
mod identity;

use std::error::Error;
use std::sync::Arc;

use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::http::header;
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpResponse, Resource, Route, guard};
use seawall_actix::idempotency::IdempotencyLayer;
use seawall_actix::{
    AuthenticateLayer, DeadlineLayer, ErrorsLayer, RateLimitLayer, Reload, RequestIdLayer, Seawall,
    ServerLimits, ServerLimitsError, TraceLayer, VerifyLayer, health_routes,
};
use seawall_health::Health;
use seawall_idempotency::{BoxStore as BoxRecords, Idempotency};
use seawall_ratelimit::BoxStore;
use seawall_web::request::{ClientIp, Scope};

use crate::config::Config;
use crate::ledger::Ledger;
use crate::store::Stores;

use super::limits::RouteLimits;
use super::reload::{self, Counted};
use super::{Guarded, openapi, webhooks};

/// What each worker's copy of the service is made of. A clone shares counts, records and nonces.
#[derive(Clone, Debug)]
pub struct Parts {
    guarded: Arc<Guarded>,
    ledger: Ledger,
    health: Health,
    seawall: Seawall<BoxStore>,
    search_deadline: DeadlineLayer,
    expensive: RateLimitLayer<BoxStore>,
    email: RateLimitLayer<BoxStore>,
    builds: RateLimitLayer<BoxStore>,
    once: IdempotencyLayer<BoxRecords>,
    payment: VerifyLayer,
    signed: VerifyLayer,
    document: web::Bytes,
}

impl Parts {
    pub(super) fn new(
        guarded: Arc<Guarded>,
        config: &Config,
        stores: &Stores,
        limits: &RouteLimits,
        health: &Health,
        once: IdempotencyLayer<BoxRecords>,
    ) -> Result<Self, Box<dyn Error>> {
        let state = &guarded.app;
        let limited = |counted: &Counted| RateLimitLayer::new(counted.limits.clone());
        let seawall = Seawall::builder(stores.limits.clone())
            .config(&reload::guards(config, &stores.namespace))?
            .observer(state.telemetry.observer())
            .build()?;
        let payment = VerifyLayer::new(webhooks::payment(state)?);
        let signed = VerifyLayer::new(webhooks::signed(state, stores)?);
        Ok(Self {
            guarded,
            ledger: stores.ledger.clone(),
            health: health.clone(),
            seawall,
            search_deadline: DeadlineLayer::new(config.deadlines.search.get()),
            expensive: limited(&limits.expensive),
            email: limited(&limits.email),
            builds: limited(&limits.builds),
            once,
            payment,
            signed,
            document: openapi::document().to_string().into(),
        })
    }

    /// What changes the guards of all routes, in every worker.
    pub(super) fn reload(&self) -> Reload<BoxStore> {
        self.seawall.reload()
    }

    /// Adds every route of the shop, and the answer where there is none.
    pub(crate) fn configure(&self, app: &mut ServiceConfig) {
        let once = || self.once.clone();
        let state = || self.guarded.app.clone();
        let authenticate = AuthenticateLayer::new(identity::authenticate(state()));
        let identify = AuthenticateLayer::new(identity::identify(state()));

        app.app_data(Data::from(self.guarded.clone()))
            .app_data(Data::new(self.guarded.app.clone()))
            .app_data(Data::new(self.ledger.clone()))
            .service(
                self.guard("/api/users")
                    .route(web::post().to(handlers::create_user).wrap(once())),
            )
            .service(
                self.guard("/api/users/{user_id}")
                    .route(get().to(handlers::user)),
            )
            .service(
                self.guard("/api/search").route(
                    get()
                        .to(handlers::search)
                        .wrap(self.search_deadline.clone()),
                ),
            )
            .service(
                self.guard("/api/expensive-operation").route(
                    web::post()
                        .to(handlers::expensive_operation)
                        .wrap(once())
                        .wrap(self.expensive.clone()),
                ),
            )
            .service(
                self.guard("/api/send-email").route(
                    web::post()
                        .to(handlers::send_email)
                        .wrap(once())
                        .wrap(self.email.clone())
                        .wrap(authenticate),
                ),
            )
            .service(
                self.guard("/api/projects/{project_id}/builds").route(
                    web::post()
                        .to(handlers::start_build)
                        .wrap(once())
                        .wrap(self.builds.clone()),
                ),
            )
            .service(
                self.guard("/api/payments")
                    .route(web::post().to(handlers::pay).wrap(once()).wrap(identify)),
            )
            .service(
                self.guard("/api/dashboard")
                    .route(get().to(handlers::dashboard)),
            )
            .service(
                self.guard("/api/webhooks/payment").route(
                    web::post()
                        .to(handlers::received)
                        .wrap(once())
                        .wrap(self.payment.clone()),
                ),
            )
            .service(
                self.guard("/api/webhooks/signed").route(
                    web::post()
                        .to(handlers::received)
                        .wrap(once())
                        .wrap(self.signed.clone()),
                ),
            );
        // Outside of everything that could refuse them.
        let document = self.document.clone();
        let document = move || {
            let answer = HttpResponse::Ok()
                .insert_header((header::CONTENT_TYPE, "application/json"))
                .body(document.clone());
            async { answer }
        };
        app.service(self.seawall.observe(health_routes(&self.health)))
            .service(
                // What is wrapped last is outermost.
                web::resource(openapi::PATH)
                    .route(get().to(document))
                    .wrap(ErrorsLayer::new().observer(self.guarded.app.telemetry.observer()))
                    .wrap(TraceLayer::new())
                    .wrap(RequestIdLayer::new()),
            )
            // Whoever looks for routes that are not there is counted like everybody.
            .default_service(web::to(HttpResponse::NotFound).wrap(self.seawall.clone()));
    }

    /// A resource behind what guards all of them.
    fn guard(
        &self,
        path: &str,
    ) -> Resource<
        impl ServiceFactory<
            ServiceRequest,
            Config = (),
            Response = ServiceResponse<impl actix_web::body::MessageBody + use<>>,
            Error = actix_web::Error,
            InitError = (),
        > + use<>,
    > {
        web::resource(path).wrap(self.seawall.clone())
    }
}

/// The rules as a middleware. Without a token one is nobody, and all nobodies are one.
pub(super) fn once(
    [front, payments]: [Idempotency<BoxRecords>; 2],
) -> IdempotencyLayer<BoxRecords> {
    IdempotencyLayer::new(front, Scope::principal_or_anonymous()).route(
        "POST",
        "/api/payments",
        payments,
    )
}

/// What one peer may hold. Of headers, actix's parser takes a few less than that of axum.
pub(super) fn server_limits(
    config: &Config,
    proxies: ClientIp,
) -> Result<ServerLimits, ServerLimitsError> {
    let server = &config.server;
    ServerLimits::builder()
        .connections(server.connections)
        .connections_by_address(server.connections_by_address)
        .proxies(proxies)
        .header_timeout(server.header_timeout.get())
        .idle_timeout(server.idle_timeout.get())
        .write_timeout(server.write_timeout.get())
        .header_count(server.header_count.min(96))
        .header_bytes(server.header_bytes as usize)
        .build()
}

/// GET, and HEAD with it, which actix leaves to the service.
fn get() -> Route {
    web::route().guard(guard::Any(guard::Get()).or(guard::Head()))
}
