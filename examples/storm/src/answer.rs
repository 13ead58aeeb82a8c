//! An answer as a caller sees it, and whether an error of it has the shape that was promised.

use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use serde_json::{Map, Value};

/// What came back.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) elapsed: Duration,
}

impl Answer {
    /// More of an answer than this is not read.
    pub(crate) const MOST_READ: usize = 4 * 1024 * 1024;

    pub(crate) fn new(status: u16, headers: &HeaderMap, body: Bytes, elapsed: Duration) -> Self {
        Self {
            status,
            headers: headers.clone(),
            body,
            elapsed,
        }
    }

    /// A header's value, where there is exactly one and it is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        match (values.next(), values.next()) {
            (Some(value), None) => value.to_str().ok(),
            _ => None,
        }
    }

    pub(crate) const fn is_error(&self) -> bool {
        self.status >= 400
    }

    /// The error code in the body.
    pub(crate) fn code(&self) -> Option<String> {
        self.text("error")
    }

    /// The message in the body.
    pub(crate) fn message(&self) -> Option<String> {
        self.text("message")
    }

    fn text(&self, key: &str) -> Option<String> {
        let body: Value = serde_json::from_slice(&self.body).ok()?;
        Some(body.get(key)?.as_str()?.to_owned())
    }

    /// The answer for people: status line, headers that matter, the beginning of the body.
    pub(crate) fn excerpt(&self) -> String {
        let body = String::from_utf8_lossy(&self.body);
        let mut text = format!("{}\n", self.status);
        for name in ["content-type", "retry-after", "x-request-id"] {
            if let Some(value) = self.header(name) {
                text.push_str(&format!("{name}: {value}\n"));
            }
        }
        text.push('\n');
        text.extend(body.chars().take(EXCERPT));
        if body.chars().nth(EXCERPT).is_some() {
            text.push('…');
        }
        text
    }

    /// What is wrong with an error answer: the body is to be the article's, the request id in it
    /// that of the header, and nobody is to cache or sniff it.
    pub(crate) fn fault(&self) -> Option<String> {
        self.shape().err()
    }

    fn shape(&self) -> Result<(), String> {
        let content_type = self.header("content-type").unwrap_or("none");
        if content_type.split(';').next().map(str::trim) != Some("application/json") {
            return Err(format!("content-type is {content_type}"));
        }
        let body: Value =
            serde_json::from_slice(&self.body).map_err(|_| "the body is not JSON".to_owned())?;
        let body = object(
            &body,
            "the body",
            &["error", "message", "details", "request_id"],
            &[],
        )?;
        identifier(body, "error")?;
        text(body, "message")?;
        let details = body["details"]
            .as_array()
            .ok_or("details is not an array")?;
        for detail in details {
            let detail = object(detail, "a detail", &["code", "message"], &["field"])?;
            identifier(detail, "code")?;
            text(detail, "message")?;
            if detail.get("field").is_some_and(|field| !field.is_string()) {
                return Err("a detail's field is not text".to_owned());
            }
        }
        let id = text(body, "request_id")?;
        match self.header("x-request-id") {
            Some(header) if header == id => {}
            Some(header) => return Err(format!("x-request-id is {header}, the body says {id}")),
            None => return Err("not exactly one x-request-id header".to_owned()),
        }
        for (name, expected) in [
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
        ] {
            if self.header(name) != Some(expected) {
                return Err(format!("{name} is not {expected}"));
            }
        }
        Ok(())
    }
}

/// How much of a body people are shown.
const EXCERPT: usize = 400;

fn object<'a>(
    value: &'a Value,
    what: &str,
    required: &[&str],
    optional: &[&str],
) -> Result<&'a Map<String, Value>, String> {
    let map = value
        .as_object()
        .ok_or_else(|| format!("{what} is not an object"))?;
    for key in required {
        if !map.contains_key(*key) {
            return Err(format!("{what} lacks {key}"));
        }
    }
    for key in map.keys() {
        if !required.contains(&key.as_str()) && !optional.contains(&key.as_str()) {
            return Err(format!("{what} has the unknown key {key}"));
        }
    }
    Ok(map)
}

fn text<'a>(map: &'a Map<String, Value>, key: &str) -> Result<&'a str, String> {
    match map[key].as_str() {
        Some(text) if !text.is_empty() => Ok(text),
        _ => Err(format!("{key} is not text")),
    }
}

fn identifier(map: &Map<String, Value>, key: &str) -> Result<(), String> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    if text(map, key)?.bytes().all(plain) {
        Ok(())
    } else {
        Err(format!("{key} is not a code"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(body: &str) -> Answer {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", "application/json".parse().unwrap());
        headers.insert("x-request-id", "req_abc123".parse().unwrap());
        headers.insert("cache-control", "no-store".parse().unwrap());
        headers.insert("x-content-type-options", "nosniff".parse().unwrap());
        Answer::new(
            422,
            &headers,
            Bytes::copy_from_slice(body.as_bytes()),
            Duration::ZERO,
        )
    }

    const GOOD: &str = r#"{"error":"validation_error","message":"Invalid request parameters",
        "details":[{"code":"invalid_email","message":"Email format is invalid","field":"email"},
        {"code":"required","message":"This field is required"}],"request_id":"req_abc123"}"#;

    #[test]
    fn the_article_s_answer_has_its_shape() {
        assert_eq!(answer(GOOD).fault(), None);
    }

    #[test]
    fn every_departure_is_named() {
        for (from, to, fault) in [
            (
                "\"request_id\":\"req_abc123\"",
                "\"request_id\":\"req_x\"",
                "x-request-id",
            ),
            ("\"validation_error\"", "\"SQLException: ORA\"", "error"),
            ("\"details\"", "\"detail\"", "lacks details"),
            (
                "\"message\":\"Invalid request parameters\"",
                "\"message\":\"\"",
                "message",
            ),
            (
                "\"error\"",
                "\"stack_trace\":\"...\",\"error\"",
                "stack_trace",
            ),
            ("\"field\":\"email\"", "\"field\":7", "field"),
        ] {
            assert!(GOOD.contains(from), "{from} is in the model");
            let found = answer(&GOOD.replacen(from, to, 1)).fault();
            assert!(
                found.as_deref().is_some_and(|told| told.contains(fault)),
                "{to}: {found:?}"
            );
        }
        let mut twice = answer(GOOD);
        twice
            .headers
            .append("x-request-id", "req_abc123".parse().unwrap());
        assert!(twice.fault().is_some(), "two request ids");
        let mut cached = answer(GOOD);
        cached.headers.remove("cache-control");
        assert!(cached.fault().is_some(), "may be cached");
    }
}
