//! storm's hand on a shop's admin listener.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use http::Method;
use serde_json::Value;
use shop::domain::Component;
use tokio::time;

use super::{Service, Trouble};
use crate::answer::Answer;
use crate::client::{Call, Client};

impl Service {
    /// Breaks a component in a mode of the admin listener.
    pub(crate) async fn break_down(
        &self,
        component: Component,
        mode: &'static str,
    ) -> Result<(), Trouble> {
        self.break_at(component, mode, "asked").await
    }

    /// Breaks it at a stage of what it does.
    pub(crate) async fn break_at(
        &self,
        component: Component,
        mode: &'static str,
        stage: &'static str,
    ) -> Result<(), Trouble> {
        self.mending.broke(component);
        self.set_fault(component, mode, stage).await
    }

    /// The charges that were really made.
    pub(crate) async fn ledger(&self) -> Result<Vec<Value>, Trouble> {
        self.ledger_after(0).await
    }

    /// Those after the charge of this number.
    pub(crate) async fn ledger_after(&self, number: u64) -> Result<Vec<Value>, Trouble> {
        let answer = self
            .ask(Call::get(format!("/ledger?after={number}")))
            .await?;
        serde_json::from_slice(&answer.body)
            .map_err(|_| Trouble::new(format!("the ledger is no list: {}", answer.excerpt())))
    }

    /// Mends a component and waits until the service trusts it again: a breaker may stay open for a
    /// while, and that is no fault.
    pub(crate) async fn mend(
        &self,
        component: Component,
        from: Ipv4Addr,
        breaker: Duration,
    ) -> Result<(), Trouble> {
        self.set_fault(component, "ok", "asked").await?;
        let probe = match component {
            Component::Database => Some(Call::get("/api/users/1")),
            Component::Search => Some(Call::get("/api/search?q=sea")),
            _ => None,
        };
        if let Some(probe) = probe {
            let mut client = Client::new(from, self.api).patience(Duration::from_secs(1));
            let until = Instant::now() + breaker + Duration::from_secs(2);
            while Instant::now() < until {
                if client
                    .send(&probe)
                    .await
                    .is_ok_and(|answer| answer.status == 200)
                {
                    break;
                }
                time::sleep(Duration::from_millis(50)).await;
            }
        }
        self.mending.mended(component);
        Ok(())
    }

    /// How many calls wait for a component inside the service.
    pub(crate) async fn waiting_on(&self, component: Component) -> Result<u64, Trouble> {
        self.metric("shop_component_in_flight", component).await
    }

    /// How many calls have reached a component since the service started.
    pub(crate) async fn calls_of(&self, component: Component) -> Result<u64, Trouble> {
        self.metric("shop_component_calls_total", component).await
    }

    async fn metric(&self, family: &str, component: Component) -> Result<u64, Trouble> {
        let answer = self.ask(Call::get("/metrics")).await?;
        let text = String::from_utf8_lossy(&answer.body);
        let name = format!("{family}{{component=\"{component}\"}} ");
        text.lines()
            .find_map(|line| line.strip_prefix(&name)?.parse().ok())
            .ok_or_else(|| Trouble::new(format!("the admin listener's metrics lack {name}")))
    }

    /// Tells the service to go away.
    pub(crate) async fn drain(&self) -> Result<(), Trouble> {
        self.ask(Call::post("/drain")).await.map(drop)
    }

    async fn set_fault(
        &self,
        component: Component,
        mode: &'static str,
        stage: &'static str,
    ) -> Result<(), Trouble> {
        let call = Call::new(Method::PUT, format!("/faults/{component}"))
            .json(format!("{{\"mode\":\"{mode}\",\"at\":\"{stage}\"}}"));
        self.ask(call).await.map(drop)
    }

    async fn ask(&self, call: Call) -> Result<Answer, Trouble> {
        let mut client = Client::new(Ipv4Addr::LOCALHOST, self.admin);
        let failed = |how: &str| {
            let side = self.side.name();
            Trouble::new(format!(
                "the admin listener of the {side} shop: {}: {how}",
                call.label()
            ))
        };
        match client.send(&call).await {
            Ok(answer) if answer.is_error() => Err(failed(&answer.excerpt())),
            Ok(answer) => Ok(answer),
            Err(unanswered) => Err(failed(unanswered.name())),
        }
    }
}
