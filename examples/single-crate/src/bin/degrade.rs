//! A page of three parts, of which one is down and one may not be.

use seawall_degrade::{Degrade, critical, optional, or_else};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    for user in ["Ada", ""] {
        let parts = (
            critical("user", find(user)),
            optional("notifications", find("")),
            or_else("news", find(""), "nothing new"),
        );
        match Degrade::new().join(parts).await {
            Ok(page) => println!("{}", serde_json::to_string(&page)?),
            Err(unavailable) => println!("no page: {unavailable}"),
        }
    }
    Ok(())
}

async fn find(what: &'static str) -> Result<&'static str, &'static str> {
    if what.is_empty() {
        Err("connection refused")
    } else {
        Ok(what)
    }
}
