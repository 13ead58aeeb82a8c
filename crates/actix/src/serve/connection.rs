//! One connection from its first byte to its last, driven and watched.

use std::fmt::Display;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use seawall_web::server::too_slow;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;

use super::clock;
use super::io::WatchedIo;
use super::limits::ServerLimits;
use super::pulse::Verdict;

/// How long a connection that was told to end may take about it.
const GRACE: Duration = Duration::from_secs(1);

/// Drives what actix does with a connection, until it is closed.
pub(super) async fn run<D, I, E>(
    dispatch: D,
    mut io: WatchedIo<I>,
    peer: SocketAddr,
    limits: ServerLimits,
    mut closing: watch::Receiver<bool>,
) where
    D: Future<Output = Result<(), E>>,
    I: AsyncRead + AsyncWrite + Unpin,
    E: Display,
{
    {
        let mut dispatch = pin!(dispatch);
        let turns = io.clone();
        let mut served = poll_fn(move |cx| {
            turns.take_turn();
            dispatch.as_mut().poll(cx)
        });
        let first = clock::now() + limits.numbers().shortest_wait();
        let mut look = pin!(tokio::time::sleep_until(first));
        let (mut leaving, mut told_to_end) = (false, false);
        loop {
            tokio::select! {
                biased;
                ended = &mut served => {
                    if let Err(error) = ended {
                        tracing::debug!(%peer, %error, "connection ended");
                    }
                    break;
                }
                () = told(&mut closing), if !leaving => {
                    leaving = true;
                    io.leave();
                }
                () = look.as_mut() => {
                    let now = clock::now();
                    let verdict = io.pulse().borrow().verdict(limits.numbers(), now);
                    let last_words = match verdict {
                        Verdict::Until(next) => {
                            look.as_mut().reset(next);
                            continue;
                        }
                        _ if told_to_end => {
                            tracing::debug!(%peer, "connection cut");
                            return;
                        }
                        Verdict::Close => Vec::new(),
                        Verdict::Late => too_slow(),
                    };
                    told_to_end = true;
                    io.end(last_words);
                    look.as_mut().reset(now + GRACE);
                }
            }
        }
    }
    if !io.is_broken() {
        io.linger(limits.numbers().linger_timeout).await;
    }
}

/// Ready when the server has stopped accepting, or is gone.
async fn told(closing: &mut watch::Receiver<bool>) {
    let _ = closing.wait_for(|closing| *closing).await;
}
