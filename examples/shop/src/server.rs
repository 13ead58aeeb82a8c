//! From options to a running process: bind, announce, serve, drain.

use std::io::{self, Write};
use std::net::{IpAddr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use axum::Router;
use axum::serve::{ListenerExt, TapIo};
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time;
use tracing::Level;

use crate::cli::{Lifetime, Options, Service, UsageError};
use crate::drain::Drain;
use crate::state::AppState;
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
    let maximum = options.config.drain.maximum.get();
    let state = AppState::new(options.config);
    let drain = state.drain.clone();

    let api = match options.service {
        Service::Bare => bare::router(state.clone()),
        Service::Hardened => {
            hardened::router(state.clone(), &state.config.clone()).map_err(|error| {
                Stop::Usage(UsageError::new(
                    "the configuration",
                    format!("a usable one: {error}"),
                ))
            })?
        }
    };

    let listener = bind("--listen", options.listen).await?;
    let admin = match options.admin {
        Some(address) => Some(bind("--admin", address).await?),
        None => None,
    };
    let stop = stop_signal(options.lifetime, drain.clone())?;
    announce(&listener, admin.as_ref())?;

    // The admin listener answers until the very end: what happens while draining is worth seeing.
    if let Some(listener) = admin {
        tokio::spawn(run_router(listener, admin::router(state)));
    }
    let graceful = {
        let drain = drain.clone();
        async move { drain.started().await }
    };
    let serving = axum::serve(
        nodelay(listener),
        api.into_make_service_with_connect_info::<SocketAddr>(),
    )
    .with_graceful_shutdown(graceful);
    let overdue = async {
        drain.started().await;
        time::sleep(maximum).await;
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

fn announce(api: &TcpListener, admin: Option<&TcpListener>) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "listening on http://{}", reachable(api.local_addr()?))?;
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

/// Starts the drain on SIGTERM, SIGINT or, where asked, the end of standard input. Never resolves.
fn stop_signal(
    lifetime: Lifetime,
    drain: Drain,
) -> io::Result<impl Future<Output = std::convert::Infallible>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        let parent_gone = async {
            match lifetime {
                Lifetime::UntilSignal => std::future::pending().await,
                Lifetime::UntilStdinCloses => {
                    let mut sink = [0; 64];
                    let mut stdin = tokio::io::stdin();
                    while matches!(stdin.read(&mut sink).await, Ok(read) if read > 0) {}
                }
            }
        };
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            () = parent_gone => {}
        }
        drain.start();
        std::future::pending().await
    })
}
