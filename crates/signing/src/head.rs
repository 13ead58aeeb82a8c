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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::owned_head::OwnedHead;

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
    }

    #[test]
    fn a_line_of_8_kib_is_the_longest_that_is_read() {
        let read = |len| {
            let head = OwnedHead::request("GET", "/").header("x", vec![b'a'; len]);
            only(&head, "x", &mut |line| Ok(line.len())).map_err(|e| e.kind())
        };
        assert_eq!(read(8192), Ok(8192));
        assert_eq!(read(8193), Err(RefusedKind::Malformed));
    }

    #[test]
    fn what_follows_the_first_line_is_not_read() {
        let head = ["1", "2", "3"]
            .iter()
            .fold(OwnedHead::request("GET", "/"), |head, value| {
                head.header("x", *value)
            });
        let mut read = Vec::new();
        let refused = only(&head, "x", &mut |line| {
            read.push(line.to_vec());
            Ok(())
        });
        assert_eq!(refused.unwrap_err().kind(), RefusedKind::DuplicateHeader);
        assert_eq!(read, [b"1"]);
    }

    /// Shows what a head says to code that takes any head.
    fn seen(head: impl Head) -> String {
        let mut lines = Vec::new();
        head.each_header("x", &mut |line| {
            lines.push(String::from_utf8_lossy(line).into_owned());
            ControlFlow::Continue(())
        });
        format!(
            "{} {:?} {:?} {} {:?} {:?} {:?} {lines:?}",
            head.method(),
            head.scheme(),
            head.authority(),
            head.path(),
            head.query(),
            head.status(),
            head.request().map(Head::path),
        )
    }

    #[test]
    fn a_reference_shows_the_head_that_it_points_to() {
        let request = OwnedHead::request("PUT", "https://a.example/b?c").header("x", "1");
        assert_eq!(
            seen(&request),
            "PUT Some(\"https\") Some(\"a.example\") /b Some(\"c\") None None [\"1\"]"
        );
        let response = OwnedHead::response(201).in_answer_to(request);
        assert_eq!(
            seen(&response),
            " None None  None Some(201) Some(\"/b\") []"
        );
    }

    #[test]
    fn a_head_is_a_request_unless_it_says_otherwise() {
        struct Plain;
        impl Head for Plain {
            fn method(&self) -> &str {
                "GET"
            }

            fn path(&self) -> &str {
                "/"
            }

            fn query(&self) -> Option<&str> {
                None
            }

            fn scheme(&self) -> Option<&str> {
                None
            }

            fn authority(&self) -> Option<&str> {
                None
            }

            fn each_header(&self, _: &str, _: &mut dyn FnMut(&[u8]) -> ControlFlow<()>) {}
        }
        assert_eq!(seen(Plain), "GET None None / None None None []");
    }
}
