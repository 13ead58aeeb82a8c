//! The socket, watched: who does not read is cut, what nobody wants is bounded, and the parser above
//! speaks with our voice.

use std::cell::{RefCell, RefMut};
use std::fmt;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, Bytes};
use seawall_web::server::Refusal;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, timeout};

use super::clock;
use super::pulse::Pulse;

/// A connection's socket. Actix has one clone, and whoever drives the connection another.
pub(super) struct WatchedIo<I> {
    socket: Rc<RefCell<Socket<I>>>,
    pulse: Rc<RefCell<Pulse>>,
}

struct Socket<I> {
    io: I,
    write_timeout: Duration,
    /// Runs while the peer takes nothing. Made at the first wait.
    stall: Option<Pin<Box<Sleep>>>,
    /// How many answers had been given when everything was last written.
    written: u64,
    /// Our words in place of the parser's.
    instead: Bytes,
    input: Input,
    /// How much may still be read in this turn.
    turn: usize,
    /// The socket has failed: nothing can be said any more.
    broken: bool,
}

/// What actix is told of the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Input {
    /// What there is.
    Open,
    /// What there is already, and its end when nothing is asked of the connection.
    Leaving,
    /// Its end.
    Ended,
    /// Its end, which has come.
    EndedByPeer,
}

impl<I> WatchedIo<I> {
    pub(super) fn new(io: I, pulse: Rc<RefCell<Pulse>>, write_timeout: Duration) -> Self {
        let socket = Socket {
            io,
            write_timeout,
            stall: None,
            written: 0,
            instead: Bytes::new(),
            input: Input::Open,
            turn: TURN,
            broken: false,
        };
        Self {
            socket: Rc::new(RefCell::new(socket)),
            pulse,
        }
    }

    pub(super) fn pulse(&self) -> &Rc<RefCell<Pulse>> {
        &self.pulse
    }

    /// Begins a turn, in which so much may be read and no more. Actix answers all that it has read
    /// before it lets others have their turn, and a peer that never stops asking would have it read on.
    pub(super) fn take_turn(&self) {
        self.socket.borrow_mut().turn = TURN;
    }

    /// Ends the input once nothing is asked of the connection.
    pub(super) fn leave(&self) {
        let mut socket = self.socket.borrow_mut();
        if socket.input == Input::Open {
            socket.input = Input::Leaving;
        }
    }

    /// Ends the input, so that actix closes the connection, and says this before.
    pub(super) fn end(&self, last_words: Vec<u8>) {
        let mut socket = self.socket.borrow_mut();
        if socket.input != Input::EndedByPeer {
            socket.input = Input::Ended;
        }
        if socket.instead.is_empty() {
            socket.instead = last_words.into();
        }
    }
}

impl<I: AsyncRead + AsyncWrite + Unpin> WatchedIo<I> {
    /// Closes in good order: says what is left to be said, and goes on reading until the peer has
    /// heard it. A socket that is closed with bytes unread is reset, and a reset overtakes the answer.
    pub(super) async fn linger(&mut self, limit: Duration) {
        let closing = async {
            poll_fn(|cx| Pin::new(&mut *self).poll_shutdown(cx)).await?;
            let mut left = MOST_DISCARDED;
            poll_fn(|cx| self.socket.borrow_mut().poll_discard(&mut left, cx)).await
        };
        // However it ends, the socket is closed behind it.
        let _ = timeout(limit, closing).await;
    }

    /// Whether anything can be said to the peer.
    pub(super) fn is_broken(&self) -> bool {
        self.socket.borrow().broken
    }
}

/// What actix reads at once: some two hundred of the smallest requests.
const TURN: usize = 8 * 1024;

/// How much of a refused body is read and thrown away at the most, so that its answer arrives.
const MOST_DISCARDED: usize = 1024 * 1024;

impl<I> Clone for WatchedIo<I> {
    fn clone(&self) -> Self {
        Self {
            socket: Rc::clone(&self.socket),
            pulse: Rc::clone(&self.pulse),
        }
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for WatchedIo<I> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut socket = self.socket.borrow_mut();
        if matches!(socket.input, Input::Ended | Input::EndedByPeer) {
            return Poll::Ready(Ok(()));
        }
        if socket.turn == 0 {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let before = buf.filled().len();
        match Pin::new(&mut socket.io).poll_read(cx, buf) {
            Poll::Pending => {
                if socket.input == Input::Leaving && self.pulse.borrow().is_idle() {
                    socket.input = Input::Ended;
                    return Poll::Ready(Ok(()));
                }
                return Poll::Pending;
            }
            Poll::Ready(Err(error)) => {
                socket.broken = true;
                return Poll::Ready(Err(error));
            }
            Poll::Ready(Ok(())) => {}
        }
        let read = buf.filled().len() - before;
        socket.turn = socket.turn.saturating_sub(read);
        if read == 0 {
            socket.input = Input::EndedByPeer;
        } else if !self.pulse.borrow_mut().read(read, clock::now) {
            socket.input = Input::Ended;
        }
        Poll::Ready(Ok(()))
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for WatchedIo<I> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mut socket = self.socket.borrow_mut();
        if self.rephrases(&mut socket, buf) {
            return Poll::Ready(Ok(buf.len()));
        }
        ready!(socket.poll_instead(cx))?;
        let written = Pin::new(&mut socket.io).poll_write(cx, buf);
        socket.timed(written, cx)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut socket = self.socket.borrow_mut();
        ready!(socket.poll_instead(cx))?;
        let flushed = Pin::new(&mut socket.io).poll_flush(cx);
        ready!(socket.timed(flushed, cx))?;
        socket.written = self.pulse.borrow().answered();
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut socket = self.socket.borrow_mut();
        ready!(socket.poll_instead(cx))?;
        let shut = Pin::new(&mut socket.io).poll_shutdown(cx);
        socket.timed(shut, cx)
    }
}

impl<I> WatchedIo<I> {
    /// Takes the parser's own refusal and keeps ours in its place.
    ///
    /// It is the parser's own when every answer that the application has given is written and
    /// flushed, and no request is under way: nothing else writes then.
    fn rephrases(&self, socket: &mut RefMut<'_, Socket<I>>, buf: &[u8]) -> bool {
        let Some(refusal) = Refusal::read(buf) else {
            return false;
        };
        if !socket.instead.is_empty() || !self.pulse.borrow().is_parsers_turn(socket.written) {
            return false;
        }
        socket.instead = refusal.rendered().into();
        true
    }
}

impl<I: AsyncRead + Unpin> Socket<I> {
    /// Reads and throws away, to the end of the input or of what is left.
    fn poll_discard(&mut self, left: &mut usize, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut sink = [0; 8 * 1024];
        while self.input != Input::EndedByPeer && *left > 0 {
            let mut buf = ReadBuf::new(&mut sink);
            ready!(Pin::new(&mut self.io).poll_read(cx, &mut buf))?;
            match buf.filled().len() {
                0 => self.input = Input::EndedByPeer,
                read => *left = left.saturating_sub(read),
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<I: AsyncWrite + Unpin> Socket<I> {
    fn poll_instead(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.instead.is_empty() {
            let written = Pin::new(&mut self.io).poll_write(cx, &self.instead);
            let written = ready!(self.timed(written, cx))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.instead.advance(written);
        }
        Poll::Ready(Ok(()))
    }

    /// What a write came to, or an error once the peer has taken nothing for as long as it may.
    fn timed<T>(
        &mut self,
        written: Poll<io::Result<T>>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<T>> {
        if let Poll::Ready(written) = written {
            self.stall = None;
            self.broken |= written.is_err();
            return Poll::Ready(written);
        }
        let limit = self.write_timeout;
        let stall = self
            .stall
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(limit)));
        ready!(stall.as_mut().poll(cx));
        self.broken = true;
        Poll::Ready(Err(io::Error::new(
            io::ErrorKind::TimedOut,
            "the peer does not read",
        )))
    }
}

impl<I> fmt::Debug for WatchedIo<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WatchedIo").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};

    use super::*;

    const LIMIT: Duration = Duration::from_secs(30);

    fn watched(room: usize) -> (WatchedIo<DuplexStream>, DuplexStream) {
        let (io, peer) = duplex(room);
        let pulse = Rc::new(RefCell::new(Pulse::new(clock::now())));
        (WatchedIo::new(io, pulse, LIMIT), peer)
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_takes_nothing_is_cut_and_a_slow_one_is_not() {
        let (mut io, mut peer) = watched(8);
        io.write_all(b"12345678").await.unwrap();
        let reading = async {
            for _ in 0..4 {
                tokio::time::sleep(Duration::from_secs(29)).await;
                peer.read_exact(&mut [0; 4]).await.unwrap();
            }
        };
        let (written, ()) = tokio::join!(io.write_all(&[0; 16]), reading);
        written.unwrap();
        assert!(!io.is_broken());

        let start = clock::now();
        let error = io.write_all(b"more").await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(clock::now() - start, LIMIT);
        assert!(io.is_broken());
    }

    const PARSERS: &[u8] = b"HTTP/1.1 431 Request Header Fields Too Large\r\n\
        content-length: 0\r\ndate: Thu, 01 Jan 1970 00:00:00 GMT\r\n\r\n";

    /// Whether these bytes are written as they are.
    async fn passes(io: &mut WatchedIo<DuplexStream>, bytes: &[u8]) -> bool {
        io.write_all(bytes).await.unwrap();
        io.socket.borrow().instead.is_empty()
    }

    #[tokio::test]
    async fn the_parsers_own_refusal_is_rephrased() {
        let (mut io, mut peer) = watched(4096);
        assert!(!passes(&mut io, PARSERS).await);
        io.shutdown().await.unwrap();
        let mut said = String::new();
        peer.read_to_string(&mut said).await.unwrap();
        assert!(said.contains("\"error\":\"headers_too_large\""), "{said}");
    }

    /// An application may answer with the very bytes, and so may a body contain them.
    #[tokio::test]
    async fn what_the_application_says_is_not() {
        let (mut io, _peer) = watched(4096);
        io.pulse().borrow_mut().request();
        assert!(passes(&mut io, PARSERS).await, "a body under way");
        io.pulse().borrow_mut().ended(clock::now());
        assert!(passes(&mut io, PARSERS).await, "not flushed yet");
        io.flush().await.unwrap();
        assert!(!passes(&mut io, PARSERS).await, "flushed");
    }

    async fn read(io: &mut WatchedIo<DuplexStream>) -> usize {
        io.read(&mut [0; 64]).await.unwrap()
    }

    #[tokio::test]
    async fn a_turn_reads_so_much_and_no_more() {
        let (mut io, mut peer) = watched(2 * TURN);
        peer.write_all(&[b'x'; 2 * TURN]).await.unwrap();
        let mut sink = vec![0; 2 * TURN];
        assert_eq!(io.read(&mut sink[..TURN]).await.unwrap(), TURN);
        assert!(io.read(&mut sink).now_or_never().is_none());
        io.take_turn();
        assert_eq!(io.read(&mut sink).await.unwrap(), TURN);
    }

    #[tokio::test]
    async fn a_connection_that_leaves_takes_what_has_begun() {
        let (mut io, mut peer) = watched(64);
        io.leave();
        peer.write_all(b"GET").await.unwrap();
        assert_eq!(read(&mut io).await, 3);
        peer.write_all(b" /").await.unwrap();
        assert_eq!(read(&mut io).await, 2, "the head goes on");
        io.pulse().borrow_mut().request();
        io.pulse().borrow_mut().ended(clock::now());
        assert_eq!(read(&mut io).await, 0, "nothing has begun");
        assert!(peer.write_all(b"GET").await.is_ok(), "not read any more");
        assert_eq!(read(&mut io).await, 0);
    }

    #[tokio::test]
    async fn last_words_are_said_before_the_end() {
        let (mut io, mut peer) = watched(64);
        io.end(b"farewell".to_vec());
        assert_eq!(read(&mut io).await, 0);
        peer.write_all(b"unread").await.unwrap();
        let hearing = async {
            let mut said = String::new();
            peer.read_to_string(&mut said).await.unwrap();
            drop(peer);
            said
        };
        let (said, ()) = tokio::join!(hearing, io.linger(LIMIT));
        assert_eq!(said, "farewell");
        assert_eq!(io.socket.borrow().input, Input::EndedByPeer);
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_is_waited_for_longer_than_told() {
        let (mut io, _peer) = watched(64);
        let start = clock::now();
        io.linger(Duration::from_secs(2)).await;
        assert_eq!(clock::now() - start, Duration::from_secs(2));
    }
}
