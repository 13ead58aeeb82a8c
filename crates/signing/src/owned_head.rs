//! A head that stands on its own.

use std::ops::ControlFlow;

use crate::head::Head;

/// Holds a head of its own: for senders, for messages kept in a queue, and for tests.
///
/// # Examples
///
/// ```
/// use seawall_signing::{Head, OwnedHead};
///
/// let head = OwnedHead::request("POST", "https://api.example.com/hooks?live=1")
///     .header("Content-Type", "application/json");
/// assert_eq!(head.authority(), Some("api.example.com"));
/// assert_eq!((head.path(), head.query()), ("/hooks", Some("live=1")));
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct OwnedHead {
    method: String,
    scheme: Option<String>,
    authority: Option<String>,
    path: String,
    query: Option<String>,
    status: Option<u16>,
    headers: Vec<(String, Vec<u8>)>,
    request: Option<Box<Self>>,
}

impl OwnedHead {
    /// Makes the head of a request from its method and target: a URL, or a path with a query.
    ///
    /// The target is split and otherwise left alone. A fragment is cut off, since it is never sent.
    pub fn request(method: impl Into<String>, target: &str) -> Self {
        let target = target.split_once('#').map_or(target, |(target, _)| target);
        let (scheme, rest) = match target.split_once("://") {
            Some((scheme, rest)) if !scheme.contains(['/', '?']) => (Some(scheme), rest),
            _ => (None, target),
        };
        let (authority, path) = if scheme.is_some() {
            let at = rest.find(['/', '?']).unwrap_or(rest.len());
            (Some(&rest[..at]), &rest[at..])
        } else {
            (None, rest)
        };
        let (path, query) = match path.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (path, None),
        };
        Self {
            method: method.into(),
            scheme: scheme.map(Into::into),
            authority: authority.map(Into::into),
            path: path.into(),
            query: query.map(Into::into),
            ..Self::default()
        }
    }

    /// Makes the head of a response.
    pub fn response(status: u16) -> Self {
        Self {
            status: Some(status),
            ..Self::default()
        }
    }

    /// Names the request that this response answers.
    pub fn in_answer_to(mut self, request: Self) -> Self {
        self.request = Some(Box::new(request));
        self
    }

    /// Adds a header line, behind those of the same name.
    pub fn header(mut self, name: &str, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push((name.to_ascii_lowercase(), value.into()));
        self
    }

    /// Adds header lines, such as a signer returned.
    pub fn headers<N: AsRef<str>, V: Into<Vec<u8>>>(
        self,
        lines: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        lines.into_iter().fold(self, |head, (name, value)| {
            head.header(name.as_ref(), value)
        })
    }
}

impl Head for OwnedHead {
    fn method(&self) -> &str {
        &self.method
    }

    fn path(&self) -> &str {
        &self.path
    }

    fn query(&self) -> Option<&str> {
        self.query.as_deref()
    }

    fn scheme(&self) -> Option<&str> {
        self.scheme.as_deref()
    }

    fn authority(&self) -> Option<&str> {
        let host = || self.headers.iter().find(|(name, _)| name == "host");
        let host = || host().and_then(|(_, value)| std::str::from_utf8(value).ok());
        self.authority.as_deref().or_else(host)
    }

    fn each_header(&self, name: &str, visit: &mut dyn FnMut(&[u8]) -> ControlFlow<()>) {
        for (known, value) in &self.headers {
            if known == name && visit(value).is_break() {
                return;
            }
        }
    }

    fn status(&self) -> Option<u16> {
        self.status
    }

    fn request(&self) -> Option<&dyn Head> {
        self.request.as_deref().map(|request| request as &dyn Head)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_split_and_left_alone() {
        let head = OwnedHead::request("GET", "https://a.example:8443?x=%2F#y");
        assert_eq!((head.path(), head.query()), ("", Some("x=%2F")));
        assert_eq!(head.authority(), Some("a.example:8443"));
        let head = OwnedHead::request("GET", "/to?u=http://b").header("Host", "c");
        assert_eq!((head.scheme(), head.authority()), (None, Some("c")));
        assert_eq!((head.path(), head.query()), ("/to", Some("u=http://b")));
    }
}
