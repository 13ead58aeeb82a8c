//! The parts of a message that a signature covers, and the line that each makes (RFC 9421, 2).

use std::ops::ControlFlow;

use super::query;
use super::structured::{self, Bare, Item, Parameters};
use crate::head::{Head, MAX_LINE};
use crate::refused::{Refused, RefusedKind};
use crate::scheme::native::without_default_port;

/// Is one covered part, by its name and parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Component {
    pub(super) name: String,
    parameters: Parameters,
}

/// Says what a client saw where a proxy shows something else.
#[derive(Clone, Debug)]
pub(super) struct External {
    pub(super) scheme: String,
    pub(super) authority: String,
}

impl Component {
    /// Reads `@method`, `content-type`, or the written form `"@query-param";name="id"`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let item = if text.starts_with('"') {
            structured::item(text.as_bytes())?
        } else {
            Item {
                bare: Bare::String(text.to_owned()),
                parameters: Vec::new(),
            }
        };
        Self::of(&item).ok()
    }

    pub(super) fn of(item: &Item) -> Result<Self, Refused> {
        let wrong = || Refused::malformed("covered components that RFC 9421 knows");
        let Bare::String(name) = &item.bare else {
            return Err(wrong());
        };
        let component = Self {
            name: name.clone(),
            parameters: item.parameters.clone(),
        };
        if component.is_known() {
            Ok(component)
        } else {
            Err(wrong())
        }
    }

    /// Refuses what would be read differently elsewhere: unknown names and parameters, upper case,
    /// two ways of canonicalising at once. Trailers (`tr`) are not supported.
    fn is_known(&self) -> bool {
        let flag = |key| {
            self.parameters
                .iter()
                .any(|(known, bare)| known == key && *bare == Bare::Boolean(true))
        };
        let known = |(key, bare): &(String, Bare)| match key.as_str() {
            "req" => *bare == Bare::Boolean(true),
            "name" => self.name == "@query-param" && matches!(bare, Bare::String(_)),
            "sf" | "bs" => !self.is_derived() && *bare == Bare::Boolean(true),
            "key" => !self.is_derived() && matches!(bare, Bare::String(_)),
            _ => false,
        };
        let canonicalised = flag("sf") || self.text("key").is_some();
        let name = match self.name.as_str() {
            "@method" | "@target-uri" | "@authority" | "@scheme" | "@request-target" | "@path"
            | "@query" => true,
            "@query-param" => self.text("name").is_some(),
            "@status" => !flag("req"),
            name => {
                let token = |b: u8| {
                    b.is_ascii_lowercase() || b.is_ascii_digit() || b"!#$%&'*+-.^_`|~".contains(&b)
                };
                !name.is_empty() && name.bytes().all(token)
            }
        };
        name && self.parameters.iter().all(known) && !(flag("bs") && canonicalised)
    }

    fn is_derived(&self) -> bool {
        self.name.starts_with('@')
    }

    fn text(&self, key: &str) -> Option<&str> {
        self.parameters.iter().find_map(|(known, bare)| match bare {
            Bare::String(text) if known == key => Some(text.as_str()),
            _ => None,
        })
    }

    fn has(&self, key: &str) -> bool {
        self.parameters.iter().any(|(known, _)| known == key)
    }

    /// Returns whether both are the same part, in whatever order their parameters stand.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.name == other.name
            && self.parameters.len() == other.parameters.len()
            && self
                .parameters
                .iter()
                .all(|parameter| other.parameters.contains(parameter))
    }

    /// Returns whether this covers the digest of the body it travels with.
    pub(super) fn is_content_digest(&self) -> bool {
        self.name == "content-digest" && !self.has("req") && !self.has("key")
    }

    pub(super) fn to_item(&self) -> Item {
        Item {
            bare: Bare::String(self.name.clone()),
            parameters: self.parameters.clone(),
        }
    }

    /// Writes the line of this part: its identifier, a colon, a space, and its value.
    pub(super) fn write_line(
        &self,
        head: &dyn Head,
        external: Option<&External>,
        put: &mut dyn FnMut(&[u8]),
    ) -> Result<(), Refused> {
        let mut line = String::new();
        structured::write_item(&self.to_item(), &mut line);
        line.push_str(": ");
        put(line.as_bytes());
        let absent = || {
            Refused::because(
                RefusedKind::InsufficientCoverage,
                "every covered part to be there",
            )
        };
        let head = if self.has("req") {
            head.request().ok_or_else(absent)?
        } else {
            head
        };
        let value = if self.is_derived() {
            self.derived(head, external)
                .ok_or_else(absent)?
                .into_bytes()
        } else {
            self.field(head)?.ok_or_else(absent)?
        };
        // A line feed would end the line and begin another, which nobody signed.
        if value.iter().any(|byte| matches!(byte, b'\n' | b'\r' | 0)) {
            return Err(Refused::malformed("covered parts without line feeds"));
        }
        put(&value);
        put(b"\n");
        Ok(())
    }

    fn derived(&self, head: &dyn Head, external: Option<&External>) -> Option<String> {
        if self.name == "@status" {
            return head.status().map(|status| format!("{status:03}"));
        }
        if head.status().is_some() {
            return None;
        }
        let scheme = || {
            let scheme = external
                .map(|seen| seen.scheme.as_str())
                .or_else(|| head.scheme());
            scheme.map(str::to_ascii_lowercase)
        };
        let authority = || {
            let authority = external
                .map(|seen| seen.authority.as_str())
                .or_else(|| head.authority())?;
            Some(without_default_port(authority, scheme().as_deref()).to_ascii_lowercase())
        };
        let path = || {
            if head.path().is_empty() {
                "/"
            } else {
                head.path()
            }
        };
        let target = || match head.query() {
            Some(query) => format!("{}?{query}", path()),
            None => path().to_owned(),
        };
        match self.name.as_str() {
            "@method" => Some(head.method().to_owned()),
            "@scheme" => scheme(),
            "@authority" => authority(),
            "@target-uri" => Some(format!("{}://{}{}", scheme()?, authority()?, target())),
            "@request-target" => Some(target()),
            "@path" => Some(path().to_owned()),
            "@query" => Some(format!("?{}", head.query().unwrap_or_default())),
            "@query-param" => query::parameter(head.query()?, self.text("name")?),
            _ => None,
        }
    }

    fn field(&self, head: &dyn Head) -> Result<Option<Vec<u8>>, Refused> {
        let lines = field_lines(head, &self.name)?;
        if lines.is_empty() {
            return Ok(None);
        }
        if self.has("bs") {
            let mut wrapped = String::new();
            for (at, line) in lines.into_iter().enumerate() {
                if at > 0 {
                    wrapped.push_str(", ");
                }
                structured::write_bare(&Bare::Bytes(line), &mut wrapped);
            }
            return Ok(Some(wrapped.into_bytes()));
        }
        let joined = lines.join(&b", "[..]);
        let wrong = || Refused::malformed("a structured field where one is covered as such");
        if let Some(key) = self.text("key") {
            let members = structured::dictionary(&joined).ok_or_else(wrong)?;
            let Some((_, member)) = members.iter().find(|(known, _)| known == key) else {
                return Ok(None);
            };
            let mut text = String::new();
            structured::write_member(member, &mut text);
            return Ok(Some(text.into_bytes()));
        }
        if self.has("sf") {
            return structured::canonical(&joined)
                .map(|text| Some(text.into_bytes()))
                .ok_or_else(wrong);
        }
        Ok(Some(joined))
    }
}

/// Returns the lines of a field, trimmed and unfolded.
pub(super) fn field_lines(head: &dyn Head, name: &str) -> Result<Vec<Vec<u8>>, Refused> {
    let mut lines = Vec::new();
    let mut room = MAX_LINE;
    head.each_header(name, &mut |line| {
        let Some(left) = room.checked_sub(line.len() + 1) else {
            lines.clear();
            room = 0;
            return ControlFlow::Break(());
        };
        room = left;
        lines.push(unfolded(line.trim_ascii()));
        ControlFlow::Continue(())
    });
    if room == 0 {
        return Err(Refused::malformed("covered headers of at most 8 KiB"));
    }
    Ok(lines)
}

/// Puts one space in the place of each line break that obsolete folding allows.
fn unfolded(line: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(line.len());
    let mut rest = line;
    while let Some((byte, after)) = rest.split_first() {
        let fold = after
            .strip_prefix(b"\n")
            .filter(|_| *byte == b'\r')
            .or((*byte == b'\n').then_some(after));
        match fold {
            Some(folded) if matches!(folded.first(), Some(b' ' | b'\t')) => {
                out.truncate(out.trim_ascii_end().len());
                out.push(b' ');
                rest = folded.trim_ascii_start();
            }
            _ => {
                out.push(*byte);
                rest = after;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::owned_head::OwnedHead;

    #[test]
    fn folded_lines_become_one() {
        assert_eq!(
            unfolded(b"Obsolete\n    line folding."),
            b"Obsolete line folding."
        );
        assert_eq!(unfolded(b"a \r\n\tb"), b"a b");
        assert_eq!(unfolded(b"a\nb"), b"a\nb");
    }

    #[test]
    fn unknown_parts_are_refused() {
        for text in [
            "@unknown",
            "Content-Type",
            "",
            "@query-param",
            "\"@method\";sf",
            "\"a\";tr",
            "\"a\";sf;bs",
            "\"a\";key=\"b\";bs",
            "\"a\";x",
            "\"a\";sf=?0",
            "\"@status\";req",
            "\"a b\"",
            "\"a\";name=\"b\"",
            "\"@query-param\";name=b",
            "\"@method\";key=\"a\"",
            "\"a\";key=b",
        ] {
            assert_eq!(Component::parse(text), None, "{text}");
        }
        assert!(Component::parse("\"@query-param\";name=\"id\"").is_some());
        assert!(Component::parse("\"a\";sf;key=\"b\"").is_some());
    }

    #[test]
    fn lines_of_nothing_fill_the_room_as_well() {
        let lines = |count: usize| {
            let none = std::iter::repeat_n(("x", ""), count);
            field_lines(&OwnedHead::request("GET", "/").headers(none), "x")
        };
        assert_eq!(lines(MAX_LINE - 1).unwrap().len(), MAX_LINE - 1);
        assert_eq!(lines(MAX_LINE).unwrap_err().kind(), RefusedKind::Malformed);
    }
}
