//! Keeps the bytes of a body until all of it is there.

use bytes::{Bytes, BytesMut};

/// A body so far. One chunk is kept as it came; only a second one costs a copy.
///
/// For adapters that need a body whole. The bound on its size is for whoever puts something in here.
#[derive(Debug, Default)]
pub struct Gathered {
    first: Bytes,
    all: BytesMut,
}

impl Gathered {
    /// Adds the next chunk.
    pub fn push(&mut self, chunk: Bytes) {
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

    /// How many bytes there are.
    #[must_use]
    #[expect(
        clippy::len_without_is_empty,
        reason = "what is empty so far may not stay so"
    )]
    pub fn len(&self) -> usize {
        self.first.len() + self.all.len()
    }

    /// All of them, in the order in which they came.
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
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
