//! The abuse, one file a kind.

mod burst;
mod crowd;
mod deadline;
mod drain;
mod forgery;
mod garbage;
mod layers;
mod leak;
mod leak_sweep;
mod many_keys;
mod outage;
mod partial;
mod payments;
mod probes;
mod slow_client;
mod slow_handler;
mod spoof;
mod store_outage;
mod two_replicas;
mod volley;

use std::sync::Arc;

use futures::future::BoxFuture;
use shop::config::Config;

use crate::audit::Audit;
use crate::bystander::Visit;
use crate::chronicle::Chronicle;
use crate::cli::Length;
use crate::client::Addresses;
use crate::figures::Strike;
use crate::progress::Progress;
use crate::service::{Private, Service, Side, Trouble};
use crate::store::{Needs, Place, Store};

pub(crate) use forgery::message::{Message, SIGNED, Stamp};
pub(crate) use garbage::{Draft, Expect, garbage};
pub(crate) use layers::users;
pub(crate) use leak::wrong_calls;
pub(crate) use leak_sweep::calls as sweep;
pub(crate) use many_keys::count_keys;
pub(crate) use payments::{AMOUNT, Order, payment};
pub(crate) use slow_client::{silent, trickle};
pub(crate) use volley::within;

/// One kind of abuse and what is promised under it.
pub(crate) trait Scenario: Send + Sync {
    /// As `--only` names it.
    fn name(&self) -> &'static str;

    /// What the hardened service promises.
    fn claim(&self) -> &'static str;

    /// What is done to both services, for the report.
    fn sends(&self) -> &'static str;

    /// Does it to one service, once.
    fn strike<'a>(&'a self, field: &'a Field<'a>) -> BoxFuture<'a, Result<Strike, Trouble>>;

    /// What it needs of the store. Where it is not met, the scenario is skipped, and the report says so.
    fn needs(&self) -> Needs {
        Needs::Nothing
    }

    /// Whether it strikes by itself or looks at how others fared meanwhile.
    fn role(&self) -> Role {
        Role::Attack
    }
}

/// What a scenario does during a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// It strikes: the bare service once, the hardened one twice, so that growth shows.
    Attack,
    /// It watches the others and speaks last.
    Witness,
}

/// Everything that a strike may use.
pub(crate) struct Field<'a> {
    pub(crate) service: &'a Service,
    /// What both services were configured with.
    pub(crate) config: &'a Config,
    pub(crate) store: &'a Store,
    pub(crate) seed: u64,
    pub(crate) length: Length,
    pub(crate) addresses: &'a Addresses,
    pub(crate) progress: &'a Progress,
    /// The course of this strike.
    pub(crate) chronicle: Arc<Chronicle>,
    /// How the crowd has fared so far at this service.
    pub(crate) visits: &'a [Visit],
}

impl Field<'_> {
    /// What looks at the answers of this strike.
    pub(crate) fn audit(&self) -> Audit {
        Audit::told_to(&self.chronicle)
    }

    /// Starts a shop of the scenario's own, with this `shop.toml` and on this store.
    pub(crate) async fn private(
        &self,
        side: Side,
        settings: &str,
        place: &Place,
    ) -> Result<Private, Trouble> {
        Private::start(side, self.service.framework, settings, place).await
    }
}

/// Every scenario, in the order in which they run.
pub(crate) fn all() -> Vec<Box<dyn Scenario>> {
    vec![
        Box::new(garbage::Garbage),
        Box::new(burst::Burst),
        Box::new(layers::Layers::default()),
        Box::new(spoof::Spoof),
        Box::new(many_keys::ManyKeys),
        Box::new(forgery::Forgery),
        Box::new(payments::duplicates::Duplicates),
        Box::new(payments::disconnect::Disconnect),
        Box::new(payments::crash::Crash),
        Box::new(two_replicas::TwoReplicas),
        Box::new(store_outage::StoreOutage),
        Box::new(slow_handler::SlowHandler),
        Box::new(deadline::Deadline),
        Box::new(outage::Outage),
        Box::new(partial::Partial),
        Box::new(slow_client::SlowClient),
        Box::new(probes::Probes),
        Box::new(drain::Drain),
        Box::new(leak::Leak),
        Box::new(crowd::Crowd),
    ]
}
