//! A dialect of one's own, by template and by trait.

use seawall_signing::scheme::{Freshness, Needs, Scheme, Template};
use seawall_signing::{
    Algorithm, Encoding, Envelope, Head, Refused, RefusedKind, Signer, Verifier, only,
};

use crate::support::{NOW, check, key, post, secret};

#[test]
fn a_template_reads_and_writes_what_it_describes() {
    let acme = Template::in_header("acme", "x-acme-signature")
        .prefix("v2=")
        .encoding(Encoding::Base64)
        .timestamp_header("x-acme-time")
        .message_id_header("x-acme-id")
        .signed("{timestamp}:{id}.{body}|end")
        .build()
        .unwrap();
    let signer = Signer::new(acme.clone(), secret("acme")).clock(|| NOW);
    let signed = signer
        .draft()
        .message_id("m1")
        .sign(&post(), b"{}")
        .unwrap();
    assert!(signed.value("x-acme-signature").unwrap().starts_with("v2="));
    assert_eq!(signed.value("x-acme-time"), Some("1700000000"));
    let verifier = Verifier::builder(acme, secret("acme"))
        .clock(|| NOW)
        .build()
        .unwrap();
    let head = post().headers(signed);
    assert_eq!(check(&verifier, &head, b"{}"), Ok(()));
    assert_eq!(
        check(&verifier, &head, b"{}|end"),
        Err(RefusedKind::Mismatch)
    );
}

/// Signs the body behind its length.
#[derive(Debug)]
struct Lengthy;

impl Scheme for Lengthy {
    fn name(&self) -> &'static str {
        "lengthy"
    }

    fn freshness(&self) -> Freshness {
        Freshness::None
    }

    fn needs(&self) -> Needs {
        Needs::nothing()
    }

    fn read(&self, head: &dyn Head) -> Result<Envelope, Refused> {
        let mut envelope = Envelope::new();
        only(head, "x-mac", &mut |line| {
            envelope.push_text(Algorithm::HmacSha256, Encoding::LowerHex, line)
        })?;
        Ok(envelope)
    }

    fn before_body(
        &self,
        _: &Envelope,
        _: &dyn Head,
        put: &mut dyn FnMut(&[u8]),
    ) -> Result<(), Refused> {
        put(b"lengthy 1\n");
        Ok(())
    }

    fn write(&self, envelope: &Envelope, put: &mut dyn FnMut(&str, String)) -> Result<(), Refused> {
        let (_, tag) = envelope.signatures().next().unwrap();
        put(
            "x-mac",
            tag.iter().map(|byte| format!("{byte:02x}")).collect(),
        );
        Ok(())
    }
}

#[test]
fn a_scheme_of_ones_own_is_a_scheme() {
    let head = post().headers(Signer::new(Lengthy, key("a")).sign(&post(), b"x").unwrap());
    let verifier = Verifier::new(Lengthy, key("a")).unwrap();
    assert_eq!(check(&verifier, &head, b"x"), Ok(()));
    assert_eq!(check(&verifier, &head, b"y"), Err(RefusedKind::Mismatch));
}
