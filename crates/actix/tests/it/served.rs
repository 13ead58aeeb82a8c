//! A service behind a real socket, and a client that sends bytes as it is told.

use std::net::SocketAddr;
use std::time::Duration;

use actix_web::body::MessageBody;
use actix_web::dev::{ServerHandle, ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::{App, Error, HttpServer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Stops with [`stop`](Self::stop), or with the process.
pub(crate) struct Served {
    pub(crate) address: SocketAddr,
    handle: ServerHandle,
}

impl Served {
    pub(crate) fn start<F, T, B>(workers: usize, app: F) -> Self
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
        let server = HttpServer::new(app)
            .workers(workers)
            .disable_signals()
            .bind(("127.0.0.1", 0))
            .unwrap();
        let address = server.addrs()[0];
        let server = server.run();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        Self { address, handle }
    }

    pub(crate) async fn connect(&self) -> Wire {
        Wire::of(TcpStream::connect(self.address).await.unwrap())
    }

    pub(crate) async fn stop(self) {
        self.handle.stop(false).await;
    }
}

/// One connection.
pub(crate) struct Wire {
    stream: TcpStream,
    read: Vec<u8>,
}

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);

impl Wire {
    pub(crate) fn of(stream: TcpStream) -> Self {
        Self {
            stream,
            read: Vec::new(),
        }
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.unwrap();
    }

    /// The same to a server that may have ended the connection.
    pub(crate) async fn try_send(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = self.stream.write_all(bytes.as_ref()).await;
    }

    /// The next answer, head and body as one text; `None` when the connection has ended.
    pub(crate) async fn answer(&mut self) -> Option<String> {
        timeout(PATIENCE, self.read_answer()).await.unwrap()
    }

    /// The next answer to a `HEAD`, which has no body whatever its length is said to be.
    pub(crate) async fn head(&mut self) -> Option<String> {
        let head = timeout(PATIENCE, self.read_to(b"\r\n\r\n"))
            .await
            .unwrap()?;
        let answer = self.read.drain(..head + 4).collect();
        Some(String::from_utf8(answer).unwrap())
    }

    /// All that comes until the connection ends.
    pub(crate) async fn rest(&mut self) -> String {
        let all = self.stream.read_to_end(&mut self.read);
        let _ = timeout(PATIENCE, all).await.unwrap();
        String::from_utf8(std::mem::take(&mut self.read)).unwrap()
    }

    async fn read_to(&mut self, end: &[u8]) -> Option<usize> {
        loop {
            if let Some(at) = self.read.windows(end.len()).position(|part| part == end) {
                return Some(at);
            }
            match self.stream.read_buf(&mut self.read).await {
                Ok(0) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    async fn read_answer(&mut self) -> Option<String> {
        loop {
            if let Some(head) = self.read.windows(4).position(|four| four == b"\r\n\r\n") {
                let text = String::from_utf8_lossy(&self.read[..head]).to_ascii_lowercase();
                let length = text
                    .lines()
                    .find_map(|line| line.strip_prefix("content-length: "));
                let end = head + 4 + length.map_or(0, |length| length.parse().unwrap());
                if self.read.len() >= end {
                    let answer = self.read.drain(..end).collect();
                    return Some(String::from_utf8(answer).unwrap());
                }
            }
            // A reset is an end, too.
            match self.stream.read_buf(&mut self.read).await {
                Ok(0) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }
}

pub(crate) fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}
