//! RFC 9421 with its policy: what is covered, by whom, and what is refused although it is valid.

use std::time::Duration;

use seawall_signing::scheme::{HttpSignatures, HttpSignaturesBuilder, Scheme};
use seawall_signing::{
    ContentDigest, KeyRing, MemoryNonceStore, NamedKey, OwnedHead, RefusedKind, Secret, Signer,
    Verifier,
};

use crate::support::{NOW, after, check, check_at, key, post};

fn verifier(scheme: HttpSignaturesBuilder) -> Verifier {
    Verifier::builder(scheme.build().unwrap(), key("a"))
        .clock(|| NOW)
        .build()
        .unwrap()
}

fn signed(scheme: HttpSignaturesBuilder, head: OwnedHead, body: &[u8]) -> OwnedHead {
    let signer = Signer::new(scheme.build().unwrap(), key("a")).clock(|| NOW);
    let headers = signer.sign(&head, body).unwrap();
    head.headers(headers)
}

fn covering(parts: &[&str]) -> HttpSignaturesBuilder {
    HttpSignatures::builder().cover(parts)
}

const TARGET: [&str; 4] = ["@method", "@authority", "@path", "@query"];

/// RFC 9421 B.2.5 and the shared secret of B.1.5.
fn b_2_5() -> (OwnedHead, Secret) {
    let head = OwnedHead::request("POST", "https://example.com/foo?param=Value&Pet=dog")
        .header("Host", "example.com")
        .header("Date", "Tue, 20 Apr 2021 02:07:55 GMT")
        .header("Content-Type", "application/json")
        .header(
            "Signature-Input",
            r#"sig-b25=("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret""#,
        )
        .header("Signature", "sig-b25=:pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=:");
    let secret =
        "uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ==";
    (head, Secret::from_base64(secret).unwrap())
}

#[test]
fn the_rfcs_own_example_has_its_base_and_verifies_under_a_policy_that_allows_it() {
    let (head, secret) = b_2_5();
    let base = HttpSignatures::new().signature_base(&head).unwrap();
    assert_eq!(
        String::from_utf8(base).unwrap(),
        "\"date\": Tue, 20 Apr 2021 02:07:55 GMT\n\"@authority\": example.com\n\
         \"content-type\": application/json\n\"@signature-params\": \
         (\"date\" \"@authority\" \"content-type\");created=1618884473;keyid=\"test-shared-secret\""
    );
    let ring = KeyRing::builder()
        .key(NamedKey::new("test-shared-secret", secret))
        .build()
        .unwrap();
    let at = seawall_signing::UnixTime::from_secs(1_618_884_473);
    let strict = Verifier::new(HttpSignatures::new(), ring.clone()).unwrap();
    assert_eq!(
        check_at(&strict, &head, b"", at),
        Err(RefusedKind::InsufficientCoverage)
    );
    let lenient = HttpSignatures::builder()
        .require(["@authority"])
        .allow_uncovered_body();
    let lenient = Verifier::new(lenient.build().unwrap(), ring).unwrap();
    assert_eq!(
        check_at(&lenient, &head, b"{\"hello\": \"world\"}", at),
        Ok(())
    );
}

#[test]
fn each_covered_part_has_its_line_in_the_base() {
    let input = r#"("@scheme" "@query-param";name="a" "x-bytes";bs "x-dict";key="b" "x-dict";sf)"#;
    let head = OwnedHead::request("GET", "https://example.com/?b=2&a=%31")
        .header("x-bytes", "1")
        .header("x-bytes", "2")
        .header("x-dict", "a=1,  b=2;c")
        .header("signature-input", format!("sig1={input}"));
    let base = HttpSignatures::new().signature_base(&head).unwrap();
    let lines = [
        r#""@scheme": https"#,
        r#""@query-param";name="a": 1"#,
        r#""x-bytes";bs: :MQ==:, :Mg==:"#,
        r#""x-dict";key="b": 2;c"#,
        r#""x-dict";sf: a=1, b=2;c"#,
    ];
    assert_eq!(
        String::from_utf8(base).unwrap(),
        format!("{}\n\"@signature-params\": {input}", lines.join("\n"))
    );
}

#[test]
fn row_19_a_body_that_is_not_covered_is_refused() {
    let head = signed(covering(&TARGET), post(), b"{}");
    let strict = verifier(HttpSignatures::builder());
    assert_eq!(
        check(&strict, &head, b"{}"),
        Err(RefusedKind::InsufficientCoverage)
    );
    assert_eq!(check(&strict, &head, b""), Ok(()));
    let digest = head.header(
        "content-digest",
        "sha-256=:RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=:",
    );
    assert_eq!(
        check(&strict, &digest, b"{}"),
        Err(RefusedKind::InsufficientCoverage),
        "present is not covered"
    );
    let lenient = verifier(HttpSignatures::builder().allow_uncovered_body());
    assert_eq!(check(&lenient, &digest, b"anything"), Ok(()));
}

#[test]
fn row_20_every_digest_is_compared() {
    let covered: Vec<_> = TARGET.into_iter().chain(["content-digest"]).collect();
    let good = |body: &[u8]| {
        let plain = signed(HttpSignatures::builder(), post(), body);
        let mut digest = String::new();
        seawall_signing::Head::each_header(&plain, "content-digest", &mut |line| {
            digest = String::from_utf8(line.to_vec()).unwrap();
            std::ops::ControlFlow::Continue(())
        });
        digest
    };
    assert!(ContentDigest::of(b"{}").matches(b"{}"));
    let strict = verifier(HttpSignatures::builder());
    // A signer refuses to cover a digest that is not the body's, so the body is what changes here.
    let two = format!(
        "{}, sha-512=:{}:",
        good(b"{}"),
        "J8dGcK7hPd7lT6R1J0fQ+7XdOvp+P2G1Q8LSCBvh4GDZQ1DUq8hE+1Qo1o0z0a9m9sXvB3n4pZfJ4b2QG5b2Zg=="
    );
    for (value, body) in [(good(b"{}"), &b"{ }"[..]), (good(b"{}"), b""), (two, b"{}")] {
        let head = post().header("content-digest", value);
        let allowed = Signer::new(covering(&covered).build().unwrap(), key("a")).clock(|| NOW);
        if let Ok(headers) = allowed.sign(&head, b"{}") {
            assert_eq!(
                check(&strict, &head.headers(headers), body),
                Err(RefusedKind::DigestMismatch)
            );
        } else {
            assert_eq!(
                body, b"{}",
                "only the one with a wrong SHA-512 is refused at the signer"
            );
        }
    }
    let old = post().header("content-digest", "md5=:Sd/dVLAcvNLSq16eXua5uQ==:");
    let signer = Signer::new(covering(&covered).build().unwrap(), key("a")).clock(|| NOW);
    assert!(
        signer.sign(&old, b"{}").is_err(),
        "old algorithms count for nothing"
    );
}

#[test]
fn row_21_a_signature_over_too_little_is_refused() {
    let strict = verifier(HttpSignatures::builder());
    let lenient = verifier(HttpSignatures::builder().require::<&str>([]));
    for parts in [
        &[][..],
        &["@method"],
        &["@method", "@path"],
        &["@authority", "@path", "@query"],
        &["@method", "@authority", "@path"],
    ] {
        let head = signed(covering(parts), post(), b"");
        assert_eq!(
            check(&strict, &head, b""),
            Err(RefusedKind::InsufficientCoverage),
            "{parts:?}"
        );
        assert_eq!(check(&lenient, &head, b""), Ok(()), "{parts:?}");
    }
    for parts in [
        &["@method", "@target-uri"][..],
        &["@method", "@authority", "@request-target"],
        &TARGET,
    ] {
        assert_eq!(
            check(&strict, &signed(covering(parts), post(), b""), b""),
            Ok(()),
            "{parts:?}"
        );
    }
}

#[test]
fn row_13_the_message_does_not_choose_the_algorithm() {
    let head = signed(HttpSignatures::builder(), post(), b"");
    let input = line(&head, "signature-input");
    let signature = line(&head, "signature");
    for alg in ["none", "ed25519", "rsa-v1_5-sha256"] {
        let input = format!("{input};alg=\"{alg}\"");
        let head = post()
            .header("signature-input", input)
            .header("signature", signature.as_str());
        let kind = check(&verifier(HttpSignatures::builder()), &head, b"");
        assert_eq!(kind, Err(RefusedKind::UnsupportedSignature), "{alg}");
    }
}

fn line(head: &OwnedHead, name: &str) -> String {
    let mut text = String::new();
    seawall_signing::Head::each_header(head, name, &mut |line| {
        text = String::from_utf8(line.to_vec()).unwrap();
        std::ops::ControlFlow::Continue(())
    });
    text
}

#[test]
fn row_15_two_signatures_need_a_label_to_choose_by() {
    let head = signed(HttpSignatures::builder(), post(), b"");
    let proxy = head
        .clone()
        .header("signature-input", "proxy=();created=1")
        .header("signature", "proxy=:AAAA:");
    assert_eq!(
        check(&verifier(HttpSignatures::builder()), &proxy, b""),
        Err(RefusedKind::TooManySignatures)
    );
    assert_eq!(
        check(
            &verifier(HttpSignatures::builder().label("sig1")),
            &proxy,
            b""
        ),
        Ok(())
    );
    let twice = head
        .clone()
        .header("signature-input", line(&head, "signature-input"));
    assert_eq!(
        check(
            &verifier(HttpSignatures::builder().label("sig1")),
            &twice,
            b""
        ),
        Err(RefusedKind::Malformed)
    );
    let other = HttpSignatures::builder().label("other");
    assert_eq!(
        check(&verifier(other), &head, b""),
        Err(RefusedKind::MissingSignature)
    );
}

#[test]
fn what_the_parameters_say_is_kept_to() {
    let short = HttpSignatures::builder().expires_after(Duration::from_secs(10));
    let head = signed(short.clone(), post(), b"");
    assert_eq!(
        check_at(&verifier(short.clone()), &head, b"", after(10)),
        Ok(())
    );
    assert_eq!(
        check_at(&verifier(short), &head, b"", after(11)),
        Err(RefusedKind::TooOld)
    );
    let tagged = HttpSignatures::builder().tag("shop");
    assert_eq!(
        check(
            &verifier(tagged.clone()),
            &signed(tagged.clone(), post(), b""),
            b""
        ),
        Ok(())
    );
    let untagged = signed(HttpSignatures::builder(), post(), b"");
    assert_eq!(
        check(&verifier(tagged), &untagged, b""),
        Err(RefusedKind::InsufficientCoverage)
    );
    for wrong in [
        "created=-1",
        "created=1.5",
        "created=\"1\"",
        "expires=?1",
        "keyid=1",
        "nonce=1",
    ] {
        let input = format!("sig1=(\"@method\" \"@target-uri\");{wrong}");
        let head = post()
            .header("signature-input", input)
            .header("signature", line(&untagged, "signature"));
        let kind = check(&verifier(HttpSignatures::builder()), &head, b"");
        assert_eq!(kind, Err(RefusedKind::Malformed), "{wrong}");
    }
}

#[test]
fn undated_and_unnamed_signatures_are_refused_unless_allowed() {
    let strict = verifier(HttpSignatures::builder());
    let signature = line(&signed(HttpSignatures::builder(), post(), b""), "signature");
    for (parameters, kind) in [
        (";keyid=\"default\"", Err(RefusedKind::InsufficientCoverage)),
        (
            ";created=1700000000",
            Err(RefusedKind::InsufficientCoverage),
        ),
        (
            ";created=1700000000;keyid=\"default\"",
            Err(RefusedKind::Mismatch),
        ),
    ] {
        let input = format!("sig1=(\"@method\" \"@target-uri\"){parameters}");
        let head = post()
            .header("signature-input", input)
            .header("signature", signature.as_str());
        assert_eq!(check(&strict, &head, b""), kind, "{parameters}");
        let lenient = verifier(
            HttpSignatures::builder()
                .allow_undated()
                .allow_unnamed_key(),
        );
        assert_eq!(
            check(&lenient, &head, b""),
            Err(RefusedKind::Mismatch),
            "{parameters}"
        );
    }
    let undated = HttpSignatures::builder().allow_undated().build().unwrap();
    let with_store = Verifier::builder(undated, key("a")).replay(MemoryNonceStore::new());
    assert_eq!(with_store.build().unwrap_err().setting(), "replay");
}

#[test]
fn responses_are_signed_with_what_they_answer() {
    let request = post().header("x-order", "7");
    let response = OwnedHead::response(201)
        .header("content-type", "application/json")
        .in_answer_to(request.clone());
    let bound = || {
        HttpSignatures::builder().cover([
            "@status",
            "content-digest",
            "content-type",
            "\"@method\";req",
            "\"@target-uri\";req",
            "\"x-order\";req",
        ])
    };
    let head = signed(bound(), response, b"{}");
    let policy = HttpSignatures::builder().require(["@status", "\"@target-uri\";req"]);
    assert_eq!(check(&verifier(policy.clone()), &head, b"{}"), Ok(()));
    let elsewhere = head.clone().in_answer_to(
        OwnedHead::request("POST", "https://api.example.com/other").header("x-order", "7"),
    );
    assert_eq!(
        check(&verifier(policy), &elsewhere, b"{}"),
        Err(RefusedKind::Mismatch)
    );
    let plain = signed(HttpSignatures::builder(), OwnedHead::response(204), b"");
    assert_eq!(
        check(&verifier(HttpSignatures::builder()), &plain, b""),
        Ok(())
    );
}

#[test]
fn behind_a_proxy_the_outer_name_is_configuration() {
    let outer = OwnedHead::request("GET", "https://api.example.com/x");
    let headers: Vec<_> = {
        let signer = Signer::new(HttpSignatures::new(), key("a")).clock(|| NOW);
        signer.sign(&outer, b"").unwrap().into_iter().collect()
    };
    let inner = OwnedHead::request("GET", "http://10.0.0.7:8080/x").headers(headers);
    assert_eq!(
        check(&verifier(HttpSignatures::builder()), &inner, b""),
        Err(RefusedKind::Mismatch)
    );
    let external = HttpSignatures::builder().external("https", "api.example.com");
    assert_eq!(check(&verifier(external), &inner, b""), Ok(()));
}

#[test]
fn impossible_settings_do_not_close() {
    let refused = |builder: HttpSignaturesBuilder| builder.build().is_err();
    assert!(refused(HttpSignatures::builder().cover(["Content-Type"])));
    assert!(refused(
        HttpSignatures::builder().cover(["@method", "@method"])
    ));
    assert!(refused(HttpSignatures::builder().require(["@nonsense"])));
    for label in ["Sig 1", "1a", "a b", "-a", "aB", ""] {
        assert!(refused(HttpSignatures::builder().label(label)), "{label:?}");
    }
    assert!(!refused(HttpSignatures::builder().label("a-1_b.c")));
    assert!(refused(HttpSignatures::builder().tag("a\n")));
    assert!(refused(HttpSignatures::builder().external("https", "")));
    assert!(HttpSignatures::new().names_key());
}

#[test]
fn a_signature_over_very_many_parts_is_refused() {
    let head = |count: usize| {
        let parts: String = (0..count).map(|n| format!(" \"x-{n}\"")).collect();
        let input = format!(
            "sig1=(\"@method\" \"@target-uri\"{parts});created=1700000000;keyid=\"default\""
        );
        let head = (0..count).fold(post(), |head, n| head.header(&format!("x-{n}"), "1"));
        head.header("signature-input", input)
            .header("signature", format!("sig1=:{}=:", "A".repeat(43)))
    };
    let strict = verifier(HttpSignatures::builder());
    assert_eq!(check(&strict, &head(30), b""), Err(RefusedKind::Mismatch));
    assert_eq!(check(&strict, &head(31), b""), Err(RefusedKind::Malformed));
}
