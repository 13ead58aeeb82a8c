//! One connection from its first byte to its last, driven and watched.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;

use super::clock;
use super::io::WatchedIo;
use super::limits::{Numbers, ServerLimits};
use super::pulse::{Pulse, Verdict};
use super::service::ConnectionService;

/// hyper with the limits that hyper keeps.
pub(super) fn protocols(numbers: &Numbers) -> auto::Builder<TokioExecutor> {
    let mut protocols = auto::Builder::new(TokioExecutor::new());
    // Heads that are somewhat too large are read, so that they can be refused in full.
    let head = numbers.base.header_bytes;
    protocols
        .http1()
        .timer(TokioTimer::new())
        // We watch for slow heads: hyper's own limit would also end idle connections.
        .header_read_timeout(None)
        .max_buf_size((2 * head).max(SMALLEST_BUFFER));
    protocols
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(numbers.h2_streams)
        .max_pending_accept_reset_streams(numbers.h2_pending_resets)
        .max_local_error_reset_streams(numbers.h2_local_resets)
        .max_header_list_size(u32::try_from(head).unwrap_or(u32::MAX))
        .max_send_buf_size(numbers.h2_send_buffer as usize)
        .keep_alive_interval(numbers.base.write_timeout)
        .keep_alive_timeout(numbers.base.write_timeout);
    protocols
}

/// The bodies of requests and the answers go through the same buffer; a small one would slow them.
const SMALLEST_BUFFER: usize = 64 * 1024;

/// How long a connection that was told to go may take about it.
const GRACE: Duration = Duration::from_secs(1);

pub(super) async fn run<I>(
    protocols: Arc<auto::Builder<TokioExecutor>>,
    io: WatchedIo<I>,
    service: ConnectionService,
    mut closing: watch::Receiver<bool>,
) where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let peer = service.peer;
    let limits: ServerLimits = service.limits.clone();
    let pulse: Arc<Mutex<Pulse>> = Arc::clone(&service.pulse);
    let mut connection = pin!(protocols.serve_connection_with_upgrades(TokioIo::new(io), service));
    let first = clock::now() + limits.numbers().shortest_wait();
    let mut look = pin!(tokio::time::sleep_until(first));
    let (mut leaving, mut told_to_go) = (false, false);
    loop {
        tokio::select! {
            biased;
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(%peer, %error, "connection ended");
                }
                return;
            }
            () = told(&mut closing), if !leaving => {
                leaving = true;
                connection.as_mut().graceful_shutdown();
            }
            () = look.as_mut() => {
                let now = clock::now();
                let verdict = pulse.lock().verdict(limits.numbers(), now);
                match verdict {
                    Verdict::Until(next) => look.as_mut().reset(next),
                    Verdict::Idle if !told_to_go => {
                        told_to_go = true;
                        connection.as_mut().graceful_shutdown();
                        look.as_mut().reset(now + GRACE);
                    }
                    Verdict::Idle => return,
                    Verdict::Cut(why) => {
                        tracing::debug!(%peer, why, "connection cut");
                        return;
                    }
                }
            }
        }
    }
}

/// Ready when the server has stopped accepting, or is gone.
async fn told(closing: &mut watch::Receiver<bool>) {
    let _ = closing.wait_for(|closing| *closing).await;
}
