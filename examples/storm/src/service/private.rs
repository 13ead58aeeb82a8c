//! A shop of a scenario's own, for what the shared one could not survive or would take too long over.

use std::fs;
use std::process::Stdio;

use tempfile::TempDir;
use tokio::process::Command;

use super::{Framework, Service, Side, Trouble};
use crate::store::Place;

/// A running shop with settings of its own.
#[derive(Debug)]
pub(crate) struct Private {
    pub(crate) service: Service,
    /// The end of its `shop.toml`, which says where its store is.
    section: String,
    folder: TempDir,
}

fn invalid() -> std::io::Error {
    std::io::Error::other("the temporary directory's path is no text")
}

impl Private {
    /// Starts one with this `shop.toml`, to which its store is added.
    pub(crate) async fn start(
        side: Side,
        framework: Framework,
        settings: &str,
        place: &Place,
    ) -> Result<Self, Trouble> {
        let failed = |error: std::io::Error| Trouble::new(format!("no private shop: {error}"));
        let folder = tempfile::tempdir().map_err(failed)?;
        let file = folder.path().join("shop.toml");
        // The last section is that of the store.
        let ledger = folder.path().join("ledger.db");
        let ledger = serde_json::to_string(&ledger).map_err(|_| failed(invalid()))?;
        let section = format!("{}ledger = {ledger}\n", place.section());
        fs::write(&file, format!("{settings}{section}")).map_err(failed)?;
        let service =
            Service::start(side, framework, &file, &folder.path().join("shop.log")).await?;
        Ok(Self {
            service,
            section,
            folder,
        })
    }

    /// Writes another `shop.toml` for the next time that it is read.
    pub(crate) fn write(&self, settings: &str) -> Result<(), Trouble> {
        let file = self.folder.path().join("shop.toml");
        fs::write(file, format!("{settings}{}", self.section))
            .map_err(|error| Trouble::new(format!("no shop.toml: {error}")))
    }

    /// Writes another `shop.toml` and has it read (SIGHUP).
    pub(crate) async fn reload(&self, settings: &str) -> Result<(), Trouble> {
        self.write(settings)?;
        let pid = self.service.pid.to_string();
        let mut kill = Command::new("kill");
        kill.args(["-HUP", &pid]).stdout(Stdio::null());
        match kill.status().await {
            Ok(status) if status.success() => Ok(()),
            _ => Err(Trouble::new("a shop that hears no signal")),
        }
    }

    /// Kills it (SIGKILL), and starts it again with what it had on disk.
    pub(crate) async fn crash(&mut self) -> Result<(), Trouble> {
        self.service.kill().await?;
        let (file, log) = (
            self.folder.path().join("shop.toml"),
            self.folder.path().join("shop.log"),
        );
        let Service {
            side, framework, ..
        } = self.service;
        self.service = Service::start(side, framework, &file, &log).await?;
        Ok(())
    }

    pub(crate) async fn stop(self) {
        self.service.stop().await;
    }
}
