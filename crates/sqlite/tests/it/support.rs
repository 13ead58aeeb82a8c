//! Files and claims.

use std::path::PathBuf;

use seawall_sqlite::SqliteStore;
use tempfile::TempDir;

pub(crate) struct File {
    folder: TempDir,
}

impl File {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("state.db")
    }

    pub(crate) fn open(&self) -> SqliteStore {
        SqliteStore::open(self.path()).unwrap()
    }
}

#[cfg(feature = "signing")]
pub(crate) use claims::{claim, digest, now, t};

#[cfg(feature = "signing")]
mod claims {
    use seawall_signing::{Claim, Clock, Nonce, NonceStore, SystemClock, UnixTime};
    use seawall_sqlite::SqliteStore;

    pub(crate) fn now() -> UnixTime {
        SystemClock.now()
    }

    pub(crate) fn t(secs: u64) -> UnixTime {
        UnixTime::from_secs(secs)
    }

    pub(crate) fn digest(name: u8) -> [u8; 32] {
        [name; 32]
    }

    /// Claims by the host's clock, for five minutes.
    pub(crate) async fn claim(store: &SqliteStore, name: u8) -> Claim {
        let now = now();
        let until = t(now.as_secs() + 300);
        let digest = digest(name);
        store.claim(Nonce::new(&digest, until, now)).await.unwrap()
    }
}
