//! Writes requests by hand, since no library would.

use bytes::Bytes;

use crate::client::raw::Piece;

/// A request under construction: a head of any bytes, then a body of any bytes.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    head: Vec<u8>,
    length: Length,
}

#[derive(Clone, Debug)]
enum Length {
    /// As it is.
    True,
    /// Whatever the headers given say.
    Unsaid,
}

impl Draft {
    pub(crate) fn new(method: &str, target: &str) -> Self {
        Self::at("shop.example", method, target)
    }

    /// A request to a host.
    pub(crate) fn at(host: &str, method: &str, target: &str) -> Self {
        let head = format!("{method} {target} HTTP/1.1\r\nhost: {host}\r\n").into_bytes();
        Self {
            head,
            length: Length::True,
        }
    }

    pub(crate) fn post_json(target: &str) -> Self {
        Self::new("POST", target).header("content-type", "application/json")
    }

    pub(crate) fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.head.extend_from_slice(name.as_bytes());
        self.head.extend_from_slice(b": ");
        self.head.extend_from_slice(value.as_ref());
        self.head.extend_from_slice(b"\r\n");
        self
    }

    /// Leaves it to the headers to tell the length of the body, truly or not.
    pub(crate) fn unsaid_length(mut self) -> Self {
        self.length = Length::Unsaid;
        self
    }

    pub(crate) fn body(self, body: impl AsRef<[u8]>) -> Vec<Piece> {
        let body = body.as_ref();
        let mut bytes = match self.length {
            Length::True => self.header("content-length", body.len().to_string()).head,
            Length::Unsaid => self.head,
        };
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(body);
        vec![Piece::once(bytes)]
    }

    /// A body of `prefix`, 64 MiB and `suffix`, its length announced.
    pub(crate) fn enormous(self, prefix: &str, suffix: &str) -> Vec<Piece> {
        let length = prefix.len() + ENORMOUS + suffix.len();
        let mut head = self.header("content-length", length.to_string()).head;
        head.extend_from_slice(b"\r\n");
        head.extend_from_slice(prefix.as_bytes());
        let filling = Piece {
            bytes: Bytes::from(vec![b'a'; BLOCK]),
            times: ENORMOUS / BLOCK,
        };
        vec![Piece::once(head), filling, Piece::once(suffix.to_owned())]
    }

    /// The same in chunks, its length announced by nobody.
    pub(crate) fn enormous_in_chunks(self, prefix: &str, suffix: &str) -> Vec<Piece> {
        let mut head = self.header("transfer-encoding", "chunked").head;
        head.extend_from_slice(b"\r\n");
        head.extend_from_slice(&chunk(prefix.as_bytes()));
        let filling = Piece {
            bytes: chunk(&vec![b'a'; BLOCK]).into(),
            times: ENORMOUS / BLOCK,
        };
        let mut end = chunk(suffix.as_bytes());
        end.extend_from_slice(b"0\r\n\r\n");
        vec![Piece::once(head), filling, Piece::once(end)]
    }
}

/// Every byte escaped, as the path or query takes it.
pub(crate) fn percent_encoded(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("%{byte:02X}")).collect()
}

pub(crate) const ENORMOUS: usize = 64 * 1024 * 1024;
const BLOCK: usize = 64 * 1024;

fn chunk(bytes: &[u8]) -> Vec<u8> {
    let mut chunk = format!("{:x}\r\n", bytes.len()).into_bytes();
    chunk.extend_from_slice(bytes);
    chunk.extend_from_slice(b"\r\n");
    chunk
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_enormous_body_is_as_long_as_it_says() {
        let length = |pieces: &[Piece]| -> usize {
            pieces
                .iter()
                .map(|piece| piece.bytes.len() * piece.times)
                .sum()
        };
        let pieces = Draft::new("POST", "/").enormous("{", "}");
        let head = String::from_utf8(pieces[0].bytes.to_vec()).unwrap();
        assert!(
            head.ends_with("content-length: 67108866\r\n\r\n{"),
            "{head}"
        );
        let before = head.len() - 1;
        assert_eq!(length(&pieces) - before, ENORMOUS + 2);
    }

    #[test]
    fn chunks_tell_their_length_in_hex() {
        assert_eq!(chunk(&[b'x'; 17]), b"11\r\nxxxxxxxxxxxxxxxxx\r\n");
    }
}
