//! A shop of a scenario's own, for what the shared one could not survive or would take too long over.

use std::fs;

use tempfile::TempDir;

use super::{Service, Side, Trouble};
use crate::store::Place;

/// A running shop with settings of its own.
#[derive(Debug)]
pub(crate) struct Private {
    pub(crate) service: Service,
    _folder: TempDir,
}

impl Private {
    /// Starts one with this `shop.toml`, to which its store is added.
    pub(crate) async fn start(side: Side, settings: &str, place: &Place) -> Result<Self, Trouble> {
        let failed = |error: std::io::Error| Trouble::new(format!("no private shop: {error}"));
        let folder = tempfile::tempdir().map_err(failed)?;
        let file = folder.path().join("shop.toml");
        fs::write(&file, format!("{settings}{}", place.section())).map_err(failed)?;
        let service = Service::start(side, &file, &folder.path().join("shop.log")).await?;
        Ok(Self {
            service,
            _folder: folder,
        })
    }

    pub(crate) async fn stop(self) {
        self.service.stop().await;
    }
}
