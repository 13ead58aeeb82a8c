//! Names and values as text: queries, forms, path parameters, headers.

use std::borrow::Cow;

use serde::de::value::Error as Fault;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::parser::malformed_text;
use crate::violations::Kind;
use crate::{Code, Limits, Violation, Violations};

type Text<'de> = Cow<'de, str>;

/// The pairs of one input, in order.
#[derive(Debug)]
pub(crate) struct Pairs<'de>(Vec<Option<(Text<'de>, Text<'de>)>>);

impl<'de> Pairs<'de> {
    /// Splits and decodes `a=1&b=2`.
    pub(crate) fn decode(text: &'de str, most: usize) -> Result<Self, Violations> {
        let mut pairs = Vec::new();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            if pairs.len() == most {
                return Err(too_many(most));
            }
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let decoded = decode(name).zip(decode(value)).ok_or_else(malformed_text)?;
            pairs.push(Some(decoded));
        }
        Ok(Self(pairs))
    }

    pub(crate) fn of(
        all: impl IntoIterator<Item = (&'de str, &'de str)>,
        most: usize,
    ) -> Result<Self, Violations> {
        let mut pairs = Vec::new();
        for (name, value) in all {
            if pairs.len() == most {
                return Err(too_many(most));
            }
            pairs.push(Some((Cow::Borrowed(name), Cow::Borrowed(value))));
        }
        Ok(Self(pairs))
    }

    pub(crate) fn of_headers(
        all: impl IntoIterator<Item = (&'de str, &'de [u8])>,
        limits: &Limits,
    ) -> Result<Self, Violations> {
        let mut pairs = Vec::new();
        let mut bytes = 0_usize;
        for (name, value) in all {
            bytes = bytes.saturating_add(name.len()).saturating_add(value.len());
            if pairs.len() == limits.headers
                || bytes > limits.header_bytes
                || value.len() > limits.header_value
            {
                let violation = Violation::new(Code::HEADERS_TOO_LARGE);
                return Err(Violations::of(Kind::HeadersTooLarge, violation));
            }
            // Headers are bytes. One that is not text cannot be read by any rule; and which one
            // it was is not worth an answer, since only a broken or hostile client sends it.
            let value = std::str::from_utf8(value).map_err(|_| malformed_text())?;
            let name = match name.bytes().any(|b| b.is_ascii_uppercase()) {
                true => Cow::Owned(name.to_ascii_lowercase()),
                false => Cow::Borrowed(name),
            };
            pairs.push(Some((name, Cow::Borrowed(value))));
        }
        Ok(Self(pairs))
    }

    /// Takes the values of the first name that is left.
    fn next(&mut self) -> Option<(Text<'de>, Vec<Text<'de>>)> {
        let first = self.0.iter().position(Option::is_some)?;
        let (name, value) = self.0[first].take()?;
        let mut values = vec![value];
        for pair in &mut self.0[first + 1..] {
            if let Some((_, value)) = pair.take_if(|(other, _)| *other == name) {
                values.push(value);
            }
        }
        Some((name, values))
    }
}

fn too_many(most: usize) -> Violations {
    let violation = Violation::new(Code::TOO_MANY_KEYS).param("max", most);
    Violations::of(Kind::Invalid, violation)
}

/// Decodes `+` and `%xx`; none if an escape is broken or the bytes are not UTF-8.
fn decode(text: &str) -> Option<Text<'_>> {
    if !text.bytes().any(|b| b == b'+' || b == b'%') {
        return Some(Cow::Borrowed(text));
    }
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'+' => b' ',
            b'%' => hex(bytes.next()?)? << 4 | hex(bytes.next()?)?,
            other => other,
        });
    }
    String::from_utf8(out).ok().map(Cow::Owned)
}

const fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

impl<'de> Deserializer<'de> for Pairs<'de> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_map(Entries {
            pairs: self,
            values: Vec::new(),
        })
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_some(self)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

struct Entries<'de> {
    pairs: Pairs<'de>,
    values: Vec<Text<'de>>,
}

impl<'de> MapAccess<'de> for Entries<'de> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Fault> {
        let Some((name, values)) = self.pairs.next() else {
            return Ok(None);
        };
        self.values = values;
        seed.deserialize(Values(vec![name])).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Fault> {
        seed.deserialize(Values(std::mem::take(&mut self.values)))
    }
}

/// The values of one name: a text if it is one, a list if the field asks for one or there are
/// several.
struct Values<'de>(Vec<Text<'de>>);

impl<'de> Deserializer<'de> for Values<'de> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Fault> {
        match self.0.pop() {
            Some(Cow::Borrowed(text)) if self.0.is_empty() => visitor.visit_borrowed_str(text),
            Some(Cow::Owned(text)) if self.0.is_empty() => visitor.visit_string(text),
            last => {
                self.0.extend(last);
                self.deserialize_seq(visitor)
            }
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_some(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_seq(List(self.0.into_iter()))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct newtype_struct tuple tuple_struct map struct enum identifier ignored_any
    }
}

struct List<'de>(std::vec::IntoIter<Text<'de>>);

impl<'de> SeqAccess<'de> for List<'de> {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Fault> {
        let Some(text) = self.0.next() else {
            return Ok(None);
        };
        seed.deserialize(Values(vec![text])).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_decoded_strictly() {
        assert_eq!(decode("a+b%20%C3%A9").as_deref(), Some("a b é"));
        for broken in ["%", "%2", "%zz", "%ff", "%+1"] {
            assert_eq!(decode(broken), None, "{broken}");
        }
    }

    #[test]
    fn values_are_gathered_under_their_name() {
        let mut pairs = Pairs::decode("a=1&b=2&&a=3&c", 8).unwrap();
        assert_eq!(
            pairs.next().unwrap(),
            ("a".into(), vec!["1".into(), "3".into()])
        );
        assert_eq!(pairs.next().unwrap(), ("b".into(), vec!["2".into()]));
        assert_eq!(pairs.next().unwrap(), ("c".into(), vec!["".into()]));
        assert!(pairs.next().is_none());
    }
}
