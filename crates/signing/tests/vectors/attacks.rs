//! Attacks that worked elsewhere. Whatever is not expected to be `ok` is refused.

use seawall_signing::scheme::{self, Scheme, StandardWebhooks};
use seawall_signing::{
    Envelope, KeyRing, MemoryNonceStore, NamedKey, OwnedHead, RefusedKind, Secret, SharedKeyRing,
    UnixTime, Verifier,
};
use serde_json::Value;

use crate::webhooks::stripe_head;
use crate::{Tally, head_of, judge, list, text};

const TIME: u64 = 1_700_000_000;

pub(crate) fn run(data: &Value, tally: &mut Tally) {
    for (key, value) in data.as_object().into_iter().flatten() {
        match key.as_str() {
            "origin" => {}
            "standard_webhooks_splice" => splice(value, tally),
            "timestamp_text" => timestamps(value, tally),
            "github_header_text" => github(value, tally),
            "base64_text" => base64(value, tally),
            "amplification" => amplification(tally),
            "rotation_strip_replay" => rotation(value, tally),
            other => tally.skip(format!("attack {other}")),
        }
    }
}

fn good(case: &Value) -> bool {
    text(case, "expect").is_some_and(|expect| expect.starts_with("ok") || expect == "canonical")
}

fn splice(data: &Value, tally: &mut Tally) {
    let secret = || Secret::from_whsec(text(data, "secret").unwrap()).unwrap();
    let verifier = Verifier::new(StandardWebhooks::new(), secret()).unwrap();
    let honest = send(&verifier, data, "honest");
    tally.check(
        "an id with a dot is refused",
        honest == Err(RefusedKind::Malformed),
        honest,
    );
    let forged = send(&verifier, data, "forged");
    tally.check(
        "a body like a time is refused",
        forged == Err(RefusedKind::Malformed),
        forged,
    );
    let signer = seawall_signing::Signer::new(StandardWebhooks::new(), secret());
    let id = data["honest"]["webhook-id"].as_str().unwrap();
    let signed = signer
        .draft()
        .message_id(id)
        .sign(&OwnedHead::request("POST", "/"), b"X");
    tally.check("an id with a dot is not signed", signed.is_err(), signed);
}

fn send(verifier: &Verifier, data: &Value, which: &str) -> Result<(), RefusedKind> {
    let mut case = data[which].clone();
    let body = case["body"].take();
    case.as_object_mut().unwrap().remove("body");
    case["webhook-signature"] = data["signature"].clone();
    let head = head_of(&serde_json::json!({ "headers": case })).unwrap();
    judge(
        verifier,
        &head,
        body.as_str().unwrap().as_bytes(),
        Some(TIME),
    )
}

fn timestamps(data: &Value, tally: &mut Tally) {
    let mac = "ab".repeat(32);
    for case in data.as_array().into_iter().flatten() {
        let Some(time) = text(case, "t") else {
            continue;
        };
        let slack = OwnedHead::request("POST", "/")
            .header("x-slack-request-timestamp", time)
            .header("x-slack-signature", format!("v0={mac}"));
        let standard = OwnedHead::request("POST", "/")
            .header("webhook-id", "msg_1")
            .header("webhook-timestamp", time)
            .header(
                "webhook-signature",
                "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=",
            );
        for (name, read) in [
            (
                "stripe",
                scheme::stripe().read(&stripe_head(&format!("t={time},v1={mac}"))),
            ),
            ("slack", scheme::slack().read(&slack)),
            ("standard", StandardWebhooks::new().read(&standard)),
        ] {
            let got = read
                .map(|read| read.timestamp().map(UnixTime::as_secs))
                .map_err(|e| e.kind());
            tally.check(
                format!("{name} time {time:?}"),
                got.is_ok() == good(case),
                got,
            );
        }
    }
}

fn github(data: &Value, tally: &mut Tally) {
    let secret = Secret::new("It's a Secret to Everybody").unwrap();
    let verifier = Verifier::new(scheme::github(), secret).unwrap();
    for case in data.as_array().into_iter().flatten() {
        let Some(line) = text(case, "h") else {
            continue;
        };
        let head = OwnedHead::request("POST", "/").header("x-hub-signature-256", line);
        let got = judge(&verifier, &head, b"Hello, World!", None);
        tally.check(format!("github {line:?}"), got.is_ok() == good(case), got);
    }
}

fn base64(data: &Value, tally: &mut Tally) {
    for case in data.as_array().into_iter().flatten() {
        let Some(line) = text(case, "s") else {
            continue;
        };
        let mut envelope = Envelope::new();
        let algorithm = seawall_signing::Algorithm::HmacSha256;
        let got = envelope.push_text(
            algorithm,
            seawall_signing::Encoding::Base64,
            line.as_bytes(),
        );
        tally.check(format!("base64 {line:?}"), got.is_ok() == good(case), got);
    }
}

fn amplification(tally: &mut Tally) {
    let secret = Secret::new("whsec_test_secret_0123456789abcdef").unwrap();
    let verifier = Verifier::new(scheme::stripe(), secret).unwrap();
    let body = vec![b'x'; 1 << 20];
    let line = |count: usize| {
        format!(
            "t={TIME}{}",
            format!(",v1={}", "ab".repeat(32)).repeat(count)
        )
    };
    let begin = |count| {
        verifier
            .attempt()
            .at(UnixTime::from_secs(TIME))
            .begin_now(&stripe_head(&line(count)))
            .unwrap()
    };
    let flood = begin(100).map(|_| ()).map_err(|refused| refused.kind());
    tally.check(
        "100 signatures",
        flood == Err(RefusedKind::TooManySignatures),
        flood,
    );
    let bytes = [1, 8].map(|count| {
        let mut session = begin(count).unwrap();
        session.update(&body).unwrap();
        session.mac_bytes()
    });
    tally.check(
        "8 cost what 1 costs",
        bytes[0] == bytes[1] && bytes[0] == (1 << 20) + 11,
        bytes,
    );
}

fn rotation(data: &Value, tally: &mut Tally) {
    let names: Vec<_> = list(data, "keys")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    let key = |name: &str| NamedKey::new(name, Secret::new(name).unwrap());
    let ring = |names: &[&str]| {
        names
            .iter()
            .fold(KeyRing::builder(), |ring, name| ring.key(key(name)))
            .build()
            .unwrap()
    };
    let keys = SharedKeyRing::new(ring(&names));
    let verifier = Verifier::builder(scheme::stripe(), keys.clone())
        .replay(MemoryNonceStore::with_capacity(8));
    let verifier = verifier.build().unwrap();
    let body = text(data, "body").unwrap_or_default().as_bytes();
    let send = |which: &str| {
        judge(
            &verifier,
            &stripe_head(text(data, which).unwrap()),
            body,
            Some(TIME),
        )
    };
    let first = send("first");
    tally.check("the first is accepted", first.is_ok(), first);
    let replays = || {
        data.as_object()
            .unwrap()
            .keys()
            .filter(|key| key.starts_with("replay_"))
    };
    for name in replays() {
        let got = send(name);
        tally.check(name, got == Err(RefusedKind::Replayed), got);
    }
    for left in &names {
        keys.replace(ring(&[left]));
        for name in replays() {
            let got = send(name);
            tally.check(format!("{name} with {left} alone"), got.is_err(), got);
        }
    }
}
