//! A server within limits, and an orderly end.

mod clock;
mod connection;
mod exchange;
mod in_flight;
mod io;
mod limits;
mod pulse;
mod signals;
mod worker;

use std::fmt;
use std::future::{IntoFuture, pending};
use std::io::{Error as IoError, Result as IoResult};
use std::net::TcpListener;
use std::pin::{Pin, pin};

use actix_web::body::MessageBody;
use actix_web::dev::{Server, ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::{App, Error};
use seawall_health::{Drain, Drained};
use seawall_web::server::Admission;
use tokio::sync::watch;
use tokio_util::task::TaskTracker;

use signals::Signals;
use worker::Shared;

pub use limits::{ServerLimits, ServerLimitsBuilder};
pub use seawall_web::server::ServerLimitsError;

/// Serves an application over HTTP/1, within limits.
///
/// It is actix's server and its protocol, on sockets that are watched: silence, slow heads and answers
/// that nobody reads end on time, connections beyond the limits are closed as they come, what the
/// parser refuses has the body of every other error, and a refused body is read on for a while, so that
/// the answer arrives. The future of the result accepts connections until its drain says to stop, if it
/// has one; without one it never ends. Dropping it cuts every connection.
///
/// # What it cannot bound
///
/// A request behind others on one connection that cannot be parsed, and comes in one piece with them, is
/// refused with a bare status. What an application is told of its own address
/// ([`AppConfig`](actix_web::dev::AppConfig)) is actix's default, since actix lets nobody else set it: of
/// use only where a request has no `Host`.
///
/// For TLS, or HTTP/2, use `HttpServer`, which has none of this.
///
/// # Examples
///
/// ```no_run
/// use std::net::TcpListener;
/// use actix_web::{App, web};
/// use seawall_actix::{ServerLimits, health_routes, serve};
/// use seawall_health::{Drain, Health};
///
/// # #[actix_web::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let health = Health::builder().build()?;
/// health.start();
/// let probes = health.clone();
/// let app = move || {
///     App::new()
///         .service(health_routes(&probes))
///         .route("/", web::get().to(|| async { "open" }))
/// };
///
/// let drained = serve(TcpListener::bind("0.0.0.0:8080")?, app, ServerLimits::default())
///     .drain(Drain::new(&health))
///     .on_signals()?
///     .await?;
/// println!("cut {} requests", drained.left());
/// # Ok(()) }
/// ```
pub fn serve<F, T>(listener: TcpListener, app: F, limits: ServerLimits) -> Serve<F>
where
    F: Fn() -> App<T> + Send + Clone + 'static,
{
    Serve {
        listener,
        app,
        limits,
        drain: None,
        signals: None,
    }
}

/// A server about to run. See [`serve`].
#[must_use = "a server does nothing before it is awaited"]
pub struct Serve<F> {
    listener: TcpListener,
    app: F,
    limits: ServerLimits,
    drain: Option<Drain>,
    signals: Option<Signals>,
}

impl<F> Serve<F> {
    /// Ends in the order of this drain: when it closes, the listener does; what is in flight ends, or
    /// its maximum does. Default: it never ends.
    pub fn drain(mut self, drain: Drain) -> Self {
        self.drain = Some(drain);
        self
    }

    /// Tells the drain of the process's signals: SIGTERM leaves in order, SIGINT without the pause,
    /// and each further signal cuts a wait short. Without [`drain`](Self::drain) they are ignored.
    /// Default: signals do what they do.
    ///
    /// # Errors
    ///
    /// When the signals cannot be listened for.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime with I/O enabled.
    pub fn on_signals(mut self) -> IoResult<Self> {
        self.signals = Some(Signals::new()?);
        Ok(self)
    }
}

impl<F> fmt::Debug for Serve<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Serve")
            .field("limits", &self.limits)
            .field("drain", &self.drain)
            .field("on_signals", &self.signals.is_some())
            .finish_non_exhaustive()
    }
}

impl<F, T, B> IntoFuture for Serve<F>
where
    F: Fn() -> App<T> + Send + Clone + 'static,
    T: ServiceFactory<
            ServiceRequest,
            Config = (),
            Response = ServiceResponse<B>,
            Error = Error,
            InitError = (),
        > + 'static,
    B: MessageBody + 'static,
{
    type Output = IoResult<Drained>;
    type IntoFuture = Pin<Box<dyn Future<Output = IoResult<Drained>>>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(run(self))
    }
}

/// So long that the drain's own maximum decides.
const NEVER: u64 = 86_400;

async fn run<F, T, B>(serve: Serve<F>) -> IoResult<Drained>
where
    F: Fn() -> App<T> + Send + Clone + 'static,
    T: ServiceFactory<
            ServiceRequest,
            Config = (),
            Response = ServiceResponse<B>,
            Error = Error,
            InitError = (),
        > + 'static,
    B: MessageBody + 'static,
{
    let Serve {
        listener,
        app,
        limits,
        drain,
        mut signals,
    } = serve;
    let connections = TaskTracker::new();
    let told = watch::Sender::new(false);
    let workers = limits.numbers().workers;
    let shared = Shared {
        admission: Admission::new(&limits.numbers().base),
        connections: connections.clone(),
        closing: told.subscribe(),
        drain: drain.clone(),
        address: listener.local_addr()?,
        limits,
    };
    let server = Server::build()
        .workers(workers)
        // They are counted at the door: actix would let those beyond wait.
        .max_concurrent_connections(usize::MAX)
        .shutdown_timeout(NEVER)
        .disable_signals()
        .listen("seawall", listener, move || {
            worker::worker(app(), shared.clone())
        })?
        .run();
    let handle = server.handle();
    let closes = drain.as_ref().map(Drain::closing);
    let mut closing = pin!(async {
        match closes {
            Some(closes) => closes.await,
            None => pending().await,
        }
    });
    // Dropped at the end, whereupon it cuts what is left.
    let mut server = pin!(server);
    loop {
        tokio::select! {
            biased;
            () = closing.as_mut() => break,
            () = heed(&mut signals, drain.as_ref()) => {}
            ended = server.as_mut() => {
                ended?;
                return Err(IoError::other("the server was stopped from elsewhere"));
            }
        }
    }
    let Some(drain) = drain else {
        return pending().await;
    };
    told.send_replace(true);
    let finished = async {
        let _stopping = handle.stop(true);
        connections.close();
        tokio::select! {
            biased;
            ended = server.as_mut() => if let Err(error) = ended {
                tracing::error!(%error, "the server ended badly");
            },
            // Actix would look only once a second.
            () = connections.wait() => {}
        }
    };
    let mut done = pin!(drain.done_with(finished));
    loop {
        tokio::select! {
            biased;
            drained = done.as_mut() => return Ok(drained),
            () = heed(&mut signals, Some(&drain)) => {}
        }
    }
}

/// Passes the next signal on.
async fn heed(signals: &mut Option<Signals>, drain: Option<&Drain>) {
    let Some(signals) = signals else {
        return pending().await;
    };
    let stop = signals.next().await;
    if let Some(drain) = drain {
        drain.signal(stop);
    }
}
