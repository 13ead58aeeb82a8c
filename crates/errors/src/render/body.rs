//! The two bodies, written straight from the error into one buffer.

use std::fmt;

use serde::{Serialize, Serializer, ser::SerializeMap as _};

use super::phrase;
use crate::{Detail, public::Face};

/// Writes `{"error", "message", "details", "request_id"}`.
///
/// By hand: texts of ours hold nothing to escape, and seeing that takes less than looking at each byte.
pub(super) fn simple(face: Face<'_>, request_id: Option<&str>) -> Vec<u8> {
    let mut body = Vec::with_capacity(capacity(face));
    member(&mut body, r#"{"error":"#, face.id);
    member(&mut body, r#","message":"#, face.message);
    body.extend_from_slice(br#","details":["#);
    for (index, detail) in face.details.iter().enumerate() {
        let first = index == 0;
        let open = if first { r#"{"code":"# } else { r#",{"code":"# };
        member(&mut body, open, detail.code());
        member(&mut body, r#","message":"#, detail.message());
        if let Some(field) = detail.field_path() {
            member(&mut body, r#","field":"#, field);
        }
        body.push(b'}');
    }
    body.push(b']');
    if let Some(id) = request_id {
        member(&mut body, r#","request_id":"#, id);
    }
    body.push(b'}');
    body
}

/// Appends a text after what stands before it.
fn member(body: &mut Vec<u8>, before: &str, text: &str) {
    body.extend_from_slice(before.as_bytes());
    // Without a way out of the loop, so that many bytes are looked at in one step.
    let plain = text.bytes().fold(true, |plain, byte| {
        plain & (byte >= b' ') & (byte != b'"') & (byte != b'\\')
    });
    if plain {
        body.push(b'"');
        body.extend_from_slice(text.as_bytes());
        body.push(b'"');
    } else {
        append(body, text);
    }
}

/// Writes a problem of RFC 9457.
pub(super) fn problem(
    face: Face<'_>,
    request_id: Option<&str>,
    type_base: Option<&str>,
) -> Vec<u8> {
    let problem = Problem {
        face,
        request_id,
        type_base,
    };
    write(&problem, capacity(face) + 160)
}

fn write(body: &impl Serialize, capacity: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(capacity);
    append(&mut bytes, body);
    bytes
}

fn append(bytes: &mut Vec<u8>, value: &(impl Serialize + ?Sized)) {
    serde_json::to_writer(bytes, value)
        .expect("keys are strings and a vector takes every byte, so that writing cannot fail");
}

/// What the plain body takes when nothing needs escaping.
fn capacity(face: Face<'_>) -> usize {
    let detail = |detail: &Detail| {
        56 + detail.code().len() + detail.message().len() + detail.field_path().map_or(0, str::len)
    };
    160 + face.message.len() + face.details.iter().map(detail).sum::<usize>()
}

/// A slice of details, each in the shape that the function makes of it.
struct Each<'a, F>(&'a [Detail], F);

impl<'a, T: Serialize, F: Fn(&'a Detail) -> T> Serialize for Each<'a, F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(&self.1))
    }
}

struct Problem<'a> {
    face: Face<'a>,
    request_id: Option<&'a str>,
    type_base: Option<&'a str>,
}

impl Serialize for Problem<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Face {
            status,
            id,
            message,
            ..
        } = self.face;
        let title = match (self.face.problem_type, self.type_base) {
            (Some(_), _) | (None, Some(_)) => self.face.title,
            // RFC 9457, section 4.2.1: the title of `about:blank` is the phrase of the status.
            (None, None) => phrase::of(status).unwrap_or(self.face.title),
        };

        let mut body = serializer.serialize_map(None)?;
        match (self.face.problem_type, self.type_base) {
            (Some(uri), _) => body.serialize_entry("type", uri)?,
            (None, Some(base)) => {
                body.serialize_entry("type", &Shown(format_args!("{base}{id}")))?;
            }
            (None, None) => body.serialize_entry("type", "about:blank")?,
        }
        body.serialize_entry("title", title)?;
        body.serialize_entry("status", &status)?;
        if message != title {
            body.serialize_entry("detail", message)?;
        }
        if let Some(uuid) = self.request_id.and_then(crate::request_id::uuid_digits) {
            body.serialize_entry("instance", &Shown(Urn(uuid)))?;
        }
        body.serialize_entry("code", id)?;
        if !self.face.details.is_empty() {
            body.serialize_entry("errors", &Each(self.face.details, ProblemDetail))?;
        }
        if let Some(request_id) = self.request_id {
            body.serialize_entry("request_id", request_id)?;
        }
        for (name, value) in self.face.meta {
            body.serialize_entry(name, value)?;
        }
        body.end()
    }
}

struct ProblemDetail<'a>(&'a Detail);

impl Serialize for ProblemDetail<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(detail) = self;
        let mut body = serializer.serialize_map(None)?;
        body.serialize_entry("code", detail.code())?;
        body.serialize_entry("detail", detail.message())?;
        if let Some(field) = detail.field_path() {
            body.serialize_entry("field", field)?;
        }
        if let Some(pointer) = detail.json_pointer() {
            body.serialize_entry("pointer", &Shown(Fragment(pointer)))?;
        }
        if detail.params().len() > 0 {
            body.serialize_entry("params", &Params(detail))?;
        }
        body.end()
    }
}

struct Params<'a>(&'a Detail);

impl Serialize for Params<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.params())
    }
}

/// A string that is put together while it is written.
struct Shown<T>(T);

impl<T: fmt::Display> Serialize for Shown<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// The digits of a UUID as a URN (RFC 9562, section 4).
struct Urn<'a>(&'a str);

impl fmt::Display for Urn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (digits, mut at) = (self.0, 0);
        f.write_str("urn:uuid")?;
        for (length, before) in [(8, ":"), (4, "-"), (4, "-"), (4, "-"), (12, "-")] {
            f.write_str(before)?;
            f.write_str(digits.get(at..at + length).unwrap_or_default())?;
            at += length;
        }
        Ok(())
    }
}

/// A JSON Pointer as a URI fragment (RFC 6901, section 6). One that is a fragment already is kept.
struct Fragment<'a>(&'a str);

impl fmt::Display for Fragment<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.starts_with('#') {
            return f.write_str(self.0);
        }
        f.write_str("#")?;
        for byte in self.0.bytes() {
            // What RFC 3986 allows in a fragment as it is.
            if byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/?".contains(&byte) {
                fmt::Write::write_char(f, char::from(byte))?;
            } else {
                write!(f, "%{byte:02X}")?;
            }
        }
        Ok(())
    }
}
