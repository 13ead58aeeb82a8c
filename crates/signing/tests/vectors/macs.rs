//! MACs and signatures as such.

use seawall_signing::scheme::plain;
use seawall_signing::{OwnedHead, Secret, Verifier, verify_signature};
use serde_json::Value;

use crate::{Tally, hex, judge, list, number, text};

fn accepts(secret: &[u8], message: &[u8], tag: &str) -> Result<(), impl std::fmt::Debug + use<>> {
    let verifier = Verifier::new(
        plain("x-signature"),
        Secret::short_for_legacy(secret).unwrap(),
    )
    .unwrap();
    let head = OwnedHead::request("POST", "/").header("x-signature", tag);
    let got = judge(&verifier, &head, message, None);
    if verify_signature(message, tag, secret) == got.is_ok() {
        got.map_err(|kind| format!("{kind:?}"))
    } else {
        Err("the two disagree".to_owned())
    }
}

pub(crate) fn rfc4231(data: &Value, tally: &mut Tally) {
    for case in list(data, "cases") {
        let part = |key| hex(text(case, key)?);
        let (Some(key), Some(message), Some(tag)) =
            (part("key_hex"), part("data_hex"), text(case, "hmac_sha256"))
        else {
            tally.skip(format!("case {:?}", case.get("tc")));
            continue;
        };
        // One case is of a shortened MAC, which is no signature here.
        let got = accepts(&key, &message, tag);
        tally.check(
            format!("case {:?}", case.get("tc")),
            got.is_ok() == (tag.len() == 64),
            got,
        );
        if tag.len() == 64 {
            let got = accepts(&key, &message, &tag[..32]);
            tally.check("shortened", got.is_err(), got);
        }
    }
}

pub(crate) fn wycheproof(data: &Value, tally: &mut Tally) {
    for group in list(data, "testGroups") {
        let whole = number(group, "tagSize") == Some(256);
        for case in list(group, "tests") {
            let part = |key| hex(text(case, key)?);
            let (Some(key), Some(message), Some(tag)) =
                (part("key"), part("msg"), text(case, "tag"))
            else {
                tally.skip(format!("case {:?}", case.get("tcId")));
                continue;
            };
            let right = whole && text(case, "result") == Some("valid");
            let got = accepts(&key, &message, tag);
            tally.check(
                format!("case {:?}", case.get("tcId")),
                got.is_ok() == right,
                got,
            );
        }
    }
}

#[cfg(feature = "ed25519")]
pub(crate) fn wycheproof_ed25519(data: &Value, tally: &mut Tally) {
    use seawall_signing::scheme::Template;
    use seawall_signing::{Algorithm, Key};
    for group in list(data, "testGroups") {
        let public = group
            .get("publicKey")
            .or_else(|| group.get("key"))
            .and_then(|key| text(key, "pk"));
        let Some(Ok(key)) = public.map(Key::ed25519_public_hex) else {
            tally.skip("a group without a public key");
            continue;
        };
        let scheme = Template::in_header("x", "x-signature")
            .algorithm(Algorithm::Ed25519)
            .build()
            .unwrap();
        let verifier = Verifier::new(scheme, key).unwrap();
        for case in list(group, "tests") {
            let (Some(message), Some(signature)) =
                (text(case, "msg").and_then(hex), text(case, "sig"))
            else {
                continue;
            };
            let head = OwnedHead::request("POST", "/").header("x-signature", signature);
            let got = judge(&verifier, &head, &message, None);
            let right = text(case, "result") == Some("valid");
            tally.check(
                format!("case {:?}", case.get("tcId")),
                got.is_ok() == right,
                got,
            );
        }
    }
}
