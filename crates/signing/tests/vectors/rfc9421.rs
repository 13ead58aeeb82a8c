//! HTTP Message Signatures and Content-Digest.

use seawall_signing::scheme::HttpSignatures;
use seawall_signing::{
    ContentDigest, Key, KeyRing, NamedKey, OwnedHead, Secret, Signer, UnixTime, Verifier,
};
use serde_json::Value;

use crate::{Tally, judge, list, text};

/// Reads a message in the form of the RFC's examples: a start line, headers, a body.
fn message(text: &str) -> Option<(OwnedHead, Vec<u8>)> {
    let text = text.replace("\r\n", "\n");
    let (head, body) = text.split_once("\n\n").unwrap_or((&text, ""));
    let mut lines = head.lines();
    let start: Vec<_> = lines.next()?.split(' ').collect();
    let headers: Vec<_> = lines.filter_map(|line| line.split_once(':')).collect();
    let host = headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("host"))
        .map_or("", |(_, host)| host.trim());
    let message = match start.as_slice() {
        [version, status, ..] if version.starts_with("HTTP/") => {
            OwnedHead::response(status.parse().ok()?)
        }
        [method, target, _] => OwnedHead::request(*method, &format!("https://{host}{target}")),
        _ => return None,
    };
    let message = headers.iter().fold(message, |message, (name, value)| {
        message.header(name, *value)
    });
    Some((message, body.as_bytes().to_vec()))
}

#[cfg(feature = "ed25519")]
fn decode(text: &str) -> Option<Vec<u8>> {
    use base64ct::{Base64, Encoding};
    Base64::decode_vec(text).ok()
}

fn key_of(keys: &Value, case: &Value) -> Option<Key> {
    let key = keys.get(text(case, "keyid")?)?;
    match text(case, "alg")? {
        "hmac-sha256" => Secret::from_base64(text(key, "secret_b64")?)
            .ok()
            .map(Key::from),
        #[cfg(feature = "ed25519")]
        "ed25519" => {
            let der = decode(text(key, "public_der_base64")?)?;
            Key::ed25519_public(der.last_chunk()?).ok()
        }
        _ => None,
    }
}

pub(crate) fn cases(data: &Value, tally: &mut Tally) {
    let scheme = || {
        HttpSignatures::builder()
            .require::<&str>([])
            .allow_uncovered_body()
            .build()
            .unwrap()
    };
    for case in list(data, "cases") {
        let id = text(case, "id").unwrap_or("?");
        let parts = (
            text(case, "message").and_then(message),
            text(case, "signature_input"),
            text(case, "signature"),
        );
        let (Some((head, body)), Some(input), Some(signature)) = parts else {
            tally.skip(format!("case {id}"));
            continue;
        };
        let head = head
            .header("signature-input", input)
            .header("signature", signature);
        let base = scheme()
            .signature_base(&head)
            .map(|base| String::from_utf8_lossy(&base).into_owned());
        tally.check(
            format!("base of {id}"),
            base.as_deref().ok() == text(case, "signature_base"),
            &base,
        );
        let Some(key) = key_of(&data["keys"], case) else {
            tally.skip(format!(
                "signature of {id}: {}",
                text(case, "alg").unwrap_or("?")
            ));
            continue;
        };
        let ring = KeyRing::builder()
            .key(NamedKey::new(text(case, "keyid").unwrap(), key))
            .build()
            .unwrap();
        let verifier = Verifier::new(scheme(), ring).unwrap();
        let created = input.split("created=").nth(1).and_then(|rest| {
            rest.split(|c: char| !c.is_ascii_digit())
                .next()?
                .parse()
                .ok()
        });
        let got = judge(&verifier, &head, &body, created);
        let valid = case.get("valid").and_then(Value::as_bool).unwrap_or(true);
        tally.check(format!("signature of {id}"), got.is_ok() == valid, got);
    }
}

pub(crate) fn components(data: &Value, tally: &mut Tally) {
    for case in list(data, "cases") {
        let section = text(case, "sec").unwrap_or("?");
        let head = if let Some(request) = text(case, "request") {
            let (method, target) = request.split_once(' ').unwrap_or((request, ""));
            if target.starts_with('/') {
                OwnedHead::request(method, &format!("https://www.example.com{target}"))
            } else {
                OwnedHead::request(method, target)
            }
        } else if let Some(status) = case.get("status").and_then(Value::as_u64) {
            OwnedHead::response(status.try_into().unwrap())
        } else {
            OwnedHead::request("GET", "https://www.example.com/")
        };
        let head = list(case, "headers").iter().fold(head, |head, pair| {
            head.header(
                pair[0].as_str().unwrap_or_default(),
                pair[1].as_str().unwrap_or_default(),
            )
        });
        if list(case, "lines").is_empty() {
            tally.skip(format!("section {section}"));
        }
        for line in list(case, "lines").iter().filter_map(Value::as_str) {
            let (id, _) = line.split_once(": ").unwrap_or((line, ""));
            let head = head
                .clone()
                .header("signature-input", format!("sig=({id});created=1"));
            let base = HttpSignatures::new().signature_base(&head);
            let got = base.map(|base| {
                String::from_utf8_lossy(&base)
                    .lines()
                    .next()
                    .unwrap_or_default()
                    .to_owned()
            });
            tally.check(
                format!("{section}: {line}"),
                got.as_deref().is_ok_and(|got| got == line),
                &got,
            );
        }
    }
}

pub(crate) fn digests(data: &Value, tally: &mut Tally) {
    let cover = ["@method", "@target-uri", "content-digest"];
    let scheme = || HttpSignatures::builder().cover(cover).build().unwrap();
    let secret = || Secret::new("a secret of some length").unwrap();
    let time = UnixTime::from_secs(1_700_000_000);
    let verifier = Verifier::new(HttpSignatures::new(), secret()).unwrap();
    // A signer covers only a digest that is right, so signing is the first check, and a verifier
    // that is given another body the second.
    let sign = |value: &str, body: &[u8]| {
        let head =
            OwnedHead::request("POST", "https://example.com/").header("content-digest", value);
        let signer = Signer::new(scheme(), secret());
        signer
            .draft()
            .at(time)
            .sign(&head, body)
            .map(|headers| head.headers(headers))
    };
    for case in list(data, "cases") {
        let (Some(body), Some(value)) = (text(case, "body"), text(case, "field_value")) else {
            tally.skip("a case without body and value");
            continue;
        };
        let body = body.as_bytes();
        let head = sign(value, body);
        let got = head
            .as_ref()
            .map(|head| judge(&verifier, head, body, Some(time.as_secs())))
            .map_err(ToString::to_string);
        tally.check(value, matches!(got, Ok(Ok(()))), &got);
        if let Ok(head) = head {
            let got = judge(
                &verifier,
                &head,
                &[body, b"x"].concat(),
                Some(time.as_secs()),
            );
            tally.check(format!("{value} of another body"), got.is_err(), got);
        }
        tally.check("computed", ContentDigest::of(body).matches(body), value);
        let wrong = sign(value, &[body, b"x"].concat()).map(|_| ());
        tally.check(
            format!("{value} is not signed for another body"),
            wrong.is_err(),
            wrong.is_ok(),
        );
    }
    for (algorithm, value) in data
        .get("legacy_values_must_be_rejected_or_ignored")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        let value = format!("{algorithm}={}", value.as_str().unwrap_or_default());
        let got = sign(&value, b"{}").map(|_| ());
        tally.check(format!("old {value}"), got.is_err(), got.is_ok());
    }
}
