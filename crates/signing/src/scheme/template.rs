//! A scheme of one's own: where the signature stands, and what is signed.

use std::borrow::Cow;

use super::{Freshness, Needs, Scheme};
use crate::config_error::ConfigError;
use crate::encoding::{self, Encoding};
use crate::envelope::{Envelope, MAX_SIGNATURES};
use crate::head::{self, Head};
use crate::key::Algorithm;
use crate::refused::{Refused, RefusedKind};

/// Describes a dialect that puts a MAC into a header: most webhooks.
///
/// The signature stands alone in a header, perhaps behind a prefix, or in a header of fields such
/// as `t=1700000000,v1=5257a8…`. The signed bytes are texts, the time, a message's name, and the
/// body, in an order of the sender's.
///
/// # Examples
///
/// ```
/// use seawall_signing::{Encoding, scheme::Template};
///
/// let acme = Template::in_header("acme", "x-acme-signature")
///     .prefix("v2=")
///     .encoding(Encoding::Base64)
///     .timestamp_header("x-acme-time")
///     .signed("v2|{timestamp}|{body}")
///     .build()?;
/// # Ok::<(), seawall_signing::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Template {
    pub(super) name: Cow<'static, str>,
    pub(super) place: Place,
    pub(super) time: Time,
    pub(super) id_header: Option<Cow<'static, str>>,
    pub(super) encoding: Encoding,
    pub(super) algorithm: [Algorithm; 1],
    pub(super) parts: Cow<'static, [Part]>,
}

/// Is where the signature stands.
#[derive(Clone, Debug)]
pub(super) enum Place {
    Header {
        name: Cow<'static, str>,
        prefix: Cow<'static, str>,
    },
    Fields {
        header: Cow<'static, str>,
        separator: u8,
        field: Cow<'static, str>,
    },
}

/// Is where the time of signing stands.
#[derive(Clone, Debug)]
pub(super) enum Time {
    Nowhere,
    Header(Cow<'static, str>),
    Field(Cow<'static, str>),
}

/// Is a piece of what is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Part {
    /// This text, the same in every message.
    Text(Cow<'static, str>),
    /// The time of signing, in decimal seconds.
    Timestamp,
    /// The name of the message.
    MessageId,
    /// The body.
    Body,
}

impl Template {
    /// Starts a dialect whose signature is the whole of a header, but for a prefix.
    ///
    /// `name` tells dialects apart in replay stores and logs. Header names are given in lower case.
    pub fn in_header(
        name: impl Into<Cow<'static, str>>,
        header: impl Into<Cow<'static, str>>,
    ) -> TemplateBuilder {
        TemplateBuilder::new(
            name.into(),
            Place::Header {
                name: header.into(),
                prefix: "".into(),
            },
        )
    }

    /// Starts a dialect whose signatures are fields of a header, each `field=…`, with `separator`
    /// between them. Fields with other names are ignored, and more than one signature is allowed.
    pub fn in_fields(
        name: impl Into<Cow<'static, str>>,
        header: impl Into<Cow<'static, str>>,
        separator: char,
        field: impl Into<Cow<'static, str>>,
    ) -> TemplateBuilder {
        let separator = u8::try_from(separator).unwrap_or(0);
        let place = Place::Fields {
            header: header.into(),
            separator,
            field: field.into(),
        };
        TemplateBuilder::new(name.into(), place)
    }

    fn read_fields(
        &self,
        envelope: &mut Envelope,
        line: &[u8],
        separator: u8,
        field: &str,
    ) -> Result<(), Refused> {
        for item in line.split(|byte| *byte == separator) {
            let Some(at) = item.iter().position(|byte| *byte == b'=') else {
                return Err(Refused::malformed("fields of the form name=value"));
            };
            let (name, value) = (&item[..at], &item[at + 1..]);
            if name == field.as_bytes() {
                envelope.push_text(self.algorithm[0], self.encoding, value)?;
            } else if matches!(&self.time, Time::Field(time) if name == time.as_bytes()) {
                if envelope.timestamp().is_some() {
                    return Err(Refused::malformed("one timestamp"));
                }
                read_time(envelope, value)?;
            }
        }
        Ok(())
    }

    fn put(&self, parts: &[Part], envelope: &Envelope, put: &mut dyn FnMut(&[u8])) {
        for part in parts {
            match part {
                Part::Text(text) => put(text.as_bytes()),
                Part::Timestamp => {
                    let time = envelope.timestamp().unwrap_or_default();
                    encoding::with_decimal(time.as_secs(), |text| put(text));
                }
                Part::MessageId => put(envelope.message_id().unwrap_or_default().as_bytes()),
                Part::Body => {}
            }
        }
    }

    fn split(&self) -> (&[Part], &[Part]) {
        let body = self
            .parts
            .iter()
            .position(|part| *part == Part::Body)
            .unwrap_or(self.parts.len());
        self.parts.split_at(body)
    }
}

fn read_time(envelope: &mut Envelope, text: &[u8]) -> Result<(), Refused> {
    let seconds =
        encoding::seconds(text).ok_or_else(|| Refused::malformed("a time in whole seconds"))?;
    envelope.set_timestamp(crate::clock::UnixTime::from_secs(seconds));
    Ok(())
}

impl Scheme for Template {
    fn name(&self) -> &str {
        &self.name
    }

    fn algorithms(&self) -> &[Algorithm] {
        &self.algorithm
    }

    fn freshness(&self) -> Freshness {
        match self.time {
            Time::Nowhere => Freshness::None,
            Time::Header(_) | Time::Field(_) => Freshness::Timestamp,
        }
    }

    fn max_signatures(&self) -> usize {
        match self.place {
            Place::Header { .. } => 1,
            Place::Fields { .. } => MAX_SIGNATURES,
        }
    }

    fn needs(&self) -> Needs {
        let timestamp = self.freshness() == Freshness::Timestamp;
        Needs {
            timestamp,
            nonce: false,
            message_id: self.id_header.is_some(),
        }
    }

    fn read(&self, head: &dyn Head) -> Result<Envelope, Refused> {
        let mut envelope = Envelope::new();
        match &self.place {
            Place::Header { name, prefix } => head::only(head, name, &mut |line| {
                let Some(text) = line.strip_prefix(prefix.as_bytes()) else {
                    return Err(Refused::malformed(
                        "the scheme's prefix before the signature",
                    ));
                };
                envelope.push_text(self.algorithm[0], self.encoding, text)
            })?,
            Place::Fields {
                header,
                separator,
                field,
            } => head::only(head, header, &mut |line| {
                self.read_fields(&mut envelope, line, *separator, field)
            })?,
        }
        if let Time::Header(name) = &self.time {
            head::only(head, name, &mut |line| read_time(&mut envelope, line))?;
        }
        if let Some(name) = &self.id_header {
            head::only(head, name, &mut |line| envelope.set_message_id(line))?;
        }
        if matches!(self.time, Time::Field(_)) && envelope.timestamp().is_none() {
            return Err(Refused::malformed("a timestamp"));
        }
        if envelope.tags().is_empty() {
            return Err(Refused::new(RefusedKind::UnsupportedSignature));
        }
        Ok(envelope)
    }

    fn before_body(
        &self,
        envelope: &Envelope,
        _: &dyn Head,
        put: &mut dyn FnMut(&[u8]),
    ) -> Result<(), Refused> {
        self.put(self.split().0, envelope, put);
        Ok(())
    }

    fn after_body(&self, envelope: &Envelope, put: &mut dyn FnMut(&[u8])) {
        self.put(self.split().1, envelope, put);
    }

    fn write(&self, envelope: &Envelope, put: &mut dyn FnMut(&str, String)) -> Result<(), Refused> {
        let time = envelope.timestamp().unwrap_or_default();
        if let (Some(name), Some(id)) = (&self.id_header, envelope.message_id()) {
            put(name, id.to_owned());
        }
        if let Time::Header(name) = &self.time {
            put(name, time.to_string());
        }
        match &self.place {
            Place::Header { name, prefix } => {
                let mut line = String::from(&**prefix);
                if let Some(tag) = envelope.tags().first() {
                    self.encoding.write(tag.bytes(), &mut line);
                }
                put(name, line);
            }
            Place::Fields {
                header,
                separator,
                field,
            } => {
                let mut line = String::with_capacity(96);
                if let Time::Field(name) = &self.time {
                    line.push_str(name);
                    line.push('=');
                    encoding::with_decimal(time.as_secs(), |text| {
                        line.extend(text.iter().copied().map(char::from));
                    });
                }
                for tag in envelope.tags() {
                    if !line.is_empty() {
                        line.push(char::from(*separator));
                    }
                    line.push_str(field);
                    line.push('=');
                    self.encoding.write(tag.bytes(), &mut line);
                }
                put(header, line);
            }
        }
        Ok(())
    }
}

/// Collects what a [`Template`] needs.
#[derive(Clone, Debug)]
#[must_use]
pub struct TemplateBuilder {
    template: Template,
    wrong: Option<ConfigError>,
}

impl TemplateBuilder {
    fn new(name: Cow<'static, str>, place: Place) -> Self {
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
