//! A way to a server that can be cut and mended while it is in use.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::service::Trouble;

/// What becomes of the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Open,
    /// Connections are accepted and held, and nothing goes through: a server that hangs.
    Stalled,
    /// Connections are closed, those that stand and those that come.
    Cut,
}

/// A proxy on a free port of loopback. Dropping it closes everything.
#[derive(Debug)]
pub(crate) struct Proxy {
    address: SocketAddr,
    way: watch::Sender<Way>,
    accepting: JoinHandle<()>,
}

impl Proxy {
    pub(crate) async fn start(host: &str, port: u16) -> Result<Self, Trouble> {
        let failed = |error| Trouble::new(format!("no proxy to the store: {error}"));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let (way, seen) = watch::channel(Way::Open);
        let to: Arc<(String, u16)> = Arc::new((host.to_owned(), port));
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(carry(client, Arc::clone(&to), seen.clone()));
            }
        });
        Ok(Self {
            address,
            way,
            accepting,
        })
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on, for all connections.
    pub(crate) fn set(&self, way: Way) {
        self.way.send_replace(way);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn carry(client: TcpStream, to: Arc<(String, u16)>, way: watch::Receiver<Way>) {
    let is_cut = |way: &watch::Receiver<Way>| *way.borrow() == Way::Cut;
    if is_cut(&way) {
        return;
    }
    let Ok(server) = TcpStream::connect((to.0.as_str(), to.1)).await else {
        return;
    };
    let _ = client.set_nodelay(true);
    let _ = server.set_nodelay(true);
    let (client_in, client_out) = client.into_split();
    let (server_in, server_out) = server.into_split();
    // Whichever side ends first ends both: a client sees a cut at once.
    tokio::select! {
        () = pump(client_in, server_out, way.clone()) => {}
        () = pump(server_in, client_out, way) => {}
    }
}

/// Carries bytes one way until somebody closes, or the way is cut.
async fn pump(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut way: watch::Receiver<Way>,
) {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let now = *way.borrow_and_update();
        if now == Way::Cut {
            return;
        }
        let read = tokio::select! {
            changed = way.changed() => match changed {
                Ok(()) => continue,
                // The proxy is gone.
                Err(_) => return,
            },
            read = from.read(&mut buffer), if now == Way::Open => read,
        };
        let Ok(count @ 1..) = read else { return };
        if to.write_all(&buffer[..count]).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time;

    use super::*;

    /// Says back what it is told.
    async fn echo() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut read, mut write) = stream.into_split();
                    tokio::io::copy(&mut read, &mut write).await
                });
            }
        });
        address
    }

    async fn proxy() -> Proxy {
        let to = echo().await;
        Proxy::start(&to.ip().to_string(), to.port()).await.unwrap()
    }

    async fn says_back(stream: &mut TcpStream) -> bool {
        let mut byte = [0];
        stream.write_all(b"x").await.is_ok() && stream.read_exact(&mut byte).await.is_ok()
    }

    #[tokio::test]
    async fn a_cut_ends_what_stands_and_what_comes_until_it_is_mended() {
        let proxy = proxy().await;
        let mut stands = TcpStream::connect(proxy.address()).await.unwrap();
        assert!(says_back(&mut stands).await);
        proxy.set(Way::Cut);
        assert!(!says_back(&mut stands).await);
        let mut comes = TcpStream::connect(proxy.address()).await.unwrap();
        assert!(!says_back(&mut comes).await);
        proxy.set(Way::Open);
        let mut after = TcpStream::connect(proxy.address()).await.unwrap();
        assert!(says_back(&mut after).await);
    }

    #[tokio::test]
    async fn a_stall_holds_what_is_sent_and_lets_it_go_afterwards() {
        let proxy = proxy().await;
        let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
        assert!(says_back(&mut stream).await);
        proxy.set(Way::Stalled);
        // Whatever was being read when the stall began may still pass; this was not.
        time::sleep(Duration::from_millis(20)).await;
        stream.write_all(b"x").await.unwrap();
        let mut byte = [0];
        let held = time::timeout(Duration::from_millis(100), stream.read_exact(&mut byte));
        assert!(held.await.is_err(), "nothing comes back");
        proxy.set(Way::Open);
        let passed = time::timeout(Duration::from_secs(10), stream.read_exact(&mut byte));
        assert!(passed.await.unwrap().is_ok());
    }

    #[tokio::test]
    async fn a_dropped_proxy_closes_everything() {
        let proxy = proxy().await;
        let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
        assert!(says_back(&mut stream).await);
        drop(proxy);
        assert!(!says_back(&mut stream).await);
    }
}
