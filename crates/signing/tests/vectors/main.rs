//! Published vectors: those that the repository keeps, and every file of `$SEAWALL_VECTORS/signing`.
//!
//! A file or shape that is not known here is named and skipped. A known case that fails fails the
//! run; all failures are told together.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    missing_docs,
    reason = "tests"
)]

mod attacks;
mod macs;
#[cfg(feature = "http-signatures")]
mod rfc9421;
mod webhooks;

use std::fmt::Display;
use std::path::Path;

use seawall_signing::{OwnedHead, RefusedKind, UnixTime, Verifier};
use serde_json::Value;

/// Collects what became of the cases.
#[derive(Default)]
pub(crate) struct Tally {
    file: String,
    passed: usize,
    skipped: Vec<String>,
    failed: Vec<String>,
}

impl Tally {
    pub(crate) fn check(&mut self, name: impl Display, good: bool, got: impl std::fmt::Debug) {
        if good {
            self.passed += 1;
        } else {
            self.failed.push(format!("{}: {name}: {got:?}", self.file));
        }
    }

    pub(crate) fn skip(&mut self, what: impl Display) {
        self.skipped.push(format!("{}: {what}", self.file));
    }
}

pub(crate) fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key)?.as_str()
}

/// Reads a number, or the text of one.
pub(crate) fn number(value: &Value, key: &str) -> Option<u64> {
    let value = value.get(key)?;
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

pub(crate) fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value
        .get(key)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

pub(crate) fn hex(text: &str) -> Option<Vec<u8>> {
    let digit = |at: usize| u8::from_str_radix(text.get(at..at + 2)?, 16).ok();
    text.len()
        .is_multiple_of(2)
        .then(|| (0..text.len()).step_by(2).map(digit).collect())?
}

pub(crate) fn head_of(case: &Value) -> Option<OwnedHead> {
    let headers = case.get("headers")?.as_object()?;
    headers
        .iter()
        .try_fold(OwnedHead::request("POST", "/"), |head, (name, value)| {
            Some(head.header(name, value.as_str()?))
        })
}

pub(crate) fn judge(
    verifier: &Verifier,
    head: &OwnedHead,
    body: &[u8],
    now: Option<u64>,
) -> Result<(), RefusedKind> {
    let now = UnixTime::from_secs(now.unwrap_or(0));
    let outcome = verifier.attempt().at(now).verify_now(head, body).unwrap();
    outcome.map(|_| ()).map_err(|refused| refused.kind())
}

fn run(path: &Path, tally: &mut Tally) {
    tally.file = path.file_name().unwrap().to_string_lossy().into_owned();
    let data: Value = match serde_json::from_slice(&std::fs::read(path).unwrap()) {
        Ok(data) => data,
        Err(wrong) => return tally.skip(format!("no JSON: {wrong}")),
    };
    match tally
        .file
        .trim_end_matches(".json")
        .trim_end_matches("_test")
    {
        "github" => webhooks::github(&data, tally),
        "slack" => webhooks::slack(&data, tally),
        "stripe" => webhooks::stripe(&data, tally),
        "square" => webhooks::square(&data, tally),
        "standard_webhooks" => webhooks::standard(&data, tally),
        "computed_schemes" => webhooks::computed(&data, tally),
        "attacks" => attacks::run(&data, tally),
        "rfc4231" => macs::rfc4231(&data, tally),
        "wycheproof_hmac_sha256" => macs::wycheproof(&data, tally),
        #[cfg(feature = "ed25519")]
        "wycheproof_ed25519" => macs::wycheproof_ed25519(&data, tally),
        #[cfg(feature = "http-signatures")]
        "rfc9421" => rfc9421::cases(&data, tally),
        #[cfg(feature = "http-signatures")]
        "rfc9421_components" => rfc9421::components(&data, tally),
        #[cfg(feature = "http-signatures")]
        "rfc9530" => rfc9421::digests(&data, tally),
        _ => tally.skip("not a file that is known here"),
    }
}

#[test]
fn vectors() {
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let given = std::env::var_os("SEAWALL_VECTORS").map(|dir| Path::new(&dir).join("signing"));
    let mut total = Tally::default();
    for dir in [Some(kept), given].into_iter().flatten() {
        let mut paths: Vec<_> = std::fs::read_dir(&dir)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        paths.sort();
        for path in paths.iter().filter(|path| path.is_file()) {
            let mut tally = Tally::default();
            run(path, &mut tally);
            let (failed, skipped) = (tally.failed.len(), tally.skipped.len());
            println!(
                "{}: {} passed, {failed} failed, {skipped} skipped",
                path.display(),
                tally.passed
            );
            total.passed += tally.passed;
            total.failed.append(&mut tally.failed);
            total.skipped.append(&mut tally.skipped);
        }
    }
    for skipped in &total.skipped {
        println!("skipped {skipped}");
    }
    println!(
        "signing: {} passed, {} failed, {} skipped",
        total.passed,
        total.failed.len(),
        total.skipped.len()
    );
    assert!(total.failed.is_empty(), "{:#?}", total.failed);
    assert!(total.passed > 0, "there are vectors");
}
