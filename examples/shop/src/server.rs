//! From options to a running process: bind, announce, serve, drain.

use std::convert::Infallible;
use std::future::{self, IntoFuture};
use std::io::{self, Write};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::pin::Pin;
use std::process::ExitCode;
use std::time::Duration;

use axum::Router;
use axum::serve::{ListenerExt, TapIo};
use seawall_axum::Serve;
use seawall_health::{Drained, Health};
use seawall_tower::idempotency::Tasks;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time;
use tracing::Level;

use crate::cli::{Lifetime, Options, Service, UsageError};
use crate::config::Config;
use crate::drain::Drain;
use crate::hardened::{App, Framework, Hardened, Reload};
use crate::state::AppState;
use crate::store::{self, Stores};
use crate::{admin, bare, hardened};

/// Serves until told to stop.
pub(crate) fn run(options: Options) -> ExitCode {
    // The log is for operators: warnings and worse, on stderr, so that stdout stays the two lines
    // that scripts read.
    let _ = tracing_subscriber::fmt()
        .with_max_level(Level::WARN)
        .with_ansi(false)
        .with_writer(io::stderr)
        .try_init();

    let runtime = match runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failure(&error),
    };
    let code = match runtime.block_on(serve(options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Stop::Usage(usage)) => usage.report(),
        Err(Stop::Failure(error)) => failure(&error),
    };
    // Blocking work that nobody waits for any more must not hold the process.
    runtime.shutdown_timeout(Duration::from_millis(500));
    code
}

enum Stop {
    Usage(UsageError),
    Failure(io::Error),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Failure(error)
    }
}

fn failure(error: &io::Error) -> ExitCode {
    eprintln!("shop: {error}");
    ExitCode::FAILURE
}

async fn serve(options: Options) -> Result<(), Stop> {
    let file = options.config_file;
    let state = AppState::new(options.config);
    // Held until the end: a throw-away server goes with it.
    let stores = match options.service {
        Service::Bare => None,
        Service::Hardened => Some(open(&state).await?),
    };
    let (ledger, _folder) = match &stores {
        None => store::ledger(&state.config).map_err(|error| unusable(&error))?,
        Some(stores) => (stores.ledger.clone(), None),
    };
    if stores.is_some() {
        tokio::spawn(state.telemetry.clone().upkeep());
    }
    let api = match &stores {
        None => Api::Bare(bare::router(state.clone(), ledger.clone())),
        Some(stores) => Api::Hardened(Box::new(hardened(options.framework, &state, stores)?)),
    };

    let listener = bind("--listen", options.listen)?;
    let admin = match options.admin {
        Some(address) => Some(bind("--admin", address)?),
        None => None,
    };
    let address = listener.local_addr()?;
    // The printed addresses say that the shop is up: from then on it hears its signals.
    let ready = match api {
        Api::Bare(router) => Ready::Bare {
            listener,
            router,
            signals: Signals::listen()?,
        },
        Api::Hardened(hardened) => {
            if let Some(file) = file {
                let hangup = signal(SignalKind::hangup())?;
                tokio::spawn(read_again(hangup, file, hardened.reload.clone()));
            }
            Ready::hardened(listener, *hardened)?
        }
    };
    announce(address, admin.as_ref())?;
    // The admin listener answers until the very end: what happens while draining is worth seeing.
    if let Some(listener) = admin {
        tokio::spawn(run_router(listener, admin::router(state.clone(), ledger)));
    }
    ready.run(state, parent_gone(options.lifetime)).await
}

enum Api {
    Bare(Router),
    Hardened(Box<Hardened>),
}

async fn open(state: &AppState) -> Result<Stores, Stop> {
    store::open(&state.config, state.telemetry.metrics())
        .await
        .map_err(|error| unusable(&error))
}

fn unusable(error: &store::OpenError) -> Stop {
    let given = format!("--store `{}`", error.store());
    Stop::Usage(UsageError::new(given, error.expected()))
}

fn hardened(framework: Framework, state: &AppState, stores: &Stores) -> Result<Hardened, Stop> {
    hardened::service(framework, state.clone(), &state.config, stores).map_err(|error| {
        let expected = format!("a usable one: {error}");
        Stop::Usage(UsageError::new("the configuration", expected))
    })
}

/// A service that hears its signals and has yet to accept its first connection.
enum Ready {
    Bare {
        listener: TcpListener,
        router: Router,
        signals: Signals,
    },
    Hardened {
        served: Served,
        health: Health,
        drain: seawall_health::Drain,
    },
}

/// The hardened service on its server.
enum Served {
    Axum {
        serve: Box<Serve<TcpListener>>,
        tasks: Tasks,
    },
    Actix {
        serve: Pin<Box<dyn Future<Output = io::Result<Drained>>>>,
        tasks: seawall_actix::idempotency::Tasks,
    },
}

impl Ready {
    fn hardened(listener: TcpListener, hardened: Hardened) -> io::Result<Self> {
        let drain = hardened.drain.clone();
        let served = match hardened.app {
            App::Axum {
                router,
                limits,
                tasks,
            } => Served::Axum {
                serve: Box::new(
                    seawall_axum::serve(listener, router, limits)
                        .drain(drain)
                        .on_signals()?,
                ),
                tasks,
            },
            App::Actix {
                parts,
                limits,
                tasks,
            } => {
                let app = move || actix_web::App::new().configure(|app| parts.configure(app));
                let serve = seawall_actix::serve(listener.into_std()?, app, limits)
                    .drain(drain)
                    .on_signals()?;
                Served::Actix {
                    serve: serve.into_future(),
                    tasks,
                }
            }
        };
        Ok(Self::Hardened {
            served,
            health: hardened.health,
            drain: hardened.drain,
        })
    }

    async fn run(
        self,
        state: AppState,
        parent_gone: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), Stop> {
        match self {
            Self::Bare {
                listener,
                router,
                signals,
            } => serve_bare(listener, router, &state, signals, parent_gone).await,
            Self::Hardened {
                served,
                health,
                drain,
            } => {
                health.start();
                tokio::spawn(told_to_stop(drain, state.drain.clone(), parent_gone));
                let most = state.config.drain.maximum.get();
                match served {
                    Served::Axum { serve, tasks } => {
                        report(&(*serve).await);
                        finished(most, tasks.ended(), || tasks.len()).await;
                    }
                    Served::Actix { serve, tasks } => {
                        report(&serve.await?);
                        finished(most, tasks.ended(), || tasks.len()).await;
                    }
                }
                Ok(())
            }
        }
    }
}

/// Begins the drain when somebody says so.
async fn told_to_stop(
    drain: seawall_health::Drain,
    told: Drain,
    parent_gone: impl Future<Output = ()>,
) {
    tokio::select! {
        () = told.started() => drain.signal(seawall_health::Stop::Graceful),
        // Whoever started this process is gone, and with it whoever would send requests.
        () = parent_gone => drain.signal(seawall_health::Stop::Prompt),
    }
}

fn report(drained: &Drained) {
    if !drained.is_clean() {
        let left = drained.left();
        tracing::warn!(left, "requests still in flight after the drain's maximum");
    }
}

/// Callers who left are not waited for by the server; their work is.
async fn finished(most: Duration, ended: impl Future<Output = ()>, left: impl Fn() -> usize) {
    if time::timeout(most, ended).await.is_err() {
        let left = left();
        tracing::warn!(left, "requests with keys still worked on at the end");
    }
}

/// As most teams ship it.
async fn serve_bare(
    listener: TcpListener,
    router: Router,
    state: &AppState,
    signals: Signals,
    parent_gone: impl Future<Output = ()>,
) -> Result<(), Stop> {
    let drain = &state.drain;
    let graceful = {
        let drain = drain.clone();
        async move { drain.started().await }
    };
    let serving = axum::serve(
        nodelay(listener),
        router.into_make_service_with_connect_info::<SocketAddr>(),
    )
    .with_graceful_shutdown(graceful);
    let overdue = async {
        drain.started().await;
        time::sleep(state.config.drain.maximum.get()).await;
    };
    let stop = async {
        tokio::select! {
            () = signals.first() => {}
            () = parent_gone => {}
        }
        drain.start();
        future::pending::<Infallible>().await
    };
    tokio::select! {
        served = serving.into_future() => served?,
        () = overdue => tracing::warn!("requests still in flight after the drain's maximum"),
        never = stop => match never {},
    }
    Ok(())
}

async fn run_router(listener: TcpListener, router: Router) {
    if let Err(error) = axum::serve(nodelay(listener), router).await {
        tracing::error!(%error, "the admin listener stopped");
    }
}

fn nodelay(listener: TcpListener) -> TapIo<TcpListener, fn(&mut TcpStream)> {
    listener.tap_io(|stream| {
        // A socket that is gone already cannot be set; its end shows at the first read.
        let _ = stream.set_nodelay(true);
    })
}

/// So many connections wait to be accepted; the kernel may allow fewer. With the 128 of
/// `TcpListener::bind`, a burst loses some, and whoever lost tries again a second later.
const BACKLOG: u32 = 4096;

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

fn bind(flag: &str, address: SocketAddr) -> Result<TcpListener, Stop> {
    listen(address).map_err(|error| {
        let expected = match error.kind() {
            io::ErrorKind::AddrInUse => "a port that is free; this one is in use".to_owned(),
            _ => format!("an address that can be bound: {error}"),
        };
        Stop::Usage(UsageError::new(format!("{flag} `{address}`"), expected))
    })
}

fn announce(api: SocketAddr, admin: Option<&TcpListener>) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "listening on http://{}", reachable(api))?;
    if let Some(admin) = admin {
        writeln!(out, "admin on http://{}", admin.local_addr()?)?;
    }
    out.flush()
}

/// The bound address, with "all interfaces" replaced by one that a browser on this machine can open.
fn reachable(bound: SocketAddr) -> SocketAddr {
    match bound.ip() {
        IpAddr::V4(any) if any.is_unspecified() => SocketAddr::from(([127, 0, 0, 1], bound.port())),
        _ => bound,
    }
}

/// At each SIGHUP the file is read again. One that cannot be used changes nothing.
async fn read_again(mut hangup: Signal, file: PathBuf, reload: Reload) {
    while hangup.recv().await.is_some() {
        let read = Config::read(&file).map_err(|fault| fault.to_string());
        let applied =
            read.and_then(|config| (reload.apply(&config)).map_err(|error| error.to_string()));
        match applied {
            Ok(()) => tracing::warn!("the configuration was read again and is in force"),
            Err(error) => tracing::error!(
                error,
                "the configuration was read again and cannot be used; the old one stays in force"
            ),
        }
    }
}

/// The signals that end the bare service.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn first(mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Ready when standard input has ended, where that is to be heeded.
async fn parent_gone(lifetime: Lifetime) {
    match lifetime {
        Lifetime::UntilSignal => future::pending().await,
        Lifetime::UntilStdinCloses => {
            let mut sink = [0; 64];
            let mut stdin = tokio::io::stdin();
            while matches!(stdin.read(&mut sink).await, Ok(read) if read > 0) {}
        }
    }
}
