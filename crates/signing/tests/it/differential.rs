//! Signed here and verified by others, and the reverse.

use httpsig::prelude::message_component::{HttpMessageComponent, HttpMessageComponentId};
use httpsig::prelude::{
    AlgorithmName, HttpSignatureBase, HttpSignatureHeaders, HttpSignatureParams, PublicKey,
    SecretKey, SharedKey, SigningKey, VerifyingKey,
};
use proptest::prelude::*;
use seawall_signing::scheme::{HttpSignatures, StandardWebhooks};
use seawall_signing::{
    Clock, Key, KeyRing, NamedKey, OwnedHead, Secret, Signer, SystemClock, Verifier,
};

use crate::support::{NOW, check, post};

const WHSEC: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
const SHARED: &str =
    "uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ==";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn standardwebhooks_agrees_both_ways(body in "[{a-z\\[ ][ -~\u{e4}\n]{0,200}", id in "[A-Za-z0-9_-]{1,40}") {
        let peer = standardwebhooks::Webhook::new(WHSEC).unwrap();
        // The peer reads the clock by itself, so both sign and verify now.
        let signer = Signer::new(StandardWebhooks::new(), Secret::from_whsec(WHSEC).unwrap());
        let ours = signer.draft().message_id(&id).sign(&post(), body.as_bytes()).unwrap();
        let mut headers = http::HeaderMap::new();
        for (name, value) in ours.iter() {
            headers.insert(http::HeaderName::try_from(name).unwrap(), value.parse().unwrap());
        }
        prop_assert!(peer.verify(body.as_bytes(), &headers).is_ok());
        let longer = format!("{body}x");
        prop_assert!(peer.verify(longer.as_bytes(), &headers).is_err());

        let now = SystemClock.now().as_secs();
        let theirs = peer.sign(&id, now.try_into().unwrap(), body.as_bytes()).unwrap();
        let verifier = Verifier::new(StandardWebhooks::new(), Secret::from_whsec(WHSEC).unwrap()).unwrap();
        let head = post()
            .header("webhook-id", id.as_str())
            .header("webhook-timestamp", now.to_string())
            .header("webhook-signature", theirs);
        prop_assert_eq!(check(&verifier, &head, body.as_bytes()), Ok(()));
        prop_assert!(check(&verifier, &head, longer.as_bytes()).is_err());
    }
}

const LINES: [&str; 5] = [
    "\"@method\": POST",
    "\"@authority\": api.example.com",
    "\"@path\": /hooks/a%2Fb",
    "\"@query\": ?live=1&x=%20",
    "\"content-type\": application/json",
];
const PARTS: [&str; 5] = ["@method", "@authority", "@path", "@query", "content-type"];

fn components(lines: &[&str]) -> Vec<HttpMessageComponent> {
    lines
        .iter()
        .map(|line| HttpMessageComponent::try_from(*line).unwrap())
        .collect()
}

/// Signs with the peer, and returns the head and the key's name there.
fn signed_by_peer(key: &impl SigningKey) -> (OwnedHead, String) {
    let ids: Vec<_> = PARTS
        .iter()
        .map(|part| HttpMessageComponentId::try_from(*part).unwrap())
        .collect();
    let mut params = HttpSignatureParams::try_new(&ids).unwrap();
    params
        .set_created(NOW.as_secs())
        .set_key_info(key)
        .set_nonce("b3k2pp5k7z-50gnwp.yemd");
    let base = HttpSignatureBase::try_new(&components(&LINES), &params).unwrap();
    let headers = base.build_signature_headers(key, Some("peer")).unwrap();
    let head = post()
        .header("signature-input", headers.signature_input_header_value())
        .header("signature", headers.signature_header_value());
    (head, key.key_id())
}

fn verified_by_us(key: Key, id: &str, head: &OwnedHead) -> bool {
    let ring = KeyRing::builder()
        .key(NamedKey::new(id, key))
        .build()
        .unwrap();
    let verifier = Verifier::builder(HttpSignatures::new(), ring)
        .clock(|| NOW)
        .build()
        .unwrap();
    check(&verifier, head, b"").is_ok()
}

fn signed_by_us(key: Key) -> OwnedHead {
    let scheme = HttpSignatures::builder().cover(PARTS).build().unwrap();
    let headers = Signer::new(scheme, key)
        .clock(|| NOW)
        .sign(&post(), b"")
        .unwrap();
    post().headers(headers)
}

fn verified_by_peer(key: &impl VerifyingKey, head: &OwnedHead) -> bool {
    let base = String::from_utf8(HttpSignatures::new().signature_base(head).unwrap()).unwrap();
    let (lines, _) = base.rsplit_once('\n').unwrap();
    let lines: Vec<_> = lines.lines().collect();
    let line = |name: &str| {
        let mut text = String::new();
        seawall_signing::Head::each_header(head, name, &mut |line| {
            text = String::from_utf8(line.to_vec()).unwrap();
            std::ops::ControlFlow::Continue(())
        });
        text
    };
    let parsed =
        HttpSignatureHeaders::try_parse(&line("signature"), &line("signature-input")).unwrap();
    let headers = parsed.values().next().unwrap();
    let base = HttpSignatureBase::try_new(&components(&lines), headers.signature_params()).unwrap();
    base.verify_signature_headers(key, headers).is_ok()
}

#[test]
fn httpsig_agrees_both_ways_on_hmac() {
    let shared = || Key::from(Secret::from_base64(SHARED).unwrap());
    let other = || Key::from(Secret::new("another secret altogether").unwrap());
    let peer = SharedKey::from_base64(&AlgorithmName::HmacSha256, SHARED).unwrap();
    let (head, id) = signed_by_peer(&peer);
    assert!(verified_by_us(shared(), &id, &head));
    assert!(!verified_by_us(other(), &id, &head));
    assert!(verified_by_peer(&peer, &signed_by_us(shared())));
    assert!(!verified_by_peer(&peer, &signed_by_us(other())));
}

#[test]
fn httpsig_agrees_both_ways_on_ed25519() {
    let seed = [9; 32];
    let pair = Key::ed25519_seed(&seed);
    let public = pair.ed25519_public_bytes().unwrap();
    let secret = SecretKey::from_bytes(&AlgorithmName::Ed25519, &seed).unwrap();
    let peer = PublicKey::from_bytes(&AlgorithmName::Ed25519, &public).unwrap();
    let (head, id) = signed_by_peer(&secret);
    assert!(verified_by_us(
        Key::ed25519_public(&public).unwrap(),
        &id,
        &head
    ));
    assert!(!verified_by_us(Key::ed25519_seed(&[8; 32]), &id, &head));
    assert!(verified_by_peer(&peer, &signed_by_us(pair)));
    assert!(!verified_by_peer(
        &peer,
        &signed_by_us(Key::ed25519_seed(&[8; 32]))
    ));
}
