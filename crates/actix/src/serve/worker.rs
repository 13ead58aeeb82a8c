//! One worker: actix's protocol, on connections that were let in.

use std::cell::RefCell;
use std::fmt::Display;
use std::future::ready;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_http::{HttpServiceBuilder, KeepAlive};
use actix_service::{IntoServiceFactory as _, map_config};
use actix_web::body::MessageBody;
use actix_web::dev::{
    AppConfig, Service, ServiceFactory, ServiceRequest, ServiceResponse, fn_factory,
};
use actix_web::{App, Error};
use seawall_health::Drain;
use seawall_web::server::Admission;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_util::task::TaskTracker;

use super::exchange::ExchangeLayer;
use super::in_flight::InFlightLayer;
use super::io::WatchedIo;
use super::limits::ServerLimits;
use super::pulse::Pulse;
use super::{clock, connection};

/// What all workers share.
#[derive(Clone, Debug)]
pub(super) struct Shared {
    pub(super) limits: ServerLimits,
    pub(super) admission: Admission,
    /// Those that are open, so that their end can be waited for.
    pub(super) connections: TaskTracker,
    pub(super) closing: watch::Receiver<bool>,
    pub(super) drain: Option<Drain>,
    pub(super) address: SocketAddr,
}

/// What makes a worker of an application, in the worker's own thread.
///
/// Actix's own timers are off: they know only the first head, and their answers have no body.
pub(super) fn worker<T, B>(
    app: App<T>,
    shared: Shared,
) -> impl ServiceFactory<TcpStream, Config = (), Response = ()>
where
    T: ServiceFactory<
            ServiceRequest,
            Config = (),
            Response = ServiceResponse<B>,
            Error = Error,
            InitError = (),
        > + 'static,
    B: MessageBody + 'static,
{
    let app = app
        .wrap(InFlightLayer {
            drain: shared.drain.clone(),
        })
        .wrap(ExchangeLayer {
            limits: shared.limits.clone(),
        })
        .into_factory();
    let http = HttpServiceBuilder::default()
        .keep_alive(KeepAlive::Os)
        .client_request_timeout(Duration::ZERO)
        .client_disconnect_timeout(Duration::ZERO)
        .local_addr(shared.address)
        .on_connect_ext(|io: &WatchedIo<TcpStream>, data| {
            data.insert(Rc::clone(io.pulse()));
        })
        .h1(map_config(app, |()| AppConfig::default()));
    fn_factory(move || {
        let http = http.new_service(());
        let shared = shared.clone();
        async move {
            let http = http.await?;
            Ok::<_, ()>(Door { http, shared })
        }
    })
}

/// Lets connections in and drives them.
struct Door<H> {
    http: H,
    shared: Shared,
}

impl<H> Service<TcpStream> for Door<H>
where
    H: Service<(WatchedIo<TcpStream>, Option<SocketAddr>), Response = ()>,
    H::Future: 'static,
    H::Error: Display + 'static,
{
    type Response = ();
    type Error = H::Error;
    type Future = Pin<Box<dyn Future<Output = Result<(), H::Error>>>>;

    fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<Result<(), H::Error>> {
        self.http.poll_ready(cx)
    }

    fn call(&self, tcp: TcpStream) -> Self::Future {
        // A socket that is gone already has no peer.
        let Ok(peer) = tcp.peer_addr() else {
            return Box::pin(ready(Ok(())));
        };
        let permit = match self.shared.admission.admit(peer.ip()) {
            Ok(permit) => permit,
            Err(full) => {
                tracing::debug!(%peer, ?full, "connection refused");
                return Box::pin(ready(Ok(())));
            }
        };
        let open = self.shared.connections.token();
        // Or it shows at the first read.
        let _ = tcp.set_nodelay(true);
        let limits = self.shared.limits.clone();
        let pulse = Rc::new(RefCell::new(Pulse::new(clock::now())));
        let io = WatchedIo::new(tcp, pulse, limits.numbers().base.write_timeout);
        let dispatch = self.http.call((io.clone(), Some(peer)));
        let driven = connection::run(dispatch, io, peer, limits, self.shared.closing.clone());
        Box::pin(async move {
            driven.await;
            drop((permit, open));
            Ok(())
        })
    }
}
