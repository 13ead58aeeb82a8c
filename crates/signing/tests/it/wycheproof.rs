//! Project Wycheproof's cases, through the verifier.

use seawall_signing::scheme::plain;
use seawall_signing::{OwnedHead, Secret, Verifier, verify_signature};
use wycheproof::TestResult;
use wycheproof::mac::{TestName, TestSet};

use crate::support::check;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn hmac_sha256_agrees_and_refuses_shortened_tags() {
    let set = TestSet::load(TestName::HmacSha256).unwrap();
    let (mut accepted, mut refused) = (0, 0);
    for group in set.test_groups {
        for test in group.tests {
            let secret = Secret::short_for_legacy(test.key.to_vec()).unwrap();
            let verifier = Verifier::new(plain("x-signature"), secret).unwrap();
            let tag = hex(&test.tag);
            let head = OwnedHead::request("POST", "/").header("x-signature", tag.as_str());
            let right = test.result == TestResult::Valid && group.tag_size == 256;
            assert_eq!(
                check(&verifier, &head, &test.msg).is_ok(),
                right,
                "case {}",
                test.tc_id
            );
            assert_eq!(
                verify_signature(&test.msg, &tag, &test.key),
                right,
                "case {}",
                test.tc_id
            );
            if right { accepted += 1 } else { refused += 1 }
        }
    }
    assert!(
        accepted > 20 && refused > 100,
        "{accepted} accepted, {refused} refused"
    );
}

#[cfg(feature = "ed25519")]
#[test]
fn ed25519_agrees() {
    use seawall_signing::scheme::Template;
    use seawall_signing::{Algorithm, Key};
    use wycheproof::eddsa::{TestName, TestSet};

    let set = TestSet::load(TestName::Ed25519).unwrap();
    let mut counts = [0, 0];
    for group in set.test_groups {
        let public: [u8; 32] = group.key.pk.as_slice().try_into().unwrap();
        let key = Key::ed25519_public(&public).unwrap();
        let scheme = Template::in_header("x", "x-signature").algorithm(Algorithm::Ed25519);
        let verifier = Verifier::new(scheme.build().unwrap(), key).unwrap();
        for test in group.tests {
            let head = OwnedHead::request("POST", "/").header("x-signature", hex(&test.sig));
            let right = test.result == TestResult::Valid;
            assert_eq!(
                check(&verifier, &head, &test.msg).is_ok(),
                right,
                "case {}",
                test.tc_id
            );
            counts[usize::from(right)] += 1;
        }
    }
    assert!(counts[0] > 20 && counts[1] > 20, "{counts:?}");
}
