//! A scheme of one's own: where the signature stands, and what is signed.

mod builder;

use std::borrow::Cow;

pub use builder::TemplateBuilder;

use super::{Freshness, Needs, Scheme};
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

    /// Tells a body that begins like what [`Native`](super::Native) signs. Where one secret serves
    /// both, a message caught on its way could else be sent here, as a body, with the same MAC.
    fn refuses_body(&self, start: &[u8]) -> bool {
        matches!(self.parts.first(), Some(Part::Body))
            && start.starts_with(super::native::FIRST_LINE)
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
