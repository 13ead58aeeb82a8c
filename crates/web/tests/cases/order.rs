//! What is said of each wrong order, on any framework.

use std::collections::BTreeSet;

use seawall_web::order::RULES;

/// Layers from the outermost, by the names that the rules have for them, and what is said of them when
/// two requests have come. In this order, since each rule is told of once a process.
pub(crate) const WRONG: &[(&[&str], &[&str])] = &[
    (&["errors", "context"], &["context outside of errors"]),
    (
        &["errors", "rate limit", "context"],
        &["context outside of rate limit"],
    ),
    (&["trace", "request id"], &["request id outside of trace"]),
    (&["errors", "request id"], &["request id outside of errors"]),
    (&["errors", "trace"], &["trace outside of errors"]),
    (&["deadline"], &["deadline inside of errors"]),
    (&["deadline", "errors"], &[]),
    (
        &["errors", "rate limit", "deadline"],
        &["deadline outside of rate limit"],
    ),
    (&["rate limit", "errors"], &["rate limit inside of errors"]),
    (
        &["errors", "idempotency", "rate limit"],
        &["rate limit each outside of idempotency"],
    ),
    (&["body limit"], &["body limit inside of errors"]),
    (
        &["errors", "idempotency", "body limit"],
        &["body limit outside of idempotency"],
    ),
    (
        &["body limit", "signature"],
        &["signature inside of errors"],
    ),
    (
        &["errors", "signature"],
        &["signature inside of body limit"],
    ),
    (
        &["errors", "body limit", "idempotency", "signature"],
        &["signature each outside of idempotency"],
    ),
    (
        &["errors", "body limit", "decompression", "signature"],
        &["signature each outside of decompression"],
    ),
    (
        &["errors", "idempotency", "authentication"],
        &["authentication each outside of idempotency"],
    ),
    (&["idempotency"], &["idempotency inside of errors"]),
];

/// The right order of all layers, and inner ones that add to outer ones.
pub(crate) const RIGHT: &[&str] = &[
    "context",
    "request id",
    "trace",
    "errors",
    "deadline",
    "rate limit",
    "body limit",
    "signature",
    "authentication",
    "rate limit",
    "idempotency",
    "decompression",
    "deadline",
    "body limit",
];

/// The lines that rules of these descriptions write.
pub(crate) fn lines(of: &[&str]) -> BTreeSet<String> {
    let describe = |layer: &str, place: String| format!("{layer} {place}");
    let broken = |rule: &&seawall_web::order::Rule| {
        of.contains(&describe(rule.layer(), rule.place()).as_str())
    };
    let lines: BTreeSet<_> = RULES
        .iter()
        .filter(broken)
        .map(ToString::to_string)
        .collect();
    assert_eq!(lines.len(), of.len(), "a rule for each of {of:?}");
    lines
}
