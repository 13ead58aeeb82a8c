//! The field `Content-Digest` (RFC 9530).

use super::component::field_lines;
use super::structured::{self, Bare, Item, Member};
use crate::content_digest::ContentDigest;
use crate::head::Head;
use crate::refused::{Refused, RefusedKind};

/// Reads the digests that can be relied upon. Old algorithms are ignored, as the RFC wants it, and
/// a field that has none but those counts for nothing.
pub(super) fn read(head: &dyn Head) -> Result<ContentDigest, Refused> {
    let wrong = || Refused::malformed("Content-Digest with digests of the right length");
    let joined = field_lines(head, "content-digest")?.join(&b", "[..]);
    let mut found: Option<ContentDigest> = None;
    for (algorithm, member) in structured::dictionary(&joined).ok_or_else(wrong)? {
        let Member::Item(Item {
            bare: Bare::Bytes(bytes),
            ..
        }) = member
        else {
            return Err(wrong());
        };
        let digest = match algorithm.as_str() {
            "sha-256" => ContentDigest::sha256(bytes.try_into().map_err(|_| wrong())?),
            "sha-512" => ContentDigest::sha512(bytes.try_into().map_err(|_| wrong())?),
            _ => continue,
        };
        found = Some(found.map_or(digest, |found| found.and(digest)));
    }
    let expected = "sha-256 or sha-512 in Content-Digest";
    found.ok_or_else(|| Refused::because(RefusedKind::InsufficientCoverage, expected))
}

/// Writes the SHA-256 of a body.
pub(super) fn write(body: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    let mut value = String::from("sha-256=");
    structured::write_bare(&Bare::Bytes(Sha256::digest(body).to_vec()), &mut value);
    value
}
