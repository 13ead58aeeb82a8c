//! The shop under the soak, its store, and the ways to break them.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use rusqlite::Connection;
use serde_json::Value;
use shop::domain::Component;
use shop::store::Location;
use tokio::sync::RwLock;
use tokio::{task, time};

use super::cli::Options;
use super::plan::{Means, Outage};
use super::settings::{Settings, TEXTS};
use crate::service::{Private, Side, Trouble};
use crate::store::{Proxy, Store, Way};

/// The shop and what it stands on.
#[derive(Debug)]
pub(super) struct Ground {
    /// Read by whoever asks it for something, written by whoever replaces the process.
    shop: RwLock<Private>,
    /// Where clients find it now.
    now: Mutex<Now>,
    store: Arc<Store>,
    proxy: Option<Proxy>,
    /// The file of the store, where it is one.
    file: Option<PathBuf>,
    /// Held while the file is locked: a shop that starts meanwhile could not open it.
    locked: tokio::sync::Mutex<()>,
}

#[derive(Clone, Copy, Debug)]
struct Now {
    api: SocketAddr,
    pid: u32,
    /// Which of the two configurations is in force.
    settings: usize,
}

impl Ground {
    pub(super) async fn prepare(options: &Options, store: &Arc<Store>) -> Result<Self, Trouble> {
        let mut place = match options.side {
            Side::Hardened => store.apart(),
            Side::Bare => crate::store::Place::memory(),
        };
        let file = match place.location() {
            Location::Sqlite(file) => file.clone(),
            _ => None,
        };
        let proxy = match options.side {
            Side::Hardened => store.proxy().await?,
            Side::Bare => None,
        };
        if let Some(proxy) = &proxy {
            place = place.through(proxy);
        }
        place = place.patience(PATIENCE);
        let shop = Private::start(options.side, options.framework, TEXTS[0], &place).await?;
        let now = Now {
            api: shop.service.api,
            pid: shop.service.pid,
            settings: 0,
        };
        Ok(Self {
            shop: RwLock::new(shop),
            now: Mutex::new(now),
            store: Arc::clone(store),
            proxy,
            file,
            locked: tokio::sync::Mutex::new(()),
        })
    }

    /// What can be broken here.
    pub(super) fn means(&self) -> Means {
        let mut outages = Vec::new();
        if self.proxy.is_some() {
            outages.extend([Outage::Cut, Outage::Stall]);
            if self.store.is_ours() {
                outages.push(Outage::Kill);
            }
        }
        if self.file.is_some() {
            outages.push(Outage::Lock);
        }
        Means {
            survives_kill: !outages.is_empty(),
            outages,
        }
    }

    pub(super) fn api(&self) -> SocketAddr {
        self.now.lock().api
    }

    pub(super) fn pid(&self) -> u32 {
        self.now.lock().pid
    }

    /// The configuration that is in force.
    pub(super) fn settings(&self) -> Settings {
        Settings::of(self.now.lock().settings)
    }

    /// The charges after this one, oldest first.
    pub(super) async fn charges(&self, after: u64) -> Result<Vec<Value>, Trouble> {
        self.shop.read().await.service.ledger_after(after).await
    }

    pub(super) async fn set(
        &self,
        component: Component,
        mode: &'static str,
        stage: &'static str,
    ) -> Result<(), Trouble> {
        let shop = self.shop.read().await;
        shop.service.break_at(component, mode, stage).await
    }

    /// Loses the store for a while.
    pub(super) async fn lose_store(&self, how: Outage, lasts: Duration) -> Result<(), Trouble> {
        match (how, &self.proxy, &self.file) {
            (Outage::Cut, Some(proxy), _) => spell(proxy, Way::Cut, lasts).await,
            (Outage::Stall, Some(proxy), _) => spell(proxy, Way::Stalled, lasts).await,
            (Outage::Kill, ..) => {
                self.store.kill().await?;
                time::sleep(lasts).await;
                self.store.restart().await?;
            }
            (Outage::Lock, _, Some(file)) => {
                let _locked = self.locked.lock().await;
                let file = file.clone();
                let locked = task::spawn_blocking(move || lock(&file, lasts)).await;
                let troubled = |what: String| Trouble::new(format!("the store's file: {what}"));
                locked
                    .map_err(|error| troubled(error.to_string()))?
                    .map_err(|error| troubled(error.to_string()))?;
            }
            _ => return Err(Trouble::new(format!("{how:?} of a store that cannot"))),
        }
        Ok(())
    }

    /// Kills the shop and starts it again.
    pub(super) async fn kill(&self) -> Result<(), Trouble> {
        let _unlocked = self.locked.lock().await;
        let mut shop = self.shop.write().await;
        shop.crash().await?;
        let mut now = self.now.lock();
        (now.api, now.pid) = (shop.service.api, shop.service.pid);
        Ok(())
    }

    /// Has the other configuration read, or a broken one, which changes nothing.
    pub(super) async fn reload(&self, good: bool) -> Result<(), Trouble> {
        // Nobody kills it meanwhile: a shop does not start with a broken file.
        let shop = self.shop.read().await;
        let old = self.now.lock().settings;
        if good {
            let new = 1 - old;
            shop.reload(TEXTS[new]).await?;
            self.now.lock().settings = new;
            time::sleep(HEARD).await;
        } else {
            shop.reload("limits.expensive_operation = \"many\"\n")
                .await?;
            time::sleep(HEARD).await;
            shop.write(TEXTS[old])?;
        }
        Ok(())
    }

    pub(super) async fn stop(self) {
        self.shop.into_inner().stop().await;
    }
}

/// How long the shop waits for its store. Many times what a busy machine takes.
const PATIENCE: Duration = Duration::from_secs(2);

/// How soon a signal is heard and a file read.
const HEARD: Duration = Duration::from_millis(400);

async fn spell(proxy: &Proxy, way: Way, lasts: Duration) {
    proxy.set(way);
    time::sleep(lasts).await;
    proxy.set(Way::Open);
}

/// Writes to the file and does not come to an end for a while, as a careless colleague would.
fn lock(file: &std::path::Path, lasts: Duration) -> rusqlite::Result<()> {
    let connection = Connection::open(file)?;
    connection.busy_timeout(Duration::from_secs(10))?;
    connection.execute_batch("BEGIN IMMEDIATE")?;
    std::thread::sleep(lasts);
    connection.execute_batch("ROLLBACK")
}
