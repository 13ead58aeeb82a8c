//! A client that writes whatever bytes it likes, and reads the answer while it writes.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time;

use super::{Unanswered, connect};
use crate::answer::Answer;

/// Bytes to send, as often as told: 64 MiB need not be kept to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) bytes: Bytes,
    pub(crate) times: usize,
}

impl Piece {
    pub(crate) fn once(bytes: impl Into<Bytes>) -> Self {
        Self {
            bytes: bytes.into(),
            times: 1,
        }
    }
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Exchange {
    pub(crate) answer: Result<Answer, Unanswered>,
    /// How many bytes the server took before it answered or closed.
    pub(crate) taken: u64,
}

/// Sends the pieces and waits for one answer.
///
/// Writing stops when an answer has arrived: that is how a server refuses a body that it does not
/// want to read. A connection that is closed for writing is still read to its end.
pub(crate) async fn exchange(
    from: Ipv4Addr,
    to: SocketAddr,
    pieces: &[Piece],
    patience: Duration,
) -> Exchange {
    let start = Instant::now();
    let Ok(stream) = connect(from, to).await else {
        return Exchange {
            answer: Err(Unanswered::NotConnected),
            taken: 0,
        };
    };
    let (mut reader, mut writer) = stream.into_split();
    let mut taken = 0;
    let answer = {
        let writing = write(&mut writer, pieces, &mut taken);
        let reading = read(&mut reader, start);
        let both = async {
            tokio::pin!(reading);
            tokio::select! {
                biased;
                answer = &mut reading => answer,
                () = writing => reading.await,
            }
        };
        time::timeout(patience, both)
            .await
            .unwrap_or(Err(Unanswered::TimedOut))
    };
    Exchange { answer, taken }
}

async fn write(writer: &mut OwnedWriteHalf, pieces: &[Piece], taken: &mut u64) {
    for piece in pieces {
        for _ in 0..piece.times {
            if writer.write_all(&piece.bytes).await.is_err() {
                return;
            }
            *taken += piece.bytes.len() as u64;
        }
    }
}

async fn read(reader: &mut OwnedReadHalf, start: Instant) -> Result<Answer, Unanswered> {
    let mut buffer = BytesMut::new();
    loop {
        let end = fill(reader, &mut buffer).await == 0;
        if let Some(head) = Head::parse(&buffer)? {
            let mut body = buffer.split_off(head.length);
            loop {
                if let Some(body) = head.framing.body(&body, end)? {
                    return Ok(Answer::new(
                        head.status,
                        &head.headers,
                        body,
                        start.elapsed(),
                    ));
                }
                if fill(reader, &mut body).await == 0 {
                    let body = head.framing.body(&body, true)?.ok_or(Unanswered::Closed)?;
                    return Ok(Answer::new(
                        head.status,
                        &head.headers,
                        body,
                        start.elapsed(),
                    ));
                }
            }
        }
        if end || buffer.len() > Answer::MOST_READ {
            return Err(Unanswered::Closed);
        }
    }
}

/// Reads what there is; 0 at the end, of whatever kind.
async fn fill(reader: &mut OwnedReadHalf, buffer: &mut BytesMut) -> usize {
    reader.read_buf(buffer).await.unwrap_or(0)
}

struct Head {
    status: u16,
    headers: HeaderMap,
    framing: Framing,
    length: usize,
}

impl Head {
    fn parse(bytes: &[u8]) -> Result<Option<Self>, Unanswered> {
        let mut headers = [httparse::EMPTY_HEADER; 64];
        let mut response = httparse::Response::new(&mut headers);
        let Ok(parsed) = response.parse(bytes) else {
            return Err(Unanswered::Closed);
        };
        let (httparse::Status::Complete(length), Some(status)) = (parsed, response.code) else {
            return Ok(None);
        };
        let headers: HeaderMap = response
            .headers
            .iter()
            .filter_map(|header| {
                let name = HeaderName::from_bytes(header.name.as_bytes()).ok()?;
                Some((name, HeaderValue::from_bytes(header.value).ok()?))
            })
            .collect();
        let framing = Framing::of(&headers);
        Ok(Some(Self {
            status,
            headers,
            framing,
            length,
        }))
    }
}

/// How the end of the body is told.
#[derive(Clone, Copy)]
enum Framing {
    Length(usize),
    Chunked,
    UntilClosed,
}

impl Framing {
    fn of(headers: &HeaderMap) -> Self {
        let chunked = headers
            .get(http::header::TRANSFER_ENCODING)
            .is_some_and(|coding| coding.as_bytes().eq_ignore_ascii_case(b"chunked"));
        let length = headers
            .get(http::header::CONTENT_LENGTH)
            .and_then(|length| length.to_str().ok()?.parse().ok());
        match (chunked, length) {
            (true, _) => Self::Chunked,
            (false, Some(length)) => Self::Length(length),
            (false, None) => Self::UntilClosed,
        }
    }

    /// The body, once all of it is there. An answer of absurd size is cut: what is looked for in it
    /// is at its beginning.
    fn body(self, bytes: &[u8], end: bool) -> Result<Option<Bytes>, Unanswered> {
        if bytes.len() > Answer::MOST_READ {
            return Ok(Some(Bytes::copy_from_slice(bytes)));
        }
        match self {
            Self::Length(length) => Ok(bytes.get(..length).map(Bytes::copy_from_slice)),
            Self::UntilClosed => Ok(end.then(|| Bytes::copy_from_slice(bytes))),
            Self::Chunked => unchunk(bytes),
        }
    }
}

fn unchunk(mut bytes: &[u8]) -> Result<Option<Bytes>, Unanswered> {
    let mut body = Vec::new();
    loop {
        let (start, size) = match httparse::parse_chunk_size(bytes) {
            Ok(httparse::Status::Complete(chunk)) => chunk,
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(_) => return Err(Unanswered::Closed),
        };
        if size == 0 {
            return Ok(Some(body.into()));
        }
        let size = usize::try_from(size).map_err(|_| Unanswered::Closed)?;
        let Some(chunk) = bytes.get(start..start.saturating_add(size)) else {
            return Ok(None);
        };
        body.extend_from_slice(chunk);
        let Some(rest) = bytes.get(start + size + 2..) else {
            return Ok(None);
        };
        bytes = rest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body_of(raw: &str, end: bool) -> Option<String> {
        let head = Head::parse(raw.as_bytes()).unwrap()?;
        let body = head
            .framing
            .body(&raw.as_bytes()[head.length..], end)
            .unwrap()?;
        Some(String::from_utf8(body.to_vec()).unwrap())
    }

    #[test]
    fn a_body_ends_where_its_framing_says() {
        let sized = "HTTP/1.1 413 Payload Too Large\r\ncontent-length: 2\r\n\r\n{}";
        assert_eq!(body_of(sized, false).as_deref(), Some("{}"));
        assert_eq!(body_of(&sized[..sized.len() - 1], false), None);
        let chunked =
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n";
        assert_eq!(body_of(chunked, false).as_deref(), Some("abcd"));
        assert_eq!(body_of(&chunked[..chunked.len() - 8], false), None);
        let open = "HTTP/1.1 400 Bad Request\r\n\r\nwhat";
        assert_eq!(body_of(open, false), None);
        assert_eq!(body_of(open, true).as_deref(), Some("what"));
        assert_eq!(body_of("HTTP/1.1 200 OK\r\ncontent-", false), None);
    }
}
