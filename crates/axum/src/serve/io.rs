//! The socket, watched: who does not read is cut, and the parser below speaks with our voice.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, Bytes};
use parking_lot::Mutex;
use pin_project::pin_project;
use seawall_web::server::{Permit, Refusal};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

use super::clock;
use super::pulse::Pulse;

/// A connection's socket. It carries the connection's place, so that an upgraded connection keeps it.
#[pin_project]
pub(super) struct WatchedIo<I> {
    #[pin]
    io: I,
    pulse: Arc<Mutex<Pulse>>,
    write_timeout: Duration,
    /// Runs while the peer takes nothing. Made at the first wait.
    stall: Option<Pin<Box<Sleep>>>,
    /// How many answers had been given when everything was last written.
    written: u64,
    /// Our words in place of the parser's.
    instead: Bytes,
    _permit: Permit,
}

impl<I> WatchedIo<I> {
    pub(super) fn new(
        io: I,
        pulse: Arc<Mutex<Pulse>>,
        write_timeout: Duration,
        permit: Permit,
    ) -> Self {
        Self {
            io,
            pulse,
            write_timeout,
            stall: None,
            written: 0,
            instead: Bytes::new(),
            _permit: permit,
        }
    }
}

impl<I: AsyncRead> AsyncRead for WatchedIo<I> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.project();
        let before = buf.filled().len();
        ready!(this.io.poll_read(cx, buf))?;
        if buf.filled().len() > before {
            let mut pulse = this.pulse.lock();
            if pulse.expects_first_byte() {
                pulse.first_byte(clock::now());
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<I: AsyncWrite> AsyncWrite for WatchedIo<I> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.as_mut().rephrases(buf) {
            return Poll::Ready(Ok(buf.len()));
        }
        ready!(self.as_mut().poll_instead(cx))?;
        let this = self.project();
        let written = this.io.poll_write(cx, buf);
        timed(written, this.stall, *this.write_timeout, cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if let [buf] = bufs
            && self.as_mut().rephrases(buf)
        {
            return Poll::Ready(Ok(buf.len()));
        }
        ready!(self.as_mut().poll_instead(cx))?;
        let this = self.project();
        let written = this.io.poll_write_vectored(cx, bufs);
        timed(written, this.stall, *this.write_timeout, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.as_mut().poll_instead(cx))?;
        let this = self.project();
        let flushed = this.io.poll_flush(cx);
        ready!(timed(flushed, this.stall, *this.write_timeout, cx))?;
        *this.written = this.pulse.lock().answered();
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.as_mut().poll_instead(cx))?;
        let this = self.project();
        let shut = this.io.poll_shutdown(cx);
        timed(shut, this.stall, *this.write_timeout, cx)
    }
}

impl<I: AsyncWrite> WatchedIo<I> {
    /// Takes the parser's own refusal and keeps ours in its place.
    ///
    /// It is the parser's own when every answer that the application has given is written and
    /// flushed, and no request is under way: nothing else writes then.
    fn rephrases(self: Pin<&mut Self>, buf: &[u8]) -> bool {
        let Some(refusal) = Refusal::read(buf) else {
            return false;
        };
        let this = self.project();
        if !this.instead.is_empty() || !this.pulse.lock().is_parsers_turn(*this.written) {
            return false;
        }
        *this.instead = refusal.rendered().into();
        true
    }

    fn poll_instead(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut this = self.project();
        while !this.instead.is_empty() {
            let written = this.io.as_mut().poll_write(cx, this.instead);
            let written = ready!(timed(written, this.stall, *this.write_timeout, cx))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            this.instead.advance(written);
        }
        Poll::Ready(Ok(()))
    }
}

/// What a write came to, or an error once the peer has taken nothing for as long as it may.
fn timed<T>(
    written: Poll<io::Result<T>>,
    stall: &mut Option<Pin<Box<Sleep>>>,
    limit: Duration,
    cx: &mut Context<'_>,
) -> Poll<io::Result<T>> {
    if written.is_ready() {
        *stall = None;
        return written;
    }
    let stall = stall.get_or_insert_with(|| Box::pin(tokio::time::sleep(limit)));
    ready!(stall.as_mut().poll(cx));
    Poll::Ready(Err(io::Error::new(
        io::ErrorKind::TimedOut,
        "the peer does not read",
    )))
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use seawall_web::server::{Admission, Limits};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    fn watched<I>(io: I) -> (WatchedIo<I>, Arc<Mutex<Pulse>>) {
        let pulse = Arc::new(Mutex::new(Pulse::new(clock::now())));
        let permit = Admission::new(&Limits::new(1))
            .admit([127, 0, 0, 1].into())
            .unwrap();
        let io = WatchedIo::new(io, Arc::clone(&pulse), Duration::from_secs(30), permit);
        (io, pulse)
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_takes_nothing_is_cut_and_a_slow_one_is_not() {
        let (io, mut peer) = tokio::io::duplex(8);
        let (mut io, _) = watched(io);
        io.write_all(b"12345678").await.unwrap();
        let reading = async {
            for _ in 0..4 {
                tokio::time::sleep(Duration::from_secs(29)).await;
                peer.read_exact(&mut [0; 4]).await.unwrap();
            }
        };
        let (written, ()) = tokio::join!(io.write_all(&[0; 16]), reading);
        written.unwrap();

        let start = clock::now();
        let error = io.write_all(b"more").await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(clock::now() - start, Duration::from_secs(30));
    }

    const PARSERS: &[u8] = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\n\
        content-length: 0\r\ndate: Thu, 01 Jan 1970 00:00:00 GMT\r\n\r\n";

    async fn passes(io: &mut WatchedIo<tokio::io::DuplexStream>, bytes: &[u8]) -> bool {
        let written = poll_fn(|cx| Pin::new(&mut *io).poll_write(cx, bytes)).await;
        assert_eq!(written.unwrap(), bytes.len());
        io.instead.is_empty()
    }

    #[tokio::test]
    async fn the_parsers_own_refusal_is_rephrased() {
        let (io, mut peer) = tokio::io::duplex(4096);
        let (mut io, _) = watched(io);
        assert!(!passes(&mut io, PARSERS).await);
        io.shutdown().await.unwrap();
        let mut said = String::new();
        peer.read_to_string(&mut said).await.unwrap();
        assert!(said.contains("\"error\":\"headers_too_large\""), "{said}");
    }

    /// An application may answer with the very bytes, and so may a body contain them.
    #[tokio::test]
    async fn what_the_application_says_is_not() {
        let (io, _peer) = tokio::io::duplex(4096);
        let (mut io, pulse) = watched(io);
        pulse.lock().request(false);
        assert!(passes(&mut io, PARSERS).await, "a body under way");
        pulse.lock().ended(clock::now());
        assert!(passes(&mut io, PARSERS).await, "not flushed yet");
        io.flush().await.unwrap();
        pulse.lock().upgraded();
        assert!(passes(&mut io, PARSERS).await, "another protocol");
    }
}
