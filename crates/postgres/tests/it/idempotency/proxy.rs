//! Stands between a store and its server, and can lose a reply.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Relays until it is dropped with its runtime.
pub(super) struct Proxy {
    port: u16,
    loses: Arc<AtomicBool>,
    lost: Arc<AtomicU32>,
}

impl Proxy {
    /// In front of the server at this address.
    pub(super) async fn before(url: &str) -> Self {
        let config: tokio_postgres::Config = url.parse().unwrap();
        let upstream = config.get_ports()[0];
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let proxy = Self {
            port: listener.local_addr().unwrap().port(),
            loses: Arc::default(),
            lost: Arc::default(),
        };
        let (loses, lost) = (Arc::clone(&proxy.loses), Arc::clone(&proxy.lost));
        tokio::spawn(async move {
            while let Ok((down, _)) = listener.accept().await {
                let up = TcpStream::connect((Ipv4Addr::LOCALHOST, upstream)).await;
                if let Ok(up) = up {
                    tokio::spawn(relay(down, up, Arc::clone(&loses), Arc::clone(&lost)));
                }
            }
        });
        proxy
    }

    pub(super) fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// The server's next reply to a statement that was carried out is lost, and its connection with it.
    pub(super) fn lose_the_next_reply(&self) {
        self.loses.store(true, Ordering::SeqCst);
    }

    pub(super) fn lost(&self) -> u32 {
        self.lost.load(Ordering::SeqCst)
    }
}

async fn relay(
    mut down: TcpStream,
    mut up: TcpStream,
    loses: Arc<AtomicBool>,
    lost: Arc<AtomicU32>,
) {
    let (mut asked, mut answered) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    loop {
        tokio::select! {
            read = down.read(&mut asked) => match read {
                Ok(len) if len > 0 => up.write_all(&asked[..len]).await.unwrap(),
                _ => return,
            },
            read = up.read(&mut answered) => match read {
                Ok(len) if len > 0 => {
                    // A reply that begins so tells of a statement carried out, and not of one that was
                    // only prepared.
                    if answered[0] == BIND_COMPLETE && loses.swap(false, Ordering::SeqCst) {
                        lost.fetch_add(1, Ordering::SeqCst);
                        return;
                    }
                    if down.write_all(&answered[..len]).await.is_err() {
                        return;
                    }
                }
                _ => return,
            },
        }
    }
}

const BIND_COMPLETE: u8 = b'2';
