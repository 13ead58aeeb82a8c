//! The smallest service behind Seawall: `cargo run -p quickstart-actix`.

use actix_web::{App, web};
use seawall_actix::{Json, Seawall, ServerLimits, ValidJson, health_routes, serve};
use seawall_health::{Drain, Health};
use seawall_ratelimit::{MemoryStore, Policy, quota};
use seawall_validate::Validate;
use seawall_web::request::{ClientIp, KeyBy};

#[derive(serde::Serialize, Validate)]
struct User {
    #[validate(normalize(trim, lower), chars(..=254), email)]
    email: String,
    #[validate(normalize(single_line), chars(1..=100))]
    name: String,
}

async fn create(ValidJson(user): ValidJson<User>) -> Json<User> {
    Json(user)
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let by_address = KeyBy::address(ClientIp::peer());
    let seawall = Seawall::builder(MemoryStore::new(100_000))
        .limit(Policy::new("address", quota!("60/minute"))?, by_address)
        .build()?;
    let health = Health::builder().build()?;
    health.start();
    let drain = Drain::new(&health);
    let app = move || {
        let routes = web::scope("").service(web::resource("/users").post(create));
        App::new()
            .service(seawall.observe(health_routes(&health)))
            .service(seawall.protect(routes))
    };
    let address = std::env::args().nth(1).unwrap_or("127.0.0.1:8080".into());
    let listener = std::net::TcpListener::bind(address)?;
    println!("listening on http://{}", listener.local_addr()?);
    let server = serve(listener, app, ServerLimits::default());
    server.drain(drain).on_signals()?.await?;
    Ok(())
}
