//! A server that no peer can hold: limits below every layer, and an orderly end.

mod clock;
mod connection;
mod io;
mod limits;
mod pulse;
mod service;
mod signals;
mod voice;

use std::any::Any;
use std::cell::RefCell;
use std::fmt;
use std::future::{IntoFuture, pending};
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;

use axum::Router;
use axum::serve::Listener;
use parking_lot::Mutex;
use seawall_health::{Drain, Drained};
use seawall_web::server::{Admission, Permit};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinSet;

use pulse::Pulse;
use service::ConnectionService;
use signals::Signals;

pub use limits::{ServerLimits, ServerLimitsBuilder};
pub use seawall_web::server::ServerLimitsError;

/// Serves an application over HTTP/1 and HTTP/2, within limits.
///
/// Reach for it instead of `axum::serve`, which waits for ever for a head, counts no connections and
/// gives a reader all the time it likes. The future of the result accepts connections until its drain
/// says to stop, if it has one; without one it never ends. Dropping it cuts every connection.
///
/// Each request is told its peer ([`ConnectInfo`](axum::extract::ConnectInfo) and
/// [`Known`](seawall_web::request::Known)): no `into_make_service_with_connect_info` is needed.
/// TCP connections are set to send without delay. For TLS, pass a listener that yields TLS streams; the
/// time of its handshake is up to that listener.
///
/// # Examples
///
/// ```no_run
/// use axum::{Router, routing::get};
/// use seawall_axum::{ServerLimits, health_routes, serve};
/// use seawall_health::{Drain, Health};
/// use tokio::net::TcpListener;
///
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let health = Health::builder().build()?;
/// health.start();
/// let app = Router::new()
///     .route("/", get(|| async { "open" }))
///     .merge(health_routes(&health));
///
/// let listener = TcpListener::bind("0.0.0.0:8080").await?;
/// let drained = serve(listener, app, ServerLimits::default())
///     .drain(Drain::new(&health))
///     .on_signals()?
///     .await;
/// println!("cut {} requests", drained.left());
/// # Ok(()) }
/// ```
pub fn serve<L>(listener: L, app: Router, limits: ServerLimits) -> Serve<L>
where
    L: Listener<Addr = SocketAddr>,
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
pub struct Serve<L> {
    listener: L,
    app: Router,
    limits: ServerLimits,
    drain: Option<Drain>,
    signals: Option<Signals>,
}

impl<L> Serve<L> {
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
    pub fn on_signals(mut self) -> std::io::Result<Self> {
        self.signals = Some(Signals::new()?);
        Ok(self)
    }
}

impl<L> fmt::Debug for Serve<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Serve")
            .field("limits", &self.limits)
            .field("drain", &self.drain)
            .field("on_signals", &self.signals.is_some())
            .finish_non_exhaustive()
    }
}

impl<L: Listener<Addr = SocketAddr>> IntoFuture for Serve<L> {
    type Output = Drained;
    type IntoFuture = Pin<Box<dyn Future<Output = Drained> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(run(self))
    }
}

async fn run<L: Listener<Addr = SocketAddr>>(serve: Serve<L>) -> Drained {
    let Serve {
        mut listener,
        app,
        limits,
        drain,
        mut signals,
    } = serve;
    let server = Server {
        protocols: Arc::new(connection::protocols(limits.numbers())),
        admission: Admission::new(&limits.numbers().base),
        app,
        limits,
        drain: drain.clone(),
        closing: watch::Sender::new(false),
    };
    let mut connections = JoinSet::new();
    let closes = drain.as_ref().map(Drain::closing);
    let closing = async {
        match closes {
            Some(closes) => closes.await,
            None => pending().await,
        }
    };
    let mut closing = pin!(closing);
    loop {
        tokio::select! {
            biased;
            () = closing.as_mut() => break,
            () = heed(&mut signals, drain.as_ref()) => {}
            Some(_ended) = connections.join_next(), if !connections.is_empty() => {}
            (io, peer) = listener.accept() => match server.admission.admit(peer.ip()) {
                Ok(permit) => {
                    connections.spawn(server.connection(io, peer, permit));
                }
                Err(full) => tracing::debug!(%peer, ?full, "connection refused"),
            },
        }
    }
    drop(listener);
    server.closing.send_replace(true);
    let Some(drain) = drain else {
        return pending().await;
    };
    let finished = async { while connections.join_next().await.is_some() {} };
    let mut done = pin!(drain.done_with(finished));
    loop {
        tokio::select! {
            biased;
            drained = done.as_mut() => return drained,
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

/// What all connections share.
struct Server {
    protocols: Arc<hyper_util::server::conn::auto::Builder<hyper_util::rt::TokioExecutor>>,
    admission: Admission,
    app: Router,
    limits: ServerLimits,
    drain: Option<Drain>,
    closing: watch::Sender<bool>,
}

impl Server {
    fn connection<I>(
        &self,
        mut io: I,
        peer: SocketAddr,
        permit: Permit,
    ) -> impl Future<Output = ()> + Send + use<I>
    where
        I: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
    {
        if let Some(tcp) = (&mut io as &mut dyn Any).downcast_mut::<TcpStream>() {
            // A socket that is gone already cannot be set; its end shows at the first read.
            let _ = tcp.set_nodelay(true);
        }
        let pulse = Arc::new(Mutex::new(Pulse::new(clock::now())));
        let write_timeout = self.limits.numbers().base.write_timeout;
        let io = io::WatchedIo::new(io, Arc::clone(&pulse), write_timeout, permit);
        let service = ConnectionService {
            app: RefCell::new(self.app.clone()),
            peer,
            pulse,
            limits: self.limits.clone(),
            drain: self.drain.clone(),
        };
        let protocols = Arc::clone(&self.protocols);
        connection::run(protocols, io, service, self.closing.subscribe())
    }
}
