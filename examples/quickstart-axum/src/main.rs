//! The smallest service behind Seawall: `cargo run -p quickstart-axum`.

use axum::{Router, routing::post};
use seawall_axum::{Json, Seawall, ServerLimits, ValidJson, health_routes, serve};
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

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let by_address = KeyBy::address(ClientIp::peer());
    let seawall = Seawall::builder(MemoryStore::new(100_000))
        .limit(Policy::new("address", quota!("60/minute"))?, by_address)
        .build()?;
    let health = Health::builder().build()?;
    health.start();
    let app = seawall
        .observe(health_routes(&health))
        .merge(seawall.protect(Router::new().route("/users", post(create))));
    let address = std::env::args().nth(1).unwrap_or("127.0.0.1:8080".into());
    let listener = tokio::net::TcpListener::bind(address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    let server = serve(listener, app, ServerLimits::default());
    server.drain(Drain::new(&health)).on_signals()?.await;
    Ok(())
}
