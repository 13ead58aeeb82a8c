//! A client that keeps the rules and its connection.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::time;

use super::{Call, Unanswered, connect};
use crate::answer::Answer;

/// One client at one address with one connection, which is opened when first needed.
#[derive(Debug)]
pub(crate) struct Client {
    from: Ipv4Addr,
    to: SocketAddr,
    patience: Duration,
    connection: Option<SendRequest<Full<Bytes>>>,
}

impl Client {
    /// A client that waits ten seconds for an answer.
    pub(crate) fn new(from: Ipv4Addr, to: SocketAddr) -> Self {
        Self {
            from,
            to,
            patience: Duration::from_secs(10),
            connection: None,
        }
    }

    pub(crate) fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Sends a request and waits for the whole answer.
    pub(crate) async fn send(&mut self, call: &Call) -> Result<Answer, Unanswered> {
        let start = Instant::now();
        let sent = time::timeout(self.patience, self.attempts(call, start)).await;
        let result = sent.unwrap_or(Err(Unanswered::TimedOut));
        if result.is_err() {
            self.connection = None;
        }
        result
    }

    /// A server may close an idle connection just as it is used again. Every client library repeats
    /// a safe request then, once, on a fresh connection; so does this one.
    async fn attempts(&mut self, call: &Call, start: Instant) -> Result<Answer, Unanswered> {
        let reused = self.connection.is_some();
        match self.attempt(call, start).await {
            Err(Unanswered::Closed) if reused && call.is_safe() => {
                self.connection = None;
                self.attempt(call, start).await
            }
            result => result,
        }
    }

    async fn attempt(&mut self, call: &Call, start: Instant) -> Result<Answer, Unanswered> {
        let sender = match self.connection.take().filter(|sender| !sender.is_closed()) {
            Some(sender) => sender,
            None => self.connected().await?,
        };
        let sender = self.connection.insert(sender);
        sender.ready().await.map_err(|_| Unanswered::Closed)?;
        let request = call.to_request(&self.to.to_string());
        let response = sender
            .send_request(request)
            .await
            .map_err(|_| Unanswered::Closed)?;
        let (head, body) = response.into_parts();
        let body = Limited::new(body, Answer::MOST_READ).collect().await;
        let body = body.map_err(|_| Unanswered::Closed)?.to_bytes();
        Ok(Answer::new(
            head.status.as_u16(),
            &head.headers,
            body,
            start.elapsed(),
        ))
    }

    async fn connected(&self) -> Result<SendRequest<Full<Bytes>>, Unanswered> {
        let stream = connect(self.from, self.to)
            .await
            .map_err(|_| Unanswered::NotConnected)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|_| Unanswered::NotConnected)?;
        // Ends when the sender is dropped, or with the server.
        tokio::spawn(connection);
        Ok(sender)
    }
}
