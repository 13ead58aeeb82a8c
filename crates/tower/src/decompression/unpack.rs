//! Unpacking bytes, up to a limit.

use std::io::{BufRead, Read};

use bytes::Bytes;
use flate2::bufread::{GzDecoder, ZlibDecoder};

/// What a packed body may cost.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) wire: usize,
    pub(super) unpacked: usize,
    pub(super) ratio: usize,
}

/// What can be unpacked.
#[derive(Clone, Copy, Debug)]
pub(super) enum Coding {
    Gzip,
    Deflate,
}

/// Why nothing came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    TooLarge,
    Malformed,
}

/// Up to here a high ratio does no harm, and short texts of one pattern have one.
const HARMLESS: usize = 64 * 1024;

impl Limits {
    fn of(&self, packed: usize) -> usize {
        let by_ratio = packed.saturating_mul(self.ratio).max(HARMLESS);
        self.unpacked.min(by_ratio)
    }
}

pub(super) fn unpack(coding: Coding, packed: &[u8], limits: &Limits) -> Result<Bytes, Fault> {
    let most = limits.of(packed.len());
    match coding {
        Coding::Gzip => {
            let mut reader = GzDecoder::new(packed);
            read(&mut reader, most).and_then(|bytes| nothing_left(reader.into_inner(), bytes))
        }
        Coding::Deflate => {
            let mut reader = ZlibDecoder::new(packed);
            read(&mut reader, most).and_then(|bytes| nothing_left(reader.into_inner(), bytes))
        }
    }
}

/// The decoder works in small steps, so reading ends soon after the limit; a stream that is cut
/// short or has a wrong checksum is an error at its end.
fn read(reader: impl Read, most: usize) -> Result<Vec<u8>, Fault> {
    let mut bytes = Vec::new();
    reader
        .take(most as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|_| Fault::Malformed)?;
    if bytes.len() > most {
        return Err(Fault::TooLarge);
    }
    Ok(bytes)
}

/// A second stream behind the first is read by some and ignored by others: it is refused.
fn nothing_left(mut rest: impl BufRead, bytes: Vec<u8>) -> Result<Bytes, Fault> {
    match rest.fill_buf() {
        Ok([]) => Ok(bytes.into()),
        _ => Err(Fault::Malformed),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::{GzEncoder, ZlibEncoder};

    use super::*;

    const LIMITS: Limits = Limits {
        wire: 1 << 20,
        unpacked: 1 << 20,
        ratio: 10,
    };

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut packed = GzEncoder::new(Vec::new(), Compression::best());
        packed.write_all(bytes).unwrap();
        packed.finish().unwrap()
    }

    fn deflate(bytes: &[u8]) -> Vec<u8> {
        let mut packed = ZlibEncoder::new(Vec::new(), Compression::best());
        packed.write_all(bytes).unwrap();
        packed.finish().unwrap()
    }

    #[test]
    fn what_was_packed_comes_out() {
        let unpacked = unpack(Coding::Gzip, &gzip(b"hello"), &LIMITS).unwrap();
        assert_eq!(unpacked, "hello");
        let unpacked = unpack(Coding::Deflate, &deflate(b"hello"), &LIMITS).unwrap();
        assert_eq!(unpacked, "hello");
        assert_eq!(unpack(Coding::Gzip, &gzip(b""), &LIMITS).unwrap(), "");
    }

    #[test]
    fn the_limit_is_exact() {
        let limits = Limits {
            unpacked: 5,
            ..LIMITS
        };
        assert!(unpack(Coding::Gzip, &gzip(b"hello"), &limits).is_ok());
        let fault = unpack(Coding::Gzip, &gzip(b"hello!"), &limits);
        assert_eq!(fault, Err(Fault::TooLarge));
    }

    #[test]
    fn a_high_ratio_is_a_bomb_once_it_is_large() {
        let harmless = gzip(&[b'a'; HARMLESS]);
        assert!(unpack(Coding::Gzip, &harmless, &LIMITS).is_ok());
        let bomb = gzip(&[b'a'; HARMLESS + 1]);
        assert_eq!(unpack(Coding::Gzip, &bomb, &LIMITS), Err(Fault::TooLarge));
        let roomy = Limits {
            ratio: 10_000,
            ..LIMITS
        };
        assert!(unpack(Coding::Gzip, &bomb, &roomy).is_ok());
    }

    #[test]
    fn what_is_cut_short_or_followed_or_broken_is_malformed() {
        for (coding, whole) in [
            (Coding::Gzip, gzip(b"hello")),
            (Coding::Deflate, deflate(b"hello")),
        ] {
            let check = |bytes: &[u8]| {
                assert_eq!(unpack(coding, bytes, &LIMITS), Err(Fault::Malformed));
            };
            for cut in 0..whole.len() {
                check(&whole[..cut]);
            }
            check(&[whole.as_slice(), b"x"].concat());
            check(&[whole.as_slice(), &whole].concat());
            let mut broken = whole.clone();
            // In the checksum, which both formats have at their end.
            broken[whole.len() - 5] ^= 1;
            check(&broken);
        }
    }
}
