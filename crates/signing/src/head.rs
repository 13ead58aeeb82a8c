//! The head of a message, as verifiers and signers see it.

use std::ops::ControlFlow;

use crate::refused::{Refused, RefusedKind};

/// Shows the head of a request or a response.
///
/// Adapters implement it over their framework's type; nothing here knows `http`. Everything is as
/// it stood on the wire: paths and queries are neither decoded nor put in order, because the
/// sender signed what it sent.
///
/// The trait is dyn-compatible, and `&H` is a head wherever `H` is.
pub trait Head {
    /// Returns the method, in the case in which it was sent. Empty for a response.
    fn method(&self) -> &str;

    /// Returns the path, undecoded, without the query.
    fn path(&self) -> &str;

    /// Returns what stood behind `?`, or `None` where there was no `?`.
    fn query(&self) -> Option<&str>;

    /// Returns `https` or `http`, if that is known.
    fn scheme(&self) -> Option<&str>;

    /// Returns the host and port that the request was for: `:authority`, or else `Host`.
    fn authority(&self) -> Option<&str>;

    /// Shows every line of the header `name`, which is given in lower case, in their order, until
    /// `visit` breaks off.
    fn each_header(&self, name: &str, visit: &mut dyn FnMut(&[u8]) -> ControlFlow<()>);

    /// Returns the status, when this is the head of a response.
    fn status(&self) -> Option<u16> {
        None
    }

    /// Returns the request that this is the response to, if it is at hand.
    fn request(&self) -> Option<&dyn Head> {
        None
    }
}

impl<H: Head + ?Sized> Head for &H {
    fn method(&self) -> &str {
        (**self).method()
    }

    fn path(&self) -> &str {
        (**self).path()
    }

    fn query(&self) -> Option<&str> {
        (**self).query()
    }

    fn scheme(&self) -> Option<&str> {
        (**self).scheme()
    }

    fn authority(&self) -> Option<&str> {
        (**self).authority()
    }

    fn each_header(&self, name: &str, visit: &mut dyn FnMut(&[u8]) -> ControlFlow<()>) {
        (**self).each_header(name, visit);
    }

    fn status(&self) -> Option<u16> {
        (**self).status()
    }

    fn request(&self) -> Option<&dyn Head> {
        (**self).request()
    }
}

/// The longest header line that is looked at.
pub(crate) const MAX_LINE: usize = 8 * 1024;

/// Reads a header that must come exactly once.
///
/// Two lines are refused even when they agree: a proxy in front may have looked at the other one.
///
/// # Errors
///
/// Refuses an absent, a repeated and an overlong header, and whatever `parse` refuses.
pub fn only<T>(
    head: &dyn Head,
    name: &str,
    parse: &mut dyn FnMut(&[u8]) -> Result<T, Refused>,
) -> Result<T, Refused> {
    let mut found = None;
    let mut lines = 0_u32;
    head.each_header(name, &mut |line| {
        lines += 1;
        if lines > 1 {
            return ControlFlow::Break(());
        }
        found = Some(if line.len() > MAX_LINE {
            Err(Refused::malformed("a header of at most 8 KiB"))
        } else {
            parse(line)
        });
        ControlFlow::Continue(())
    });
    if lines > 1 {
        return Err(Refused::new(RefusedKind::DuplicateHeader));
    }
    found.unwrap_or_else(|| Err(Refused::new(RefusedKind::MissingSignature)))
}

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
    fn a_header_must_come_exactly_once() {
        let read =
            |head: &OwnedHead| only(head, "x", &mut |line| Ok(line.to_vec())).map_err(|e| e.kind());
        let head = OwnedHead::request("GET", "/");
        assert_eq!(read(&head), Err(RefusedKind::MissingSignature));
        let head = head.header("X", "1");
        assert_eq!(read(&head), Ok(b"1".to_vec()));
        let head = head.header("x", "1");
        assert_eq!(read(&head), Err(RefusedKind::DuplicateHeader));
        let long = OwnedHead::request("GET", "/").header("x", vec![b'a'; MAX_LINE + 1]);
        assert_eq!(read(&long), Err(RefusedKind::Malformed));
    }

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
