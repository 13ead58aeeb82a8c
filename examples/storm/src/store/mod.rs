//! Where the shops of a run keep shared state, and storm's hands on it.

mod place;
mod proxy;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use shop::store::{Location, Url};
use tempfile::TempDir;
use throwaway::{Disk, Kind, Server};
use tokio::net::TcpStream;
use tokio::{task, time};

use crate::service::Trouble;

pub(crate) use place::Place;
pub(crate) use proxy::{Proxy, Way};

/// The store of a run.
#[derive(Debug)]
pub(crate) struct Store {
    ground: Ground,
    /// Of this run alone, since a server that was there before knows of others.
    namespace: String,
    places: AtomicU32,
}

#[derive(Debug)]
enum Ground {
    Memory,
    Sqlite {
        file: PathBuf,
        folder: TempDir,
    },
    Server {
        url: Url,
        kind: Kind,
        /// One that storm has started. Empty once it was stopped.
        own: Option<Own>,
    },
}

type Own = Arc<Mutex<Option<Server>>>;

impl Store {
    /// Makes it ready. What blocks runs apart, and ends soon after `interrupted` is ready.
    pub(crate) async fn start(
        location: &Location,
        interrupted: impl Future<Output = Trouble>,
    ) -> Result<Self, Trouble> {
        let ground = match location {
            Location::Memory => Ground::Memory,
            Location::Sqlite(path) => {
                let failed = |error| Trouble::new(format!("no folder for the store: {error}"));
                let folder = tempfile::tempdir().map_err(failed)?;
                let file = path
                    .clone()
                    .unwrap_or_else(|| folder.path().join("shared.db"));
                Ground::Sqlite { file, folder }
            }
            Location::Redis(url) => server(Kind::Redis, url.as_ref(), interrupted).await?,
            Location::Postgres(url) => server(Kind::Postgres, url.as_ref(), interrupted).await?,
        };
        Ok(Self {
            ground,
            namespace: format!("storm-{:x}-{:08x}", std::process::id(), fastrand::u32(..)),
            places: AtomicU32::new(0),
        })
    }

    /// What the hardened shop is given, and every replica of it.
    pub(crate) fn shared(&self) -> Place {
        let location = match &self.ground {
            Ground::Memory => Location::Memory,
            Ground::Sqlite { file, .. } => Location::Sqlite(Some(file.clone())),
            Ground::Server { url, kind, .. } => at(*kind, url.clone()),
        };
        Place::new(location, self.namespace.clone())
    }

    /// The same kind of place, where nobody else is: for a shop of a scenario's own.
    pub(crate) fn apart(&self) -> Place {
        let number = self.places.fetch_add(1, Ordering::Relaxed);
        let namespace = format!("{}-{number}", self.namespace);
        let location = match &self.ground {
            Ground::Sqlite { folder, .. } => {
                Location::Sqlite(Some(folder.path().join(format!("apart-{number}.db"))))
            }
            _ => self.shared().location().clone(),
        };
        Place::new(location, namespace)
    }

    /// Whether accepted messages are shared by the shops of this machine.
    pub(crate) fn shares_messages(&self) -> bool {
        !matches!(self.ground, Ground::Memory)
    }

    /// A way to the server that can be cut; `None` where there is no server.
    pub(crate) async fn proxy(&self) -> Result<Option<Proxy>, Trouble> {
        let Ground::Server { url, kind, .. } = &self.ground else {
            return Ok(None);
        };
        let (host, port) = host_and_port(*kind, url)?;
        Proxy::start(host, port).await.map(Some)
    }

    /// Whether storm may kill the server.
    pub(crate) fn is_ours(&self) -> bool {
        matches!(&self.ground, Ground::Server { own: Some(_), .. })
    }

    /// Kills the server as a crash would.
    pub(crate) async fn kill(&self) -> Result<(), Trouble> {
        self.with_server(|server| {
            server.kill();
            Ok(())
        })
        .await
    }

    /// Starts it again, with what its disk has kept.
    pub(crate) async fn restart(&self) -> Result<(), Trouble> {
        self.with_server(|server| server.restart(&|| false)).await
    }

    async fn with_server(
        &self,
        act: impl FnOnce(&mut Server) -> Result<(), throwaway::Error> + Send + 'static,
    ) -> Result<(), Trouble> {
        let Ground::Server { own: Some(own), .. } = &self.ground else {
            return Err(Trouble::new("the store is not storm's to kill"));
        };
        let own = Arc::clone(own);
        let done = task::spawn_blocking(move || match own.lock().as_mut() {
            Some(server) => act(server),
            None => Err(throwaway::Error::Interrupted),
        });
        match done.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(Trouble::new(format!("the store: {error}"))),
            Err(_) => Err(Trouble::new("the store could not be restarted")),
        }
    }

    /// Ends a server that storm has started, even one that is just being restarted. It blocks.
    pub(crate) fn stop(self) {
        if let Ground::Server { own: Some(own), .. } = self.ground {
            drop(own.lock().take());
        }
    }
}

fn at(kind: Kind, url: Url) -> Location {
    match kind {
        Kind::Redis => Location::Redis(Some(url)),
        Kind::Postgres => Location::Postgres(Some(url)),
    }
}

/// Whether anybody listens there: without a store the promises are others, and would be called broken.
async fn answers(kind: Kind, url: &Url) -> Result<(), Trouble> {
    let (host, port) = host_and_port(kind, url)?;
    let expected = |cause: &str| {
        let name = kind.name();
        Trouble::new(format!(
            "--store: expected a {name} that answers at {host}:{port}: {cause}"
        ))
    };
    match time::timeout(ANSWER, TcpStream::connect((host, port))).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(expected(&error.to_string())),
        Err(_) => Err(expected("nothing within five seconds")),
    }
}

fn host_and_port(kind: Kind, url: &Url) -> Result<(&str, u16), Trouble> {
    let default = match kind {
        Kind::Redis => 6379,
        Kind::Postgres => 5432,
    };
    url.host_and_port(default)
        .ok_or_else(|| Trouble::new("the store's address has no host"))
}

const ANSWER: Duration = Duration::from_secs(5);

async fn server(
    kind: Kind,
    given: Option<&Url>,
    interrupted: impl Future<Output = Trouble>,
) -> Result<Ground, Trouble> {
    if let Some(url) = given {
        tokio::select! {
            answered = answers(kind, url) => answered?,
            trouble = interrupted => return Err(trouble),
        }
        return Ok(Ground::Server {
            url: url.clone(),
            kind,
            own: None,
        });
    }
    let given_up = Arc::new(AtomicBool::new(false));
    let mut starting = task::spawn_blocking({
        let given_up = Arc::clone(&given_up);
        // Relaxed: a flag that guards no data.
        move || Server::start(kind, Disk::Writes, &|| given_up.load(Ordering::Relaxed))
    });
    let started = tokio::select! {
        started = &mut starting => started,
        trouble = interrupted => {
            given_up.store(true, Ordering::Relaxed);
            // A server that came up all the same is dropped here, and ends.
            drop(starting.await);
            return Err(trouble);
        }
    };
    let server = started
        .map_err(|_| Trouble::new(format!("{} could not be started", kind.name())))?
        .map_err(|error| Trouble::new(error.to_string()))?;
    let location: Location = server
        .url()
        .parse()
        .map_err(|expected| Trouble::new(format!("a store's address: expected {expected}")))?;
    let (Location::Redis(Some(url)) | Location::Postgres(Some(url))) = location else {
        return Err(Trouble::new("a throw-away server has no address"));
    };
    Ok(Ground::Server {
        url,
        kind,
        own: Some(Arc::new(Mutex::new(Some(server)))),
    })
}

/// What a scenario needs of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Needs {
    Nothing,
    /// A server that several shops share.
    Server,
}

impl Needs {
    pub(crate) fn are_met_by(self, location: &Location) -> bool {
        match self {
            Self::Nothing => true,
            Self::Server => matches!(location, Location::Redis(_) | Location::Postgres(_)),
        }
    }
}

impl fmt::Display for Needs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nothing => "any store",
            Self::Server => "--store redis or --store postgres",
        })
    }
}
