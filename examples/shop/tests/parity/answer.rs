//! An answer as it is compared.

use std::collections::BTreeMap;
use std::fmt;

use crate::shop::Connection;

/// An answer without what may differ.
#[derive(PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: BTreeMap<String, Vec<String>>,
    body: String,
}

/// What is left of a connection's bytes that is no whole answer is an answer of this status.
const BROKEN: u16 = 0;

impl Answer {
    /// Reads the answer to a request of this method; `None` where there is nothing but the end.
    pub(crate) fn read(connection: &mut Connection, method: &str) -> Option<Self> {
        loop {
            if let Some((answer, rest)) = Self::first(&connection.unread, method) {
                connection.unread = rest.to_vec();
                return Some(answer);
            }
            if !connection.read_more() {
                let left = std::mem::take(&mut connection.unread);
                return (!left.is_empty()).then(|| Self {
                    status: BROKEN,
                    headers: BTreeMap::new(),
                    body: String::from_utf8_lossy(&left).into_owned(),
                });
            }
        }
    }

    /// Forgets what depends on which of several answers came first, or on who reads ahead.
    pub(crate) fn without(mut self, names: &[&str]) -> Self {
        for name in names {
            self.headers.remove(*name);
        }
        self
    }

    fn first<'b>(bytes: &'b [u8], method: &str) -> Option<(Self, &'b [u8])> {
        let mut room = [httparse::EMPTY_HEADER; 64];
        let mut head = httparse::Response::new(&mut room);
        let httparse::Status::Complete(length) = head.parse(bytes).ok()? else {
            return None;
        };
        let mut headers: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for header in head.headers.iter() {
            let value = String::from_utf8_lossy(header.value).into_owned();
            headers
                .entry(header.name.to_ascii_lowercase())
                .or_default()
                .push(value);
        }
        let status = head.code?;
        let rest = &bytes[length..];
        let value = |name: &str| headers.get(name).and_then(|values| values.first());
        let (body, rest) = if method == "HEAD" || status == 204 || status == 304 {
            (Vec::new(), rest)
        } else if value("transfer-encoding").is_some_and(|coding| coding == "chunked") {
            unchunked(rest)?
        } else if let Some(length) = value("content-length") {
            let (body, rest) = rest.split_at_checked(length.parse().ok()?)?;
            (body.to_vec(), rest)
        } else {
            (rest.to_vec(), &rest[rest.len()..])
        };
        let body = String::from_utf8_lossy(&body).into_owned();
        Some((Self::compared(status, headers, body), rest))
    }

    fn compared(status: u16, mut headers: BTreeMap<String, Vec<String>>, body: String) -> Self {
        let mut body = body;
        if let Some(ids) = headers.get_mut("x-request-id") {
            for id in ids {
                body = body.replace(id.as_str(), "ID");
                "ID".clone_into(id);
            }
        }
        for name in ["date", "x-ratelimit-reset", "retry-after"] {
            for value in headers.get_mut(name).into_iter().flatten() {
                assert!(!value.is_empty(), "{name}");
                "TIME".clone_into(value);
            }
        }
        for value in headers.get_mut("ratelimit").into_iter().flatten() {
            *value = without_time(value);
        }
        // Names that are given out at random.
        for key in ["\"payment_id\":\"", "\"instance\":\"urn:uuid:"] {
            if let Some(at) = body.find(key) {
                let start = at + key.len();
                if let Some(length) = body[start..].find('"') {
                    body.replace_range(start..start + length, "NAME");
                }
            }
        }
        Self {
            status,
            headers,
            body,
        }
    }
}

/// `"a";r=9;t=12` without the twelve.
fn without_time(value: &str) -> String {
    let mut parts = value.split(";t=");
    let mut kept = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        kept.push_str(";t=TIME");
        kept.push_str(part.trim_start_matches(|c: char| c.is_ascii_digit()));
    }
    kept
}

fn unchunked(mut bytes: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut body = Vec::new();
    loop {
        let httparse::Status::Complete((start, size)) = httparse::parse_chunk_size(bytes).ok()?
        else {
            return None;
        };
        let size = usize::try_from(size).ok()?;
        let (chunk, rest) = bytes[start..].split_at_checked(size)?;
        body.extend_from_slice(chunk);
        bytes = rest.strip_prefix(b"\r\n")?;
        if size == 0 {
            return Some((body, bytes));
        }
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.status)?;
        for (name, values) in &self.headers {
            writeln!(f, "    {name}: {}", values.join(" | "))?;
        }
        write!(f, "    {}", self.body)
    }
}
