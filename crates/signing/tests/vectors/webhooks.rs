//! Senders' dialects.

use std::time::Duration;

use seawall_signing::scheme::{self, Scheme, StandardWebhooks};
use seawall_signing::{Keys, Secret, Tolerance, Verifier};
use serde_json::Value;

use crate::{Tally, head_of, judge, list, number, text};

fn shared(secret: &str) -> Option<Keys> {
    Secret::short_for_legacy(secret).ok().map(Keys::from)
}

fn whsec(secret: &str) -> Option<Keys> {
    Secret::from_whsec(secret).ok().map(Keys::from)
}

/// Runs cases of secret, body, headers and time.
fn cases(
    cases: &[Value],
    scheme: &(impl Scheme + Clone),
    keys: impl Fn(&Value) -> Option<Keys>,
    tally: &mut Tally,
) {
    for (at, case) in cases.iter().enumerate() {
        // A case may say only what differs from another one.
        let base = case
            .get("same_as")
            .and_then(Value::as_u64)
            .and_then(|at| cases.get(usize::try_from(at).ok()?));
        let first = cases.first();
        let find = |key: &str| {
            case.get(key)
                .or_else(|| base?.get(key))
                .or_else(|| first?.get(key))
        };
        let whole: Value = ["secret", "public_key", "body", "headers", "url"]
            .into_iter()
            .filter_map(|key| Some((key.to_owned(), find(key)?.clone())))
            .collect::<serde_json::Map<_, _>>()
            .into();
        let (Some(keys), Some(body), Some(head)) =
            (keys(&whole), text(&whole, "body"), head_of(&whole))
        else {
            tally.skip(format!("case {at} lacks secret, body or headers"));
            continue;
        };
        let own = |key: &str| number(case, key).or_else(|| number(base?, key));
        let now = own("at")
            .or_else(|| own("valid_at"))
            .or_else(|| own("timestamp"));
        let now = now.or_else(|| number(first?, "valid_at"));
        let past = own("tolerance").unwrap_or(300);
        let tolerance = Tolerance::new(Duration::from_secs(past), Duration::from_secs(60));
        let verifier = Verifier::builder(scheme.clone(), keys)
            .tolerance(tolerance)
            .build()
            .unwrap();
        let valid = case.get("valid").and_then(Value::as_bool).unwrap_or(true);
        let got = judge(&verifier, &head, body.as_bytes(), now);
        let mut good = got.is_ok() == valid;
        if let (Some(kind), Err(got)) = (
            text(case, "expect").filter(|kind| !kind.contains([' ', '/'])),
            got,
        ) {
            good &= format!("{got:?}") == kind;
        }
        tally.check(format!("case {at}"), good, got);
        if valid && good {
            changed_bodies(&verifier, &head, body, now, tally);
            changed_headers(&verifier, &whole, body, now, tally);
        }
    }
}

fn changed_bodies(
    verifier: &Verifier,
    head: &seawall_signing::OwnedHead,
    body: &str,
    now: Option<u64>,
    tally: &mut Tally,
) {
    for at in 0..body.len() {
        let mut other = body.as_bytes().to_vec();
        other[at] ^= 1;
        let got = judge(verifier, head, &other, now);
        tally.check(format!("body changed at {at}"), got.is_err(), got);
    }
}

fn changed_headers(
    verifier: &Verifier,
    case: &Value,
    body: &str,
    now: Option<u64>,
    tally: &mut Tally,
) {
    let headers = case["headers"].as_object().unwrap();
    for (name, value) in headers {
        let value = value.as_str().unwrap();
        // What stands behind a signature of another version is ignored, as it should be.
        for at in 0..value.find(",v0=").unwrap_or(value.len()) {
            let mut other = value.as_bytes().to_vec();
            other[at] ^= 1;
            let mut head = seawall_signing::OwnedHead::request("POST", "/").header(name, other);
            for (known, value) in headers.iter().filter(|(known, _)| *known != name) {
                head = head.header(known, value.as_str().unwrap());
            }
            let got = judge(verifier, &head, body.as_bytes(), now);
            tally.check(format!("{name} changed at {at}"), got.is_err(), got);
        }
    }
}

fn secret_of(case: &Value) -> Option<Keys> {
    shared(text(case, "secret")?)
}

pub(crate) fn github(data: &Value, tally: &mut Tally) {
    cases(list(data, "cases"), &scheme::github(), secret_of, tally);
}

pub(crate) fn slack(data: &Value, tally: &mut Tally) {
    cases(list(data, "cases"), &scheme::slack(), secret_of, tally);
}

pub(crate) fn stripe(data: &Value, tally: &mut Tally) {
    cases(list(data, "cases"), &scheme::stripe(), secret_of, tally);
    for (key, value) in data.as_object().into_iter().flatten() {
        if key.starts_with("malformed_headers") {
            for line in value
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
            {
                let got = scheme::stripe()
                    .read(&stripe_head(line))
                    .map(|_| ())
                    .map_err(|e| e.kind());
                tally.check(format!("malformed {line:?}"), got.is_err(), got);
            }
        } else if key.starts_with("docs_header") {
            let line = value.as_str().unwrap_or_default();
            let got = scheme::stripe()
                .read(&stripe_head(line))
                .map(|read| read.signatures().count());
            tally.check(format!("parses {line:?}"), matches!(got, Ok(1)), got);
        }
    }
}

pub(crate) fn stripe_head(line: &str) -> seawall_signing::OwnedHead {
    seawall_signing::OwnedHead::request("POST", "/").header("stripe-signature", line)
}

pub(crate) fn square(data: &Value, tally: &mut Tally) {
    for case in list(data, "cases") {
        let first = |keys: [&str; 3]| keys.into_iter().find_map(|key| text(case, key));
        let url = first(["url", "notification_url", "webhook_url"]);
        let secret = first(["secret", "signature_key", "key"]);
        let (Some(url), Some(secret)) = (url, secret) else {
            tally.skip("a case without url and secret");
            continue;
        };
        let keys = |_: &Value| shared(secret);
        cases(
            std::slice::from_ref(case),
            &scheme::square(url),
            keys,
            tally,
        );
    }
}

pub(crate) fn standard(data: &Value, tally: &mut Tally) {
    let known = list(data, "cases");
    cases(
        known,
        &StandardWebhooks::new(),
        |case| whsec(text(case, "secret")?),
        tally,
    );
    #[cfg(feature = "ed25519")]
    {
        use seawall_signing::{Key, Signer, UnixTime};
        let public = |case: &Value| {
            Key::from_whpk(text(case, "public_key")?)
                .ok()
                .map(Keys::from)
        };
        cases(
            list(data, "cases_v1a"),
            &StandardWebhooks::new(),
            public,
            tally,
        );
        for case in list(data, "cases_v1a") {
            let (Some(secret), Some(body)) = (text(case, "secret_key"), text(case, "body")) else {
                continue;
            };
            let header = |name: &str| case["headers"][name].as_str().unwrap_or_default();
            let time = UnixTime::from_secs(header("webhook-timestamp").parse().unwrap());
            let signer = Signer::new(StandardWebhooks::new(), Key::from_whsk(secret).unwrap());
            let draft = signer.draft().message_id(header("webhook-id")).at(time);
            let signed = draft
                .sign(
                    &seawall_signing::OwnedHead::request("POST", "/"),
                    body.as_bytes(),
                )
                .unwrap();
            let got = signed.value("webhook-signature");
            tally.check(
                "v1a signs alike",
                got == Some(header("webhook-signature")),
                got,
            );
        }
    }
    let with_list = |line: String| {
        let mut case = known.first().cloned().unwrap_or_default();
        case["headers"]["webhook-signature"] = line.into();
        case
    };
    let decoys: Vec<_> = list(data, "multi_signature_decoys")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    if !decoys.is_empty() && !known.is_empty() {
        let right = known[0]["headers"]["webhook-signature"]
            .as_str()
            .unwrap_or_default();
        let mut among = with_list(format!("{} {right}", decoys.join(" ")));
        let mut alone = with_list(decoys.join(" "));
        for (case, valid) in [(&mut among, true), (&mut alone, false)] {
            let verifier = Verifier::new(
                StandardWebhooks::new(),
                whsec(text(case, "secret").unwrap()).unwrap(),
            )
            .unwrap();
            let body = text(case, "body").unwrap().as_bytes();
            let got = judge(
                &verifier,
                &head_of(case).unwrap(),
                body,
                number(case, "valid_at"),
            );
            tally.check("decoys", got.is_ok() == valid, got);
        }
    }
    if let Some(line) = text(data, "mixed_list_parse") {
        let read = StandardWebhooks::new().read(&head_of(&with_list(line.to_owned())).unwrap());
        let got = read.map(|read| read.signatures().count());
        tally.check(
            "mixed list",
            got.as_ref().is_ok_and(|count| *count == 2),
            got,
        );
    }
    for secret in list(data, "unpadded_secrets_must_load")
        .iter()
        .filter_map(Value::as_str)
    {
        tally.check(
            format!("loads {secret}"),
            whsec(secret).is_some(),
            "a secret",
        );
        tally.check(
            format!("loads {secret} prefixed"),
            whsec(&format!("whsec_{secret}")).is_some(),
            "a secret",
        );
    }
}

pub(crate) fn computed(data: &Value, tally: &mut Tally) {
    for case in list(data, "cases") {
        let name = text(case, "name").unwrap_or_default();
        let with = |header: &str| {
            let mut case = case.clone();
            if case.get("headers").is_none() {
                case["headers"] = serde_json::json!({ header: case["signature"].clone() });
            }
            case
        };
        match name.split('-').next().unwrap_or_default() {
            "plain" if name.contains("base64") => {
                cases(
                    &[with("x-signature")],
                    &scheme::plain_base64("x-signature"),
                    secret_of,
                    tally,
                );
            }
            "plain" => cases(
                &[with("x-signature")],
                &scheme::plain("x-signature"),
                secret_of,
                tally,
            ),
            "shopify" => cases(
                &[with("x-shopify-hmac-sha256")],
                &scheme::shopify(),
                secret_of,
                tally,
            ),
            "github" => cases(
                &[with("x-hub-signature-256")],
                &scheme::github(),
                secret_of,
                tally,
            ),
            "paddle" => {
                let mut case = with("paddle-signature");
                let line = case["headers"]
                    .as_object()
                    .and_then(|headers| headers.values().next()?.as_str());
                let time = line.and_then(|line| {
                    line.strip_prefix("ts=")?
                        .split(';')
                        .next()?
                        .parse::<u64>()
                        .ok()
                });
                case["valid_at"] = time.into();
                cases(&[case], &scheme::paddle(), secret_of, tally);
            }
            _ => tally.skip(format!("scheme {name:?}")),
        }
    }
}
