//! From options to a running process: bind, announce, serve, drain.

use std::convert::Infallible;
use std::future::{self, IntoFuture};
use std::io::{self, Write};
use std::net::{IpAddr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use axum::Router;
use axum::serve::{ListenerExt, TapIo};
use seawall_axum::Serve;
use seawall_health::Health;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time;
use tracing::Level;

use crate::cli::{Lifetime, Options, Service, UsageError};
use crate::drain::Drain;
use crate::hardened::Hardened;
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
    let state = AppState::new(options.config);
    // Held until the end: a throw-away server goes with it.
    let stores = match options.service {
        Service::Bare => None,
        Service::Hardened => Some(open(&state).await?),
    };
    let api = match &stores {
        None => Api::Bare(bare::router(state.clone())),
        Some(stores) => Api::Hardened(Box::new(hardened(&state, stores)?)),
    };

    let listener = bind("--listen", options.listen).await?;
    let admin = match options.admin {
        Some(address) => Some(bind("--admin", address).await?),
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
        Api::Hardened(hardened) => Ready::hardened(listener, *hardened)?,
    };
    announce(address, admin.as_ref())?;
    // The admin listener answers until the very end: what happens while draining is worth seeing.
    if let Some(listener) = admin {
        tokio::spawn(run_router(listener, admin::router(state.clone())));
    }
    ready.run(state, parent_gone(options.lifetime)).await
}

enum Api {
    Bare(Router),
    Hardened(Box<Hardened>),
}

async fn open(state: &AppState) -> Result<Stores, Stop> {
    store::open(&state.config).await.map_err(|error| {
        let given = format!("--store `{}`", error.store());
        Stop::Usage(UsageError::new(given, error.expected()))
    })
}

fn hardened(state: &AppState, stores: &Stores) -> Result<Hardened, Stop> {
    hardened::service(state.clone(), &state.config, stores).map_err(|error| {
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
        serve: Serve<TcpListener>,
        health: Health,
        drain: seawall_health::Drain,
    },
}

impl Ready {
    fn hardened(listener: TcpListener, hardened: Hardened) -> io::Result<Self> {
        Ok(Self::Hardened {
            serve: seawall_axum::serve(listener, hardened.router, hardened.limits)
                .drain(hardened.drain.clone())
                .on_signals()?,
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
                serve,
                health,
                drain,
            } => {
                health.start();
                serve_hardened(serve, drain, state.drain, parent_gone).await;
                Ok(())
            }
        }
    }
}

/// Within limits, and leaving in order.
async fn serve_hardened(
    serve: Serve<TcpListener>,
    drain: seawall_health::Drain,
    told: Drain,
    parent_gone: impl Future<Output = ()> + Send + 'static,
) {
    tokio::spawn(async move {
        tokio::select! {
            () = told.started() => drain.signal(seawall_health::Stop::Graceful),
            // Whoever started this process is gone, and with it whoever would send requests.
            () = parent_gone => drain.signal(seawall_health::Stop::Prompt),
        }
    });
    let drained = serve.await;
    if !drained.is_clean() {
        let left = drained.left();
        tracing::warn!(left, "requests still in flight after the drain's maximum");
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

async fn bind(flag: &str, address: SocketAddr) -> Result<TcpListener, Stop> {
    TcpListener::bind(address).await.map_err(|error| {
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
