//! Keeps the bytes of a body until they are verified.

use bytes::{Bytes, BytesMut};

/// A body so far. One frame is kept as it came; only a second one costs a copy.
///
/// The bound on its size is the session's, which is asked before anything is put in here.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    first: Bytes,
    all: BytesMut,
}

impl Gathered {
    pub(super) fn push(&mut self, chunk: Bytes) {
        if self.all.is_empty() {
            if self.first.is_empty() {
                self.first = chunk;
                return;
            }
            self.all.reserve(self.first.len() + chunk.len());
            self.all.extend_from_slice(&self.first);
            self.first = Bytes::new();
        }
        self.all.extend_from_slice(&chunk);
    }

    pub(super) fn into_bytes(self) -> Bytes {
        if self.all.is_empty() {
            self.first
        } else {
            self.all.freeze()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(chunks: &[&'static str]) {
        let mut gathered = Gathered::default();
        for chunk in chunks {
            gathered.push(Bytes::from_static(chunk.as_bytes()));
        }
        assert_eq!(gathered.into_bytes(), chunks.concat());
    }

    #[test]
    fn chunks_come_out_in_order() {
        check(&[]);
        check(&["", ""]);
        check(&["a", "", "b"]);
        check(&["", "a", "bc", "", "d"]);
    }

    #[test]
    fn one_chunk_is_not_copied() {
        let chunk = Bytes::from(vec![7; 64]);
        let mut gathered = Gathered::default();
        gathered.push(Bytes::new());
        gathered.push(chunk.clone());
        gathered.push(Bytes::new());
        let out = gathered.into_bytes();
        assert_eq!(out, chunk);
    }
}
