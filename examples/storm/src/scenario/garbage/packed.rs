//! Bodies that are small only until they are unpacked, and bodies in parts that lie about them.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};

use super::case::{Expect, Kind};
use super::plan::{GOOD, Plan};
use super::write::Draft;

const UNSUPPORTED: Expect = Expect::Status(&[415]);

/// Nobody has said that the service unpacks anything, so it is to refuse all of it: the bombs, and
/// good bodies as well.
pub(super) fn bombs(plan: &mut Plan) {
    let good = GOOD.as_bytes();
    let bomb = [b"{\"email\":\"".as_slice(), &vec![b'a'; UNPACKED], b"\"}"].concat();
    for (note, coding, body) in [
        ("gzip", "gzip", gzip(&bomb)),
        ("gzip in gzip", "gzip, gzip", gzip(&gzip(&bomb))),
        ("gzip in gzip, said once", "gzip", gzip(&gzip(&bomb))),
        ("deflate", "deflate", deflate(&bomb)),
        ("zstd", "zstd", zstd_of_one_byte()),
        ("br", "br", gzip(&bomb)),
        ("x-gzip", "x-gzip", gzip(&bomb)),
        ("GZIP", "GZIP", gzip(&bomb)),
        ("compress", "compress", gzip(&bomb)),
        ("an unknown coding", "rot13", good.to_vec()),
        ("identity, then gzip", "identity, gzip", gzip(&bomb)),
        ("a good body by gzip", "gzip", gzip(good)),
        ("a good body by deflate", "deflate", deflate(good)),
        (
            "a good body that says gzip and is not",
            "gzip",
            good.to_vec(),
        ),
    ] {
        let draft = Draft::post_json("/api/users").header("content-encoding", coding);
        plan.add(Kind::Compressed, note, draft.body(body), UNSUPPORTED);
    }
    let twice = Draft::post_json("/api/users")
        .header("content-encoding", "identity")
        .header("content-encoding", "gzip");
    plan.add(
        Kind::Compressed,
        "identity and gzip, in two lines",
        twice.body(gzip(&bomb)),
        UNSUPPORTED,
    );
    let identity = Draft::post_json("/api/users").header("content-encoding", "identity");
    plan.add(
        Kind::Compressed,
        "identity",
        identity.body(good),
        Expect::Harmless,
    );
    // Packed, and not said so: it is no JSON.
    plan.users(
        Kind::Compressed,
        "unsaid",
        gzip(&bomb),
        Expect::Status(&[400]),
    );
    let transfer = Draft::post_json("/api/users")
        .unsaid_length()
        .header("transfer-encoding", "gzip, chunked")
        .body("0\r\n\r\n");
    plan.add(
        Kind::Compressed,
        "as a transfer coding",
        transfer,
        Expect::Refused,
    );
}

pub(super) fn multipart(plan: &mut Plan) {
    let part = |head: &str| format!("--x\r\n{head}\r\n\r\nann@example.com\r\n");
    let email = part("content-disposition: form-data; name=\"email\"");
    let file = part("content-disposition: form-data; name=\"f\"; filename=\"../../etc/passwd\"");
    for (note, media_type, body) in [
        (
            "well made",
            "multipart/form-data; boundary=x",
            format!("{email}--x--\r\n"),
        ),
        (
            "without boundary",
            "multipart/form-data",
            format!("{email}--x--\r\n"),
        ),
        (
            "with another boundary",
            "multipart/form-data; boundary=y",
            format!("{email}--x--\r\n"),
        ),
        (
            "never ended",
            "multipart/form-data; boundary=x",
            email.clone(),
        ),
        (
            "with a boundary of 1 KB",
            "multipart/form-data; boundary=y",
            "--".repeat(512),
        ),
        (
            "in 10,000 parts",
            "multipart/form-data; boundary=x",
            email.repeat(10_000),
        ),
        (
            "with a file outside",
            "multipart/form-data; boundary=x",
            format!("{file}--x--\r\n"),
        ),
        (
            "mixed",
            "multipart/mixed; boundary=x",
            format!("{email}--x--\r\n"),
        ),
        (
            "that is JSON",
            "multipart/form-data; boundary=x",
            GOOD.to_owned(),
        ),
        (
            "related to JSON",
            "multipart/related; boundary=x; type=\"application/json\"",
            GOOD.to_owned(),
        ),
    ] {
        let draft = Draft::new("POST", "/api/users").header("content-type", media_type);
        plan.add(Kind::Multipart, note, draft.body(body), UNSUPPORTED);
    }
    plan.users(
        Kind::Multipart,
        "that says it is JSON",
        format!("{email}--x--\r\n"),
        Expect::Status(&[400]),
    );
}

/// What a bomb unpacks to: more than any body that the service takes, in a few kilobytes.
const UNPACKED: usize = 8 * 1024 * 1024;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    packed.write_all(bytes).expect("a vector takes all");
    packed.finish().expect("a vector takes all")
}

fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::best());
    packed.write_all(bytes).expect("a vector takes all");
    packed.finish().expect("a vector takes all")
}

/// A Zstandard frame of run-length blocks (RFC 8878, section 3.1.1): four bytes unpack to 128 KiB.
fn zstd_of_one_byte() -> Vec<u8> {
    // The magic number; a descriptor that promises nothing; a window of one mebibyte.
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x50];
    const BLOCKS: usize = UNPACKED / (128 * 1024);
    for block in 1..=BLOCKS {
        let last = u32::from(block == BLOCKS);
        let header = last | 1 << 1 | (128 * 1024) << 3;
        frame.extend_from_slice(&header.to_le_bytes()[..3]);
        frame.push(b'a');
    }
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bombs_are_small_until_they_go_off() {
        let bomb = vec![b'a'; UNPACKED];
        for packed in [gzip(&bomb), deflate(&bomb), zstd_of_one_byte()] {
            assert!(packed.len() * 500 < UNPACKED, "{}", packed.len());
        }
    }
}
