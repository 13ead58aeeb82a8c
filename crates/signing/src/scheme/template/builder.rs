//! Putting a template together, and refusing one that cannot be.

use std::borrow::Cow;

use super::{Part, Place, Template, Time};
use crate::config_error::ConfigError;
use crate::encoding::Encoding;
use crate::key::Algorithm;
use crate::scheme::{Freshness, Scheme};

/// Collects what a [`Template`] needs.
#[derive(Clone, Debug)]
#[must_use]
pub struct TemplateBuilder {
    template: Template,
    wrong: Option<ConfigError>,
}

impl TemplateBuilder {
    pub(super) fn new(name: Cow<'static, str>, place: Place) -> Self {
        let template = Template {
            name,
            place,
            time: Time::Nowhere,
            id_header: None,
            encoding: Encoding::Hex,
            algorithm: [Algorithm::HmacSha256],
            parts: Cow::Borrowed(&[Part::Body]),
        };
        Self {
            template,
            wrong: None,
        }
    }

    /// Sets the text that stands before a signature which has a header of its own. Default: none.
    pub fn prefix(mut self, text: impl Into<Cow<'static, str>>) -> Self {
        match &mut self.template.place {
            Place::Header { prefix, .. } => *prefix = text.into(),
            Place::Fields { .. } => {
                self.wrong = Some(ConfigError::new(
                    "prefix",
                    "a signature alone in its header",
                ));
            }
        }
        self
    }

    /// Sets how signatures are written. Default: [`Encoding::Hex`].
    pub const fn encoding(mut self, encoding: Encoding) -> Self {
        self.template.encoding = encoding;
        self
    }

    /// Sets the algorithm. Default: [`Algorithm::HmacSha256`].
    pub const fn algorithm(mut self, algorithm: Algorithm) -> Self {
        self.template.algorithm = [algorithm];
        self
    }

    /// Takes the time of signing from a header. Default: there is none, and old messages verify.
    pub fn timestamp_header(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.template.time = Time::Header(name.into());
        self
    }

    /// Takes the time of signing from a field next to the signatures.
    pub fn timestamp_field(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.template.time = Time::Field(name.into());
        self
    }

    /// Takes the name of the message from a header. Default: messages have no name.
    pub fn message_id_header(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.template.id_header = Some(name.into());
        self
    }

    /// Sets what is signed, with `{timestamp}`, `{id}` and `{body}` for what they name. Default:
    /// `{body}`. Texts with braces of their own are given to [`signed_parts`](Self::signed_parts).
    pub fn signed(mut self, pattern: &str) -> Self {
        match parse(pattern) {
            Some(parts) => self.signed_parts(parts),
            None => {
                let expected = "text with no braces but {timestamp}, {id} and {body}";
                self.wrong = Some(ConfigError::new("signed", expected));
                self
            }
        }
    }

    /// Sets what is signed, part by part.
    pub fn signed_parts(mut self, parts: impl Into<Vec<Part>>) -> Self {
        self.template.parts = Cow::Owned(parts.into());
        self
    }

    /// Closes the template.
    ///
    /// # Errors
    ///
    /// Refuses header names that are not lower case, a pattern without exactly one body, a time or
    /// a name that is read and not signed or signed and not read, parts that run into each other,
    /// and a field header whose fields cannot be told apart.
    pub fn build(self) -> Result<Template, ConfigError> {
        match self.wrong {
            Some(wrong) => Err(wrong),
            None => self.template.checked(),
        }
    }
}

impl Template {
    fn checked(self) -> Result<Self, ConfigError> {
        let wrong = |setting, expected: &'static str| Err(ConfigError::new(setting, expected));
        let count = |part: &Part| self.parts.iter().filter(|known| *known == part).count();
        if count(&Part::Body) != 1 {
            return wrong("signed", "exactly one {body}");
        }
        if count(&Part::Timestamp) != usize::from(self.freshness() == Freshness::Timestamp) {
            return wrong("signed", "{timestamp} exactly where a timestamp is read");
        }
        if count(&Part::MessageId) != usize::from(self.id_header.is_some()) {
            return wrong("signed", "{id} exactly where a message id is read");
        }
        // A name ends where a '.' or ':' follows, which it cannot hold; with anything else behind
        // it, its last characters could be moved to what comes next.
        for pair in self.parts.windows(2) {
            let ends = matches!(&pair[1], Part::Text(text) if text.starts_with(['.', ':']));
            let starts = matches!(&pair[0], Part::Text(text) if text.ends_with(['.', ':']));
            if (pair[0] == Part::MessageId && !ends) || (pair[1] == Part::MessageId && !starts) {
                return wrong("signed", "'.' or ':' between {id} and its neighbours");
            }
        }
        let mut names = vec![self.id_header.as_deref()];
        let mut fields = Vec::new();
        match &self.time {
            Time::Nowhere => {}
            Time::Header(name) => names.push(Some(name)),
            Time::Field(name) => fields.push(&**name),
        }
        match &self.place {
            Place::Header { name, .. } => names.push(Some(name)),
            Place::Fields {
                header,
                separator,
                field,
            } => {
                names.push(Some(header));
                fields.push(field);
                if !matches!(separator, b',' | b';' | b' ' | b'&') {
                    return wrong("separator", "',', ';', '&' or a space");
                }
            }
        }
        if matches!(
            (&self.place, &self.time),
            (Place::Header { .. }, Time::Field(_))
        ) {
            return wrong("timestamp_field", "signatures that are fields as well");
        }
        let token = |text: &str| {
            let allowed =
                |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_');
            !text.is_empty() && text.bytes().all(allowed)
        };
        if !names.into_iter().flatten().all(token) {
            return wrong("header", "a header name in lower case");
        }
        if !fields.iter().all(|field| token(field)) || fields.len() == 2 && fields[0] == fields[1] {
            return wrong("field", "two different lower-case names");
        }
        Ok(self)
    }
}

fn parse(pattern: &str) -> Option<Vec<Part>> {
    let mut parts = Vec::new();
    let mut rest = pattern;
    while !rest.is_empty() {
        let (text, after) = rest.split_at(rest.find('{').unwrap_or(rest.len()));
        if text.contains('}') {
            return None;
        }
        if !text.is_empty() {
            parts.push(Part::Text(text.to_owned().into()));
        }
        rest = after;
        if let Some(named) = rest.strip_prefix('{') {
            let (name, after) = named.split_once('}')?;
            parts.push(match name {
                "timestamp" => Part::Timestamp,
                "id" => Part::MessageId,
                "body" => Part::Body,
                _ => return None,
            });
            rest = after;
        }
    }
    Some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepts(change: impl FnOnce(TemplateBuilder) -> TemplateBuilder) -> bool {
        change(Template::in_fields("x", "x-signature", ',', "v1"))
            .build()
            .is_ok()
    }

    #[test]
    fn impossible_templates_do_not_close() {
        assert!(accepts(|t| t
            .timestamp_field("t")
            .signed("{timestamp}.{body}")));
        assert!(accepts(|t| t
            .message_id_header("x-id")
            .signed("{id}.{body}.end")));
        assert!(!accepts(|t| t.timestamp_field("t")));
        assert!(!accepts(|t| t.signed("{timestamp}.{body}")));
        assert!(!accepts(|t| t.signed("{body}{body}")));
        assert!(!accepts(|t| t.signed("")));
        assert!(!accepts(|t| t.signed("{body")));
        assert!(!accepts(|t| t.signed("}{body}")));
        assert!(!accepts(|t| t.signed("{url}{body}")));
        assert!(!accepts(|t| t
            .message_id_header("x-id")
            .signed("{id}{body}")));
        assert!(!accepts(|t| t
            .message_id_header("x-id")
            .signed("{id}|{body}")));
        assert!(!accepts(|t| t
            .timestamp_field("v1")
            .signed("{timestamp}.{body}")));
        assert!(!accepts(|t| t
            .timestamp_header("X-Time")
            .signed("{timestamp}.{body}")));
        assert!(!accepts(|t| t.prefix("v1=")));
        assert!(
            Template::in_fields("x", "x-signature", '=', "v1")
                .build()
                .is_err()
        );
        assert!(
            Template::in_header("x", "x-signature")
                .timestamp_field("t")
                .signed("{timestamp}.{body}")
                .build()
                .is_err()
        );
    }
}
